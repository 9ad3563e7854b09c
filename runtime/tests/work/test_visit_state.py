"""What a handler returns is merged by one set of rules, and the patch is what the handler changed."""

import functools
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator
from visits import Inner, State, visited

from azure_functions_durable_graph.graph.states import apply_patch, dump
from azure_functions_durable_graph.work.visit_state import VisitState


class Open(BaseModel):
    """A model that takes any field."""

    model_config = ConfigDict(extra="allow")
    known: int = 0


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
