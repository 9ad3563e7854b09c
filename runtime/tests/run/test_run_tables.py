"""How each kind of node runs and how each action moves a run on: no kind and no action without a row."""

from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from shapes import Counter, increment

from azure_functions_durable_graph import ManifestBuilder, RouteAction, RouteDecision
from azure_functions_durable_graph.graph.nodes import KINDS
from azure_functions_durable_graph.run.orchestrator import NODE_RUNNERS, TRANSITIONS
from azure_functions_durable_graph.testing import GraphHost


class Items(BaseModel):
    """A state with a list."""

    value: int = 0
    said: list[str] = []
    items: list[int] = [1, 2, 3]
    found: list[int] = []


def child() -> ManifestBuilder:
    return ManifestBuilder("child", Counter).set_entrypoint("n").add_node("n", increment, terminal=True)


def declare(builder: ManifestBuilder, kind: str) -> None:
    """A node of each kind, called `it`."""
    if kind == "task":
        builder.add_node("it", increment, next_node="end")
    elif kind == "parallel":
        builder.add_parallel("it", branches=["a", "b"], next_node="end")
        builder.add_node("a", increment).add_node("b", lambda state: None)
    elif kind == "map":
        builder.add_map("it", lambda state, item: item, over="items", into="found", next_node="end")
    elif kind == "subgraph":
        builder.add_subgraph("it", graph="child", output={"value": "value"}, next_node="end")
    elif kind == "wait":
        builder.add_wait("it", duration=timedelta(minutes=1), next_node="end")


RUNS: dict[str, tuple[list[str], int, dict[str, Any], int]] = {
    "task": (["ask", "it", "end"], 3, {"value": 1}, 0),
    "parallel": (["ask", "a", "b", "it", "end"], 4, {"value": 1}, 1),
    "map": (["ask", "it", "end"], 5, {"found": [1, 2, 3]}, 1),
    "subgraph": (["ask", "it", "end"], 4, {"value": 1}, 0),
    "wait": (["ask", "it", "end"], 2, {}, 1),
}
"""Kind -> the path, the activities, what is in the state then, and what an event right before it costs in addition."""


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("event", [False, True], ids=["plain", "after an event"])
def test_a_node_of_each_kind_runs_in_its_way(kind: str, event: bool) -> None:
    path, activities, state, more = RUNS[kind]
    wait = RouteDecision.wait_for_event(event_name="go", resume_node="it")
    builder = ManifestBuilder("g", Items).set_entrypoint("ask")
    builder.add_node("ask", lambda state: None, route=lambda state: wait if event else "it", targets=["it"])
    declare(builder, kind)
    builder.add_event_handler("go", lambda state, payload: {"said": ["heard"]})
    host = GraphHost(builder.add_node("end", lambda state: None, terminal=True).build(), child().build())

    run = host.start("g", {})
    if event:
        run.send("go")
    run.advance(timedelta(minutes=1))

    assert (run.status, run.path, host.activities_run) == ("completed", path, activities + more * event)
    assert {name: getattr(run.state, name) for name in state} == state
    assert run.state.said == (["heard"] if event else [])


MOVES: dict[RouteAction, tuple[RouteDecision, str, str]] = {
    RouteAction.NEXT: (RouteDecision.next("there"), "completed", "there"),
    RouteAction.WAIT_FOR_EVENT: (RouteDecision.wait_for_event(event_name="e", resume_node="there"), "waiting", "there"),
    RouteAction.WAIT_FOR_ANY: (RouteDecision.wait_for_any({"e": "there", "f": "it"}), "waiting", "there"),
    RouteAction.SLEEP: (RouteDecision.sleep(timedelta(hours=1), resume_node="there"), "sleeping", "there"),
    RouteAction.COMPLETE: (RouteDecision.complete(), "completed", "it"),
}
"""Action -> a decision, how the run stands after it, and where it ends after an event or an hour."""


@pytest.mark.parametrize("action", RouteAction)
def test_a_run_moves_on_as_each_action_says(action: RouteAction) -> None:
    decision, status, last = MOVES[action]
    builder = ManifestBuilder("g", Counter).set_entrypoint("it")
    builder.add_node("it", increment, route=lambda state: decision, targets=["there", "it", "__complete__"])
    builder.add_node("there", increment, terminal=True)
    for event in ("e", "f"):
        builder.add_event_handler(event, lambda state, payload: None)

    run = GraphHost(builder.build()).start("g", {})
    assert run.status == status
    if run.status == "waiting":
        run.send("e")
    run.advance(timedelta(hours=1))

    assert (run.status, run.path[-1]) == ("completed", last)


def test_the_tables_of_the_orchestrator_know_every_kind_and_every_action() -> None:
    assert set(NODE_RUNNERS) == set(KINDS)
    assert set(TRANSITIONS) == set(RouteAction) - {RouteAction.COMPLETE}, "COMPLETE ends the run"
