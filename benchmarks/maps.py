"""What an item of a map costs in the orchestrator, by the number of items: CPU, JSON, runs, the longest history.

As for nodes, only the calls of the SDK's wrapper are measured. The list of items and the list of results are in the
state of the run that has the map, and so in its messages, which grow with them; nothing else should.
"""

from __future__ import annotations

import gc
import json
import statistics
import time
from typing import Any

from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder
from azure_functions_durable_graph.host.engine.actions import outcome_of_state
from azure_functions_durable_graph.testing import GraphHost


class State(BaseModel):
    """A list of small items, and what has become of each."""

    items: list[dict[str, int]] = []
    doubled: list[int] = []


class Item(BaseModel):
    """The state of the graph that is run for an item."""

    n: int = 0
    twice: int = 0


def _double(state: State, item: dict[str, int]) -> int:
    return item["n"] * 2


def _mapping(graph: bool) -> GraphRegistration:
    builder = ManifestBuilder("map", State).set_entrypoint("m")
    if graph:
        return builder.add_map("m", graph="item", over="items", output={"doubled": "twice"}, max_concurrency=20).build()
    return builder.add_map("m", _double, over="items", into="doubled", max_concurrency=20).build()


def _item() -> GraphRegistration:
    builder = ManifestBuilder("item", Item).set_entrypoint("a")
    return builder.add_node("a", lambda state: {"twice": state.n * 2}, terminal=True).build()


def measure(items: int, graph: bool = False) -> dict[str, Any]:
    """One run over so many items, 20 at once."""
    host = GraphHost(_mapping(graph), _item())
    seen: dict[str, Any] = {"cpu": 0.0, "json": 0, "episodes": 0, "events": 0, "part": 0, "run": 0, "runs": set()}
    _watch(host, seen)
    gc.collect()
    run = host.start("map", {"items": [{"n": number} for number in range(items)]})
    assert run.status == "completed", run.error
    assert run.state.doubled == [number * 2 for number in range(items)]
    return {
        "items": items,
        "cpu_ms_per_item": round(seen["cpu"] * 1000 / items, 3),
        "json_kb_per_item": round(seen["json"] / items / 1000, 2),
        "activities_per_item": round(host.activities_run / items, 2),
        "runs_per_item": round(len(seen["runs"]) / items, 2),
        "longest_history": seen["events"],
        "largest_input_of_a_part_kb": round(seen["part"] / 1000, 1),
        "largest_input_of_the_run_kb": round(seen["run"] / 1000, 1),
    }


def _watch(host: GraphHost, seen: dict[str, Any]) -> None:
    """Measure each call of the orchestrator, in the loop's own thread, and what goes in and out of it."""
    worker: Any = host._host.worker

    async def measured(name: str, context: str) -> Any:
        code = worker._orchestrators[name.lower()].code
        began = time.thread_time()
        state = code(context=context)
        seen["cpu"] += time.thread_time() - began
        seen["json"] += len(context) + len(state)
        given = json.loads(context)
        seen["runs"].add(given["instanceId"])
        seen["events"] = max(seen["events"], len(given["history"]))
        kind = "run" if given["parentInstanceId"] is None else "part"
        seen[kind] = max(seen[kind], len(given["input"]))
        return outcome_of_state(state)

    worker.orchestrate = measured


def by_number(numbers: tuple[int, ...], rounds: int) -> dict[str, Any]:
    """The cost of an item by the number of items, relative to the first number within each round: medians."""
    measure(numbers[0])  # warm up
    found: dict[str, Any] = {}
    for name, graph, tried in (("handler", False, numbers), ("graph", True, numbers[:2])):
        taken = [[_of_about(ENOUGH, number, graph) for number in tried] for _ in range(rounds)]
        found[name] = [
            {**one, "ratio": statistics.median(_ratio(row, column) for row in taken)}
            for column, one in enumerate(taken[0])
        ]
    return found


ENOUGH = 2_000
"""Items that are measured for a figure: of fewer items several maps are run, since one is too short to be measured."""


def _of_about(enough: int, number: int, graph: bool) -> dict[str, Any]:
    times = [measure(number, graph) for _ in range(max(1, enough // number))]
    return {**times[0], "cpu_ms_per_item": round(statistics.mean(one["cpu_ms_per_item"] for one in times), 3)}


def _ratio(row: list[dict[str, Any]], column: int) -> float:
    return float(round(row[column]["cpu_ms_per_item"] / row[0]["cpu_ms_per_item"], 2))
