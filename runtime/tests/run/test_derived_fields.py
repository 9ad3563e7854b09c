"""A field that validation computes from others is up to date after a merge, and never counts as written."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel, ValidationInfo, field_validator, model_validator

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.testing import GraphRun, run_graph


class Sum(BaseModel):
    x: int = 0
    y: int = 0
    total: int = 0
    seen: int = 0

    @model_validator(mode="after")
    def add(self) -> Sum:
        self.total = self.x + self.y
        return self


class Derived(BaseModel):
    x: int = 0
    y: int = 0
    total: int = 0
    seen: int = 0

    @field_validator("total", mode="before")
    @classmethod
    def add(cls, value: Any, info: ValidationInfo) -> int:
        return int(info.data["x"] + info.data["y"])


class Shouting(BaseModel):
    """Its validator is not idempotent: each validation appends to the text."""

    text: str = "t"
    other: str = "o"
    total: int = 0

    @field_validator("text", "other")
    @classmethod
    def shout(cls, value: str) -> str:
        return value + "!"


def branches(model: type[BaseModel], first: Any, second: Any, *, steps: bool = False) -> GraphRun:
    """Two branches that write; with `steps` they are chains, and so runs of their own."""
    builder = ManifestBuilder("g", model).set_entrypoint("p")
    builder.add_parallel("p", branches=["a", "b"], next_node="look")
    for name, update in (("a", first), ("b", second)):
        builder.add_node(name, lambda state, update=update: update, next_node=f"{name}2" if steps else None)
        if steps:
            builder.add_node(f"{name}2", lambda state: None)
    look = "seen" in model.model_fields
    builder.add_node("look", lambda state: {"seen": state.total} if look else None, terminal=True)
    return run_graph(builder.build(), {})


@pytest.mark.parametrize("model", [Sum, Derived])
def test_branches_that_write_what_a_field_depends_on_do_not_conflict(model: type[BaseModel]) -> None:
    run = branches(model, {"x": 1}, {"y": 2})

    assert run.status == "completed", run.error
    assert run.state == model(x=1, y=2, total=3, seen=3)


@pytest.mark.parametrize("steps", [False, True], ids=["tasks", "chains"])
@pytest.mark.parametrize("model", [Sum, Derived])
def test_a_merge_shows_what_branches_wrote_and_what_it_computed(model: type[BaseModel], steps: bool) -> None:
    run = branches(model, {"x": 1}, {"y": 2}, steps=steps)

    (merged,) = (step for step in run.steps if step["node"] == "p")
    assert merged["patch"] == {"x": 1, "y": 2, "total": 3}


def test_branches_that_write_the_same_field_still_conflict() -> None:
    run = branches(Sum, {"total": 1}, {"total": 2})

    assert run.error is not None
    assert (run.error["type"], "'total'" in run.error["message"]) == ("MergeConflict", True)


def test_a_field_keeps_the_value_that_its_branch_was_validated_with() -> None:
    alone = (
        ManifestBuilder("g", Shouting)
        .set_entrypoint("a")
        .add_node("a", lambda state: {"text": "a"}, terminal=True)
        .build()
    )

    run = branches(Shouting, {"text": "a"}, {"total": 1})

    assert run.view["state"]["text"] == run_graph(alone, {}).view["state"]["text"]
    assert run.view["state"]["other"] == "o"
