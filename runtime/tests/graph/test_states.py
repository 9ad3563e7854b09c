"""Between any two nodes a state is converted to JSON and back, without any loss."""

from datetime import date, datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any
from uuid import UUID

import pytest
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    computed_field,
)

from azure_functions_durable_graph.graph.states import dump, load


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


class Sets(BaseModel):
    """A model in which no order is promised."""

    plain: set[str] = set()
    nested: dict[str, list[frozenset[int]]] = {}
    anything: Any = None


def test_unordered_values_have_one_order_in_every_process() -> None:
    words = [f"word{number}" for number in range(50)]

    state = Sets(plain=set(words), nested={"a": [frozenset({3, 1, 2})]}, anything={"s": {2, 1}})

    assert dump(state) == {"plain": sorted(words), "nested": {"a": [[1, 2, 3]]}, "anything": {"s": [1, 2]}}
