"""What a map can run over: anything that is a list in JSON; the rest is refused by build(), or fails the map."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field, RootModel, field_validator, model_validator

from azure_functions_durable_graph import GraphBuildError, ManifestBuilder, NodeContext
from azure_functions_durable_graph.testing import run_graph


class One(BaseModel):
    """A thing."""

    size: int = 0


class Many(BaseModel):
    """Lists of several kinds."""

    tags: set[str] = {"b", "a"}
    pair: tuple[int, ...] = (1, 2)
    anything: Any = None
    rooted: RootModel[list[int]] = RootModel[list[int]]([1])
    two: list[int] = Field([1, 2], min_length=2)
    named: dict[str, One] = {"x": One(size=1), "y": One(size=2)}
    perhaps: list[int] | None = None
    one: One = One()
    number: int = 0
    mixed: tuple[int, str] = (1, "a")
    found: list[Any] = []
    seen: str = ""


def remember(state: Many, context: NodeContext) -> dict[str, Any]:
    assert context.error is not None
    return {"seen": context.error["message"]}


def over(field: str) -> ManifestBuilder[Many]:
    builder = ManifestBuilder("g", Many).set_entrypoint("m")
    builder.add_map("m", lambda state, item: item, over=field, into="found", on_error="mend")
    return builder.add_node("mend", remember, terminal=True)


@pytest.mark.parametrize(("field", "found"), [("tags", ["a", "b"]), ("pair", [1, 2])])
def test_a_set_and_a_tuple_are_lists_of_items(field: str, found: list[Any]) -> None:
    assert run_graph(over(field).build(), {}).state.found == found


def test_the_items_of_a_dict_are_pairs_of_key_and_value() -> None:
    def handler(state: Many, item: tuple[str, One]) -> str:
        key, one = item
        assert state.named == {key: one}
        return f"{key}{one.size}"

    builder = ManifestBuilder("g", Many).set_entrypoint("m").add_map("m", handler, over="named", into="found")

    assert run_graph(builder.build(), {}).state.found == ["x1", "y2"]


def test_none_is_an_empty_list() -> None:
    assert run_graph(over("perhaps").build(), {"found": [1]}).state.found == []


def test_rules_about_the_whole_list_or_the_whole_state_do_not_hold_for_the_state_of_one_item() -> None:
    class Strict(BaseModel):
        two: Annotated[list[int], Field(min_length=2)] = [1, 2, 3]
        total: int = 6
        found: list[int] = []
        when: datetime = datetime(2030, 1, 1, tzinfo=timezone.utc)

        @model_validator(mode="after")
        def add_up(self) -> Strict:
            if sum(self.two) != self.total:
                raise ValueError("the total is wrong")
            return self

        @field_validator("two")
        @classmethod
        def distinct(cls, two: list[int]) -> list[int]:
            assert len(set(two)) >= 2
            return two

    def handler(state: Strict, item: int) -> int:
        assert (state.two, state.total, state.when.year) == ([item], 6, 2030)
        return item * 2

    builder = ManifestBuilder("g", Strict).set_entrypoint("m").add_map("m", handler, over="two", into="found")

    assert run_graph(builder.build(), {}).state.found == [2, 4, 6]


@pytest.mark.parametrize("value", [5, True, "text"], ids=repr)
def test_a_value_that_is_not_a_list_fails_the_map_like_any_failure(value: Any) -> None:
    run = run_graph(over("anything").build(), {"anything": value})

    assert run.status == "completed"
    kind = type(value).__name__
    assert run.state.seen == f"the field 'anything' holds a value of type {kind}, not a list of items"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("rooted", "over names 'rooted', which is a RootModel[list[int]]"),
        ("one", "over names 'one', which is of type 'model', not a list"),
        ("number", "over names 'number', which is of type 'integer', not a list"),
        ("mixed", "over names 'mixed', a tuple with a type for each item"),
    ],
)
def test_what_is_not_a_collection_of_items_does_not_build(field: str, text: str) -> None:
    with pytest.raises(GraphBuildError) as caught:
        over(field).build()

    assert text in str(caught.value)
