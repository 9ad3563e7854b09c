"""A field with a reducer is reduced in every node, however the reducer is declared."""

import functools
import operator
from typing import Annotated, Any, Optional

import pytest
from pydantic import AliasChoices, BaseModel, Field, ValidationError
from visits import visited

from azure_functions_durable_graph.graph.reducers import ReducerFailed, reducers_of
from azure_functions_durable_graph.work.visit_state import VisitState


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
