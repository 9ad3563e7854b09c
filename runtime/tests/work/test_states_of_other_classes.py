"""A handler may return a state of another class only if nothing is lost with it."""

from __future__ import annotations

import functools
from typing import Any

import pytest
from pydantic import BaseModel, create_model
from visits import State, visited


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


Twin = create_model("Base", name=(str, ""))
"""The class that a module makes which is loaded again."""


@pytest.mark.parametrize(
    ("model", "update", "text"),
    [
        (State, Smaller(name="x"), "not a State: the state's 'count', 'inner', 'words' would be lost"),
        (Derived, Base(name="x"), "not a Derived: the state's 'count' would be lost"),
        (Derived, Further(name="x"), "not a Derived: its 'more' would be lost"),
        (Base, Twin(name="x"), "not a Base: it is another class of that name; its module may have been loaded twice"),
    ],
)
def test_a_model_of_another_class_is_refused_with_what_would_be_lost(model: Any, update: Any, text: str) -> None:
    with pytest.raises(TypeError, match=text):
        visited(model, {"name": "a"}, update)


def test_a_copy_of_the_state_with_a_misspelt_field_is_refused() -> None:
    with pytest.raises(TypeError, match="node 'a' returned a Base with the unknown field 'nmae'; did you mean 'name'"):
        visited(Base, {}, Base().model_copy(update={"nmae": "x"}))


class Remembering(BaseModel):
    """A state that has more than its fields, by its own doing."""

    name: str = ""

    @functools.cached_property
    def length(self) -> int:
        return len(self.name)

    def model_post_init(self, context: Any) -> None:
        self.__dict__["_seen"] = True


def test_what_a_state_remembers_by_itself_is_no_misspelt_field() -> None:
    state = Remembering(name="ab")

    assert state.length == 2
    assert visited(Remembering, {}, state).patch()[0]["name"] == "ab"


def test_a_subclass_that_adds_no_field_is_a_state() -> None:
    assert visited(Derived, {}, Same(name="x", count=2)).patch() == ({"name": "x", "count": 2}, [])
