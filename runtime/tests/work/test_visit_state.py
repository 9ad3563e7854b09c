"""What a handler returns is merged by one set of rules, and the patch is what the handler changed."""

import functools
import operator
from collections.abc import Mapping
from typing import Annotated, Any, Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from azure_functions_durable_graph.graph.reducers import ReducerFailed, reducers_of
from azure_functions_durable_graph.graph.states import apply_patch, dump
from azure_functions_durable_graph.work.visit_state import VisitState


class Inner(BaseModel):
    """A nested model."""

    tags: set[str] = set()
    size: int = 0


class State(BaseModel):
    """A state with plain fields."""

    name: str = ""
    count: int = 0
    inner: Inner = Inner()
    words: set[str] = set()


class Open(BaseModel):
    """A model that takes any field."""

    model_config = ConfigDict(extra="allow")
    known: int = 0


def visited(model: Any, before: Mapping[str, Any], update: Any, who: str = "node 'a'") -> VisitState[Any]:
    state = VisitState(model, before)
    state.apply(update, who)
    return state


def test_a_dict_is_merged_shallowly() -> None:
    before = dump(State(name="a", inner=Inner(tags={"x"}, size=3)))

    assert visited(State, before, {"inner": {"size": 1}}).value == State(name="a", inner=Inner(size=1))


def test_a_dict_may_hold_python_values() -> None:
    assert visited(State, {}, {"inner": Inner(tags={"z"})}).value.inner.tags == {"z"}


def test_a_model_replaces_the_state() -> None:
    assert visited(State, {"name": "old", "count": 3}, State(name="new")).value == State(name="new")


def test_a_model_that_was_made_without_validation_is_validated() -> None:
    with pytest.raises(ValidationError):
        visited(State, {}, State.model_construct(count="many"))


def test_none_leaves_the_state_as_it_was() -> None:
    state = visited(State, {"name": "a"}, None)

    assert (state.value, state.patch()) == (State(name="a"), ({}, []))


@pytest.mark.parametrize("update", [7, "text", ["a"], (1, 2), True])
def test_anything_else_is_a_type_error_that_names_the_node(update: Any) -> None:
    with pytest.raises(TypeError, match="node 'a' returned"):
        visited(State, {}, update)


def test_a_field_that_the_state_does_not_have_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="unknown field 'nmae'; did you mean 'name'"):
        visited(State, {}, {"nmae": "a"})


def test_a_forgotten_await_is_named() -> None:
    async def fetch() -> str:
        return "x"

    with pytest.raises(TypeError, match="returned a coroutine as 'name'; did you forget `await`"):
        visited(State, {}, {"name": fetch()})


def test_an_open_model_takes_new_fields_and_loses_them_on_replacement() -> None:
    before = visited(Open, {"known": 1}, {"more": 2}).fields
    assert before == {"known": 1, "more": 2}

    patch, unset = visited(Open, before, Open(known=3)).patch()
    assert (patch, unset) == ({"known": 3}, ["more"])
    assert apply_patch(before, patch, unset) == {"known": 3}


def test_a_bad_update_fails_with_pydantics_details() -> None:
    with pytest.raises(ValidationError, match="count"):
        visited(State, {}, {"count": "many"})


class Closed(BaseModel):
    """A model that takes no other field, and remembers a property."""

    model_config = ConfigDict(extra="forbid")
    count: int = 1

    @functools.cached_property
    def twice(self) -> int:
        return 2 * self.count


def test_a_cached_property_that_was_read_is_not_taken_for_a_field() -> None:
    state = VisitState(Closed, {"count": 2})
    assert state.value.twice == 4

    state.apply({"count": 3}, "node 'a'")
    state.apply(Closed(count=4), "node 'a'")

    assert state.patch() == ({"count": 4}, [])


# --- what a patch holds ---------------------------------------------------------------------------------------------


def test_what_the_handler_returned_is_in_the_patch_and_nothing_else() -> None:
    assert visited(State, {"name": "a", "count": 1}, {"count": 1}).patch() == ({"count": 1}, [])


def test_a_set_that_another_process_wrote_in_another_order_does_not_count_as_written() -> None:
    before = {"words": ["b", "c", "a"], "inner": {"tags": ["y", "x"], "size": 0}}

    assert visited(State, before, {"name": "n"}).patch() == ({"name": "n"}, [])


def test_a_field_that_is_new_in_the_model_does_not_count_as_written() -> None:
    assert visited(State, {"name": "a"}, {"name": "b"}).patch() == ({"name": "b"}, [])


def test_a_model_that_is_returned_counts_by_what_it_changed() -> None:
    assert visited(State, {"name": "a", "count": 1}, State(name="a", count=2)).patch() == ({"count": 2}, [])


class Totals(BaseModel):
    """Validation computes a field."""

    prices: list[int] = []
    total: int = 0

    @model_validator(mode="after")
    def add_up(self) -> "Totals":
        self.total = sum(self.prices)
        return self


def test_what_validation_changed_is_in_the_patch_too() -> None:
    assert visited(Totals, {"prices": [1], "total": 1}, {"prices": [1, 2]}).patch() == (
        {"prices": [1, 2], "total": 3},
        [],
    )


class Loud(BaseModel):
    """A validator that gives another value each time."""

    name: str = ""
    count: int = 0

    @field_validator("name")
    @classmethod
    def shout(cls, value: str) -> str:
        return value + "!"


def test_a_field_that_nobody_wrote_stays_as_it_was_whatever_its_validator_does() -> None:
    assert visited(Loud, {"name": "a", "count": 0}, {"count": 1}).patch() == ({"count": 1}, [])


def test_a_merge_validates_once() -> None:
    seen: list[str] = []

    class Watched(BaseModel):
        name: str = ""

        @field_validator("name")
        @classmethod
        def watch(cls, value: str) -> str:
            seen.append(value)
            return value

    state = VisitState(Watched, {"name": "a"})
    seen.clear()
    state.apply({"name": "b"}, "node 'a'")

    assert seen.count("b") == 1


def test_changes_in_place_are_told_and_taken_back() -> None:
    state = VisitState(State, {"words": ["a"], "name": "n"})
    state.value.words.add("b")
    state.value.inner.tags.add("t")

    assert state.apply({"name": "m"}, "node 'a'") == ["inner", "words"]
    assert state.value == State(words={"a"}, name="m")
    assert state.patch() == ({"name": "m"}, [])


def test_a_state_that_was_changed_in_place_and_returned_replaces_the_state() -> None:
    state = VisitState(State, {"name": "n"})
    state.value.words.add("b")

    assert state.apply(state.value, "node 'a'") == []
    assert state.patch() == ({"words": ["b"]}, [])


STATES = st.dictionaries(st.sampled_from("abcde"), st.none() | st.booleans() | st.integers() | st.text(max_size=3))


@given(STATES, STATES)
def test_a_patch_leads_from_one_state_to_the_other(before: Any, after: Any) -> None:
    before = {"known": 0, **before}
    state = visited(Open, before, Open(**after))

    result = apply_patch(before, *state.patch())

    assert {key: (type(value), value) for key, value in result.items()} == {
        key: (type(value), value) for key, value in {"known": 0, **after}.items()
    }


# --- models of other classes ----------------------------------------------------------------------------------------


class Smaller(BaseModel):
    """Another class, with fewer fields."""

    name: str = ""


class Base(BaseModel):
    """A superclass of a state."""

    name: str = ""


class Derived(Base):
    """A state that has a superclass."""

    count: int = 0


class Further(Derived):
    """A subclass with a field of its own."""

    more: int = 0


class Same(Derived):
    """A subclass with the same fields."""


@pytest.mark.parametrize(
    ("model", "update", "text"),
    [
        (State, Smaller(name="x"), "not a State: the state's 'count', 'inner', 'words' would be lost"),
        (Derived, Base(name="x"), "not a Derived: the state's 'count' would be lost"),
        (Derived, Further(name="x"), "not a Derived: its 'more' would be lost"),
    ],
)
def test_a_model_of_another_class_is_refused_with_what_would_be_lost(model: Any, update: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        visited(model, {"name": "a"}, update)


def test_a_subclass_that_adds_no_field_is_a_state() -> None:
    assert visited(Derived, {}, Same(name="x", count=2)).patch() == ({"name": "x", "count": 2}, [])


# --- reducers -------------------------------------------------------------------------------------------------------


class Adder:
    """A callable object."""

    def __call__(self, old: list[str], new: list[str]) -> list[str]:
        return [*old, *new]


def joined(glue: str, old: str, new: str) -> str:
    return f"{old}{glue}{new}"


class Reduced(BaseModel):
    """Every way to declare a reducer."""

    plain: Annotated[list[str], operator.add] = []
    partial: Annotated[str, functools.partial(joined, "-")] = "a"
    called: Annotated[list[str], Adder()] = []
    optional: Optional[Annotated[list[str], operator.add]] = None  # noqa: UP045 - one of the ways
    aliased: Annotated[list[str], operator.add] = Field(default=[], alias="aLiased")
    chosen: Annotated[list[str], operator.add] = Field(default=[], validation_alias=AliasChoices("one", "two"))
    limited: Annotated[list[str], Field(max_length=2), operator.add] = []
    free: Annotated[list[str], Field(description="no reducer")] = []


def test_every_reducer_that_is_declared_is_found() -> None:
    assert set(reducers_of(Reduced)) == set(Reduced.model_fields) - {"free"}


@pytest.mark.parametrize(
    ("field", "key", "update", "after"),
    [
        ("plain", "plain", ["b"], ["a", "b"]),
        ("partial", "partial", "b", "a-b"),
        ("called", "called", ["b"], ["a", "b"]),
        ("optional", "optional", ["b"], ["a", "b"]),
        ("aliased", "aLiased", ["b"], ["a", "b"]),
        ("aliased", "aliased", ["b"], ["a", "b"]),
        ("chosen", "two", ["b"], ["a", "b"]),
        ("free", "free", ["b"], ["b"]),
    ],
)
def test_a_field_with_a_reducer_is_reduced_whatever_the_key(field: str, key: str, update: Any, after: Any) -> None:
    before = {"partial": "a", **{name: ["a"] for name in Reduced.model_fields if name != "partial"}}

    assert visited(Reduced, before, {key: update}).fields[field] == after


def test_where_there_is_no_value_yet_the_update_becomes_it() -> None:
    assert visited(Reduced, {"optional": None}, {"optional": ["b"]}).fields["optional"] == ["b"]


def test_what_a_reducer_gives_is_validated() -> None:
    with pytest.raises(ValidationError, match="limited"):
        visited(Reduced, {"limited": ["a", "b"]}, {"limited": ["c"]})


def test_whatever_a_reducer_ends_with_is_one_exception_that_names_the_field() -> None:
    def leave(old: Any, new: Any) -> Any:
        raise SystemExit(3)

    class Leaving(BaseModel):
        notes: Annotated[list[str], leave] = []

    with pytest.raises(ReducerFailed) as caught:
        visited(Leaving, {"notes": ["a"]}, {"notes": ["b"]})

    assert (caught.value.field, type(caught.value.error)) == ("notes", SystemExit)


def test_an_update_that_has_crossed_the_boundary_follows_the_same_rules() -> None:
    state = VisitState(Reduced, {"plain": ["a"], "free": ["x"]})
    state.apply_json({"plain": ["b"], "free": ["y"]})

    assert state.patch() == ({"plain": ["a", "b"], "free": ["y"]}, [])
