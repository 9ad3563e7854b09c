"""Where a field may declare its reducer: wherever its annotation has metadata."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, create_model
from typing_extensions import TypeAliasType

from azure_functions_durable_graph.graph.reducers import reducer_names, reducers_of

APPENDED = Annotated[list[int], operator.add]
NOTES = TypeAliasType("NOTES", APPENDED)
NOTES_AGAIN = TypeAliasType("NOTES_AGAIN", NOTES)


def state_of(annotation: Any) -> type[BaseModel]:
    return create_model("State", notes=(annotation, None))


@pytest.mark.parametrize(
    "annotation",
    [
        APPENDED,
        APPENDED | None,
        APPENDED | str | None,
        NOTES,
        NOTES_AGAIN,
        NOTES | None,
        TypeAliasType("MAYBE", APPENDED | None),  # type: ignore[misc,unused-ignore]
    ],
    ids=["field", "optional", "union", "alias", "alias of an alias", "optional alias", "alias of an optional"],
)
def test_a_reducer_is_found_wherever_the_annotation_has_it(annotation: Any) -> None:
    assert reducer_names(state_of(annotation)) == {"notes": "add"}


def test_a_list_whose_items_have_metadata_has_no_reducer() -> None:
    assert reducers_of(state_of(list[Annotated[int, operator.add]])) == {}
