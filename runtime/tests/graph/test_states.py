"""Between any two nodes a state is converted to JSON and back, without any loss."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, computed_field

from azure_functions_durable_graph.graph.states import apply_patch, difference, dump, load, merge


class Colour(Enum):
    """An enum."""

    RED = "red"


class Inner(BaseModel):
    """A nested model."""

    tags: set[str] = set()
    at: datetime | None = None


class Everything(BaseModel):
    """One field of each type that states have in practice."""

    name: str = ""
    when: datetime | None = None
    day: date | None = None
    span: timedelta | None = None
    key: UUID | None = None
    price: Decimal | None = None
    raw: bytes = b""
    colour: Colour | None = None
    pair: tuple[int, str] | None = None
    inner: Inner = Inner()
    many: dict[str, Inner] = {}
    count: int = 0


class Strict(BaseModel):
    """A model that does not convert values."""

    model_config = ConfigDict(strict=True)
    when: datetime
    tags: set[str] = set()


class Aliased(BaseModel):
    """A model with aliases and a computed field."""

    order_id: str = Field(alias="orderId")
    count: int = 1

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        return self.count * 2


class Open(BaseModel):
    """A model that accepts any field."""

    model_config = ConfigDict(extra="allow")
    known: int = 0


FULL = Everything(
    name="ü",
    when=datetime(2026, 1, 2, 3, 4, 5, 678, tzinfo=timezone.utc),
    day=date(2026, 1, 2),
    span=timedelta(days=3, seconds=1),
    key=UUID(int=7),
    price=Decimal("12.30"),
    raw=b"abc",
    colour=Colour.RED,
    pair=(1, "a"),
    inner=Inner(tags={"x", "y"}),
    many={"one": Inner(at=datetime(2026, 1, 1, tzinfo=timezone.utc))},
    count=2**60,
)


@pytest.mark.parametrize(
    "state",
    [FULL, Everything(), Strict(when=datetime(2026, 1, 1, tzinfo=timezone.utc), tags={"a"})],
    ids=["full", "empty", "strict"],
)
def test_a_state_survives_its_json_form(state: Any) -> None:
    assert load(type(state), dump(state)) == state


def test_a_state_with_aliases_and_computed_fields_survives_and_is_read_by_either_name() -> None:
    state = load(Aliased, {"orderId": "A"})

    assert load(Aliased, dump(state)) == state
    assert load(Aliased, {"order_id": "A"}) == state
    assert dump(state) == {"order_id": "A", "count": 1}


def test_a_dict_is_merged_shallowly() -> None:
    before = dump(Everything(name="a", inner=Inner(tags={"x"})))

    after = merge(Everything, before, {"inner": {"at": None}}, "node")

    assert after == Everything(name="a", inner=Inner())


def test_a_dict_may_hold_python_values() -> None:
    after = merge(Everything, dump(Everything()), {"price": Decimal("1.10"), "inner": Inner(tags={"z"})}, "node")

    assert after.price == Decimal("1.10")
    assert after.inner.tags == {"z"}


def test_a_model_replaces_the_state() -> None:
    assert merge(Everything, dump(FULL), Everything(name="new"), "node") == Everything(name="new")


def test_a_model_that_was_made_without_validation_is_validated() -> None:
    with pytest.raises(ValidationError):
        merge(Everything, dump(FULL), Everything.model_construct(count="many"), "node")


def test_none_leaves_the_state_as_it_was() -> None:
    assert merge(Everything, dump(FULL), None, "node") == FULL


@pytest.mark.parametrize("update", [7, "text", ["a"], (1, 2), True])
def test_anything_else_is_a_type_error_that_names_the_node(update: Any) -> None:
    with pytest.raises(TypeError, match="node 'a' returned"):
        merge(Everything, {}, update, "node 'a'")


def test_a_field_that_the_state_does_not_have_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="unknown field 'nmae'; did you mean 'name'"):
        merge(Everything, dump(Everything()), {"nmae": "a"}, "node 'a'")


def test_an_open_model_takes_new_fields_and_loses_them_on_replacement() -> None:
    after = merge(Open, {"known": 1}, {"more": 2}, "node")
    assert dump(after) == {"known": 1, "more": 2}

    patch, unset = difference(dump(after), dump(Open(known=3)))
    assert (patch, unset) == ({"known": 3}, ["more"])
    assert apply_patch(dump(after), patch, unset) == {"known": 3}


def test_a_bad_update_fails_with_pydantics_details() -> None:
    with pytest.raises(ValidationError, match="count"):
        merge(Everything, dump(Everything()), {"count": "many"}, "node")


def test_only_changed_fields_are_in_the_difference() -> None:
    assert difference({"a": 1, "b": [1], "c": True}, {"a": 1, "b": [1, 2], "c": 1}) == ({"b": [1, 2], "c": 1}, [])


STATES = st.dictionaries(st.sampled_from("abcde"), st.none() | st.booleans() | st.integers() | st.text(max_size=3))


@given(STATES, STATES)
def test_a_difference_leads_from_one_state_to_the_other(before: Any, after: Any) -> None:
    patch, unset = difference(before, after)

    result = apply_patch(before, patch, unset)

    assert [(k, type(result[k]), result[k]) for k in sorted(result)] == [
        (k, type(after[k]), after[k]) for k in sorted(after)
    ]
