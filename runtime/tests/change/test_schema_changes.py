"""Whether values that were written under one schema can be read under the next: each case is a pair of real models."""

import json
from datetime import date
from enum import Enum
from typing import Annotated, Any, Literal, cast

import pytest
from pydantic import BaseModel, ConfigDict, Field, RootModel, create_model

from azure_functions_durable_graph.change.schema_changes import schema_changes
from azure_functions_durable_graph.graph.states import schema_of


class Inner(BaseModel):
    """A nested model."""

    x: int = 0


class Colour(str, Enum):
    """An enum of two."""

    RED = "red"
    BLUE = "blue"


MoreInner = create_model("Inner", x=(int, 0), y=(int, 0))
StrictInner = create_model("Inner", x=(int, 0), y=(int, ...))
MoreColour = Enum("Colour", {"RED": "red", "BLUE": "blue", "GREEN": "green"}, type=str)  # type: ignore[misc]
LessColour = Enum("Colour", {"RED": "red"}, type=str)  # type: ignore[misc]
ModelColour = create_model("Colour", x=(int, 0))

TYPES: list[tuple[Any, Any, bool, str]] = [
    # alternatives
    (int, int | None, True, "changed from integer to integer or null"),
    (int | None, int, False, "changed from integer or null to integer"),
    (int | str, str | int | None, True, "changed from integer or string to string or integer or null"),
    (int | str, int | float, False, "changed from integer or string to integer or number"),
    (int, str, False, "changed from integer to string"),
    (int, Any, True, "changed from integer to anything"),
    (Any, int, False, "changed from anything to integer"),
    # values
    (Literal["a", "b"], Literal["a", "b", "c"], True, "changed from one of 'a', 'b' to one of 'a', 'b', 'c'"),
    (Literal["a", "b", "c"], Literal["a", "b"], False, "changed from one of 'a', 'b', 'c' to one of 'a', 'b'"),
    (Literal["a"], Literal["a", "b"], True, "changed from one of 'a' to one of 'a', 'b'"),
    (Literal["a", "b"], Literal["a"], False, "changed from one of 'a', 'b' to one of 'a'"),
    (Literal["a"], Literal["b"], False, "changed from one of 'a' to one of 'b'"),
    (Literal["a"] | None, Literal["a", "b"] | None, True, "changed from one of 'a' or null to one of 'a', 'b' or null"),
    (
        Literal["a", "b"] | None,
        Literal["a"] | None,
        False,
        "changed from one of 'a', 'b' or null to one of 'a' or null",
    ),
    (Literal["a", "b"], str, True, "changed from one of 'a', 'b' to string"),
    (str, Literal["a", "b"], False, "changed from string to one of 'a', 'b'"),
    (Literal[1], Literal[True], False, "changed from one of 1 to one of True"),
    # conditions
    (int, Annotated[int, Field(ge=0)], False, "changed from integer to integer (minimum 0)"),
    (Annotated[int, Field(ge=0)], int, True, "changed from integer (minimum 0) to integer"),
    (Annotated[int, Field(ge=0)], Annotated[int, Field(ge=5)], False, "(minimum 0) to integer (minimum 5)"),
    (Annotated[int, Field(ge=0, le=9)], Annotated[int, Field(ge=0)], True, "(maximum 9, minimum 0) to"),
    (int | float, Annotated[int | float, Field(ge=3)], False, "changed from integer or number to integer or number"),
    (Annotated[int | float, Field(ge=3)], int | float, True, "changed from integer or number to integer or number"),
    (date, str, True, "changed from date to string"),
    (str, date, False, "changed from string to date"),
    (list[int], list[str], False, "changed from array of integer to array of string"),
    (list[int], list[Any], False, "changed from array of integer to array"),  # items are compared as a whole
    (dict[str, int], dict[str, str], False, "changed from object to object"),
    # models and enums that a field refers to
    (Inner, Colour, False, "changed from Inner to Colour"),
    (Inner, Inner | None, True, "changed from Inner to Inner or null"),
]


def changes(before: Any, after: Any) -> list[tuple[str, str, bool]]:
    """The changes between two models of one name."""
    found = schema_changes(schema_of(before), schema_of(after), "state")
    return [(change.path, change.text, change.readable) for change in found]


def state(kind: Any, default: Any = ...) -> type[BaseModel]:
    return create_model("State", v=(kind, default))


@pytest.mark.parametrize(("before", "after", "readable", "text"), TYPES)
def test_a_type_may_widen_and_not_narrow(before: Any, after: Any, readable: bool, text: str) -> None:
    ((path, words, can_be_read),) = changes(state(before), state(after))

    assert (path, can_be_read) == ("state.v", readable)
    assert text in words


@pytest.mark.parametrize(("before", "after", "readable", "text"), TYPES)
def test_the_answer_is_what_pydantic_does(before: Any, after: Any, readable: bool, text: str) -> None:
    """Of a change that is called readable, every sample that the old model takes is taken by the new one."""
    old, new = state(before), state(after)
    samples = [0, 1, 3, 7, 1.5, True, "a", "b", "c", "red", "2030-01-01", None, [1], ["a"], {"k": 1}, {"x": 1}]

    for sample in samples if readable else ():
        try:
            value = old.model_validate_json(f'{{"v": {json.dumps(sample)}}}').model_dump_json()
        except ValueError:
            continue
        new.model_validate_json(value)


@pytest.mark.parametrize(
    ("before", "after", "path", "readable", "text"),
    [
        (Inner, MoreInner, "state(Inner).y", True, "is new, with a default"),
        (MoreInner, Inner, "state(Inner).y", False, "was removed"),
        (Inner, StrictInner, "state(Inner).y", False, "is new and required"),
        (
            Colour,
            MoreColour,
            "state(Colour)",
            True,
            "changed from one of 'red', 'blue' to one of 'red', 'blue', 'green'",
        ),
        (
            MoreColour,
            Colour,
            "state(Colour)",
            False,
            "changed from one of 'red', 'blue', 'green' to one of 'red', 'blue'",
        ),
        (Colour, LessColour, "state(Colour)", False, "changed from one of 'red', 'blue' to one of 'red'"),
        (Colour, ModelColour, "state(Colour)", False, "changed from one of 'red', 'blue' to object"),
    ],
)
def test_a_model_that_a_field_refers_to_is_compared_by_its_name(
    before: Any, after: Any, path: str, readable: bool, text: str
) -> None:
    assert changes(state(before), state(after)) == [(path, text, readable)]


def test_fields_are_named_one_by_one() -> None:
    before = create_model("State", a=(int, ...), b=(int, 0), c=(int, 0))
    after = create_model("State", b=(int, ...), c=(int, 1), d=(int, 0), e=(int, ...))

    assert changes(before, after) == [
        ("state.a", "was removed", False),
        ("state.d", "is new, with a default", True),
        ("state.e", "is new and required", False),
        ("state.b", "now has the default None", True),
        ("state.b", "is now required", False),
        ("state.c", "now has the default 1", True),
    ]


def test_a_field_that_gets_a_default_of_none_has_changed_too() -> None:
    assert changes(state(int | None), state(int | None, None)) == [("state.v", "now has the default None", True)]


@pytest.mark.parametrize(
    ("before", "after", "readable", "text"),
    [
        ("ignore", "forbid", False, "no longer accepts additional fields"),
        ("allow", "forbid", False, "no longer accepts additional fields"),
        ("forbid", "ignore", True, "has a different rule for additional fields"),
        ("forbid", int, True, "has a different rule for additional fields"),
        ("allow", int, False, "has a different rule for additional fields"),
        (int, "allow", True, "has a different rule for additional fields"),
        (int, int | None, True, "has a different rule for additional fields"),
        (int | None, int, False, "has a different rule for additional fields"),
    ],
)
def test_fields_beside_the_declared_ones(before: Any, after: Any, readable: bool, text: str) -> None:
    assert changes(open_to(before), open_to(after)) == [("state", text, readable)]


def open_to(extra: Any) -> type[BaseModel]:
    """A model with this rule for further fields, or with further fields of this type."""
    if isinstance(extra, str):
        return create_model("State", __config__=cast(ConfigDict, {"extra": extra}))
    fields = {"__pydantic_extra__": dict[str, extra]}
    members = {"__annotations__": fields, "model_config": {"extra": "allow"}, "__module__": __name__}
    return type("State", (BaseModel,), members)


def test_a_payload_that_is_one_value_is_compared_as_one() -> None:
    listed, more = RootModel[list[Inner]], RootModel[list[MoreInner]]  # type: ignore[valid-type]

    assert changes(RootModel[int], RootModel[int | None]) == [
        ("state", "changed from integer to integer or null", True)
    ]
    assert changes(listed, more) == [("state(Inner).y", "is new, with a default", True)]
    assert changes(RootModel[int], state(int)) == [("state", "changed from integer to object (required ['v'])", False)]


@pytest.mark.parametrize("kind", [int, str | None, Literal["a"], list[Inner], Colour, dict[str, Inner]])
def test_the_same_schema_has_no_changes(kind: Any) -> None:
    assert changes(state(kind), state(kind)) == []
