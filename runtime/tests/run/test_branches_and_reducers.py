"""What branches write into fields with a reducer obeys the rules of a task, and fails where it was written."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import datetime
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, ConfigDict, Field
from watching import record

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.testing import GraphHost, GraphRun, run_graph


class Shape(BaseModel):
    """A base class."""

    name: str = ""


class Circle(Shape):
    """Has a field that Shape has not."""

    radius: int = 0


def append(old: list[Any], new: Any) -> list[Any]:
    return [*old, new]


def append_named(old: list[Shape], new: Shape) -> list[Shape]:
    return [*old, Shape(name=new.name)]


def append_short(old: list[int], new: list[int]) -> list[int]:
    if len(old) + len(new) > 2:
        raise ValueError("too many together")
    return old + new


class State(BaseModel):
    """Fields with reducers of several kinds."""

    model_config = ConfigDict(strict=True)

    notes: Annotated[list[int], operator.add] = []
    shapes: Annotated[list[Shape], operator.add] = []
    times: Annotated[list[datetime], append] = []
    named: Annotated[list[Shape], append_named] = []
    anything: Annotated[list[Any], operator.add] = []
    short: Annotated[list[int], append_short] = []
    few: Annotated[list[int], operator.add, Field(max_length=2)] = []


Handler = Callable[[State], dict[str, Any]]


def as_task(*handlers: Handler) -> ManifestBuilder[State]:
    (handler,) = handlers
    return ManifestBuilder("g", State).set_entrypoint("p").add_node("p", handler, terminal=True)


def as_branches(*handlers: Handler, **options: Any) -> ManifestBuilder[State]:
    names = [f"b{number}" for number in range(len(handlers))]
    builder = ManifestBuilder("g", State).set_entrypoint("p").add_parallel("p", names, next_node="end", **options)
    for name, handler in zip(names, handlers, strict=True):
        builder.add_node(name, handler)
    return builder.add_node("end", lambda state: None, terminal=True)


def writing(**update: Any) -> Handler:
    return lambda state: update


def error_of(run: GraphRun) -> tuple[str, str]:
    assert run.error is not None, run.state
    return run.error["type"], run.error["node"]


@pytest.mark.parametrize("build", [as_task, as_branches])
def test_the_reducer_of_a_branch_is_given_what_the_reducer_of_a_task_is_given(build: Any) -> None:
    now = datetime(2030, 1, 1)

    assert run_graph(build(writing(times=now)).build(), {}).state.times == [now]
    assert run_graph(build(writing(named=Shape(name="a"))).build(), {}).state.named == [Shape(name="a")]


@pytest.mark.parametrize("build", [as_task, as_branches])
def test_an_update_that_would_lose_a_field_is_refused(build: Any) -> None:
    run = run_graph(build(writing(shapes=[Circle(radius=3)])).build(), {})

    assert error_of(run) == ("PayloadError", "p")
    assert "is a Circle, whose 'radius' would be lost" in run.error["message"]  # type: ignore[index]


@pytest.mark.parametrize("build", [as_task, as_branches])
@pytest.mark.parametrize(
    "value",
    [object(), b"\xff", {"\ud800": 1}, 10**5000, float("nan")],
    ids=["object", "bytes", "surrogate", "int", "nan"],
)
def test_an_update_without_a_json_form_is_a_payload_error(build: Any, value: Any) -> None:
    assert error_of(run_graph(build(writing(anything=[value])).build(), {})) == ("PayloadError", "p")


@pytest.mark.parametrize(
    "handlers",
    [
        [writing(notes=["text"])],
        [writing(notes=5)],
        [writing(short=[1, 2]), writing(short=[3])],
        [writing(few=[1, 2]), writing(few=[3])],
    ],
    ids=["item of the wrong type", "not a list", "the reducer raises", "too many together"],
)
def test_updates_that_cannot_be_reduced_fail_the_parallel_and_not_the_node_after_it(handlers: list[Handler]) -> None:
    run = run_graph(as_branches(*handlers).build(), {})
    assert error_of(run)[1] == "p"

    mended = as_branches(*handlers, on_error="mend").add_node("mend", lambda state: None, terminal=True)
    assert run_graph(mended.build(), {}).path[-2:] == ["p", "mend"]


def test_lists_that_are_appended_still_cost_no_activity_of_their_own() -> None:
    host = GraphHost(as_branches(writing(notes=[1]), writing(notes=[2])).build())
    seen = record(host)

    assert host.start("g", {}).state.notes == [1, 2]
    assert seen.nodes == ["b0", "b1", "end"]


def test_a_map_result_without_a_json_form_is_a_payload_error() -> None:
    class Items(BaseModel):
        items: list[int] = [1]
        found: list[Any] = []

    builder = ManifestBuilder("g", Items).set_entrypoint("m")
    builder.add_map("m", lambda state, item: object(), over="items", into="found", next_node="end")
    run = run_graph(builder.add_node("end", lambda state: None, terminal=True).build(), {})

    assert error_of(run) == ("PayloadError", "m")
