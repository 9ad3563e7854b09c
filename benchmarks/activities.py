"""How many activities a run of each shape of graph takes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Literal

from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.testing import GraphHost


class State(BaseModel):
    """What the shapes work on."""

    items: list[int] = []
    doubled: list[int] = []
    a: int = 0
    b: int = 0
    c: int = 0
    heard: str = ""


def _nothing(state: State) -> None:
    return None


def _line(nodes: int, name: str = "line", durability: Literal["node", "wait"] = "node") -> GraphRegistration:
    builder = ManifestBuilder(name, State, durability=durability).set_entrypoint("n0")
    for number in range(nodes - 1):
        builder.add_node(f"n{number}", _nothing, next_node=f"n{number + 1}")
    return builder.add_node(f"n{nodes - 1}", _nothing, terminal=True).build()


def _parallel() -> GraphRegistration:
    builder = ManifestBuilder("parallel", State).set_entrypoint("p").add_parallel("p", ["a", "b", "c"])
    builder.add_node("a", lambda state: {"a": 1}).add_node("b", lambda state: {"b": 1})
    return builder.add_node("c", lambda state: {"c": 1}).build()


def _map() -> GraphRegistration:
    builder = ManifestBuilder("map", State).set_entrypoint("m")
    return builder.add_map("m", lambda state, item: item * 2, over="items", into="doubled").build()


def _event() -> GraphRegistration:
    builder = ManifestBuilder("event", State).set_entrypoint("ask")
    builder.add_node(
        "ask",
        _nothing,
        route=lambda state: RouteDecision.wait_for_event(event_name="go", resume_node="end"),
        targets=["end"],
    )
    builder.add_node("end", _nothing, terminal=True)
    return builder.add_event_handler("go", lambda state, payload: {"heard": payload}).build()


def _wait() -> GraphRegistration:
    builder = ManifestBuilder("wait", State).set_entrypoint("a").add_node("a", _nothing, next_node="w")
    builder.add_wait("w", duration=timedelta(days=30), next_node="b")
    return builder.add_node("b", _nothing, terminal=True).build()


def of_each_shape() -> dict[str, Any]:
    """The number of activities in a run of each shape."""
    host = GraphHost(_line(12), _line(12, "waiting_line", "wait"), _parallel(), _map(), _event(), _wait())
    costs: dict[str, Any] = {}

    def cost(name: str, graph: str, given: dict[str, Any], event: Any = None) -> None:
        before = host.activities_run
        run = host.start(graph, given)
        if event is not None:
            run.send("go", event)
        run.advance(timedelta(days=31))
        assert run.status == "completed"
        costs[name] = host.activities_run - before

    cost("a line of 12 nodes", "line", {})
    cost('a line of 12 nodes with durability="wait"', "waiting_line", {})
    cost("a parallel of 3 branches", "parallel", {})
    cost("a map of 40 items", "map", {"items": list(range(40))})
    cost("2 nodes with an event between them", "event", {}, "hi")
    cost("2 nodes with a wait of 30 days between them", "wait", {})
    return costs
