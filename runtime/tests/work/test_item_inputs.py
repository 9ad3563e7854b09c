"""The input of the run for one item of a map, as the map's `input` says."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, Field

from azure_functions_durable_graph.errors import PayloadError
from azure_functions_durable_graph.work.item_inputs import item_input


class Review(BaseModel):
    language: str = "en"
    rules: list[str] = Field(default_factory=lambda: ["be brief"])


def test_a_field_that_the_state_does_not_have_yet_has_its_default() -> None:
    """A run in flight may be older than the field."""
    table = {"tongue": "language", "hints": "rules", "text": "__item__"}

    assert item_input(table, {}, "t", Review) == {"tongue": "en", "hints": ["be brief"], "text": "t"}
    assert item_input(table, {"language": "de"}, "t", Review)["tongue"] == "de"


def test_without_a_table_the_item_is_the_input() -> None:
    assert item_input(None, {}, {"text": "t"}, Review) == {"text": "t"}


@pytest.mark.parametrize("item", ["t", 3, None, ["t"]])
def test_an_item_that_is_no_object_needs_a_table(item: Any) -> None:
    with pytest.raises(PayloadError, match="not an object: name the field for it with input="):
        item_input(None, {}, item, Review)
