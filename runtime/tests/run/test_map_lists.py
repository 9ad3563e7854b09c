"""What a map can run over: anything that is a list in JSON; the rest is refused by build(), or fails the map."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field, RootModel

from azure_functions_durable_graph import GraphBuildError, ManifestBuilder, NodeContext
from azure_functions_durable_graph.testing import run_graph


class Many(BaseModel):
    """Lists of several kinds."""

    tags: set[str] = {"b", "a"}
    pair: tuple[int, ...] = (1, 2)
    anything: Any = None
    rooted: RootModel[list[int]] = RootModel[list[int]]([1])
    two: list[int] = Field([1, 2], min_length=2)
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


@pytest.mark.parametrize("value", [5, True, "text", {"a": 1}], ids=repr)
def test_a_value_that_is_not_a_list_fails_the_map_like_any_failure(value: Any) -> None:
    run = run_graph(over("anything").build(), {"anything": value})

    assert run.status == "completed"
    kind = type(value).__name__
    assert run.state.seen == f"the field 'anything' holds a value of type {kind}, not a list of items"


def test_a_model_around_a_list_is_not_a_list() -> None:
    run = run_graph(over("rooted").build(), {})

    assert "the field 'rooted' holds a RootModel[list[int]], not a list" in run.state.seen


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("two", "over names 'two', which needs at least 2 items, but each call sees its own item alone"),
        ("mixed", "over names 'mixed', a tuple whose items have types of their own"),
    ],
)
def test_a_list_that_cannot_hold_one_item_does_not_build(field: str, text: str) -> None:
    with pytest.raises(GraphBuildError) as caught:
        over(field).build()

    assert text in str(caught.value)
