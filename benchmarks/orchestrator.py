"""What a node costs in the orchestrator: CPU and JSON, driven at the protocol.

A loop over one node, and a line of different nodes, against hand-written orchestrators on the bare SDK that call one
activity per step. Only the calls of the SDK's wrapper are measured; the same engine drives all of them. What is
compared alternates, round by round, and ratios are taken within a round: other load on the machine affects both.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import json
import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import azure.durable_functions as df
from pydantic import BaseModel, create_model

from azure_functions_durable_graph import DurableGraphApp, GraphRegistration, ManifestBuilder
from azure_functions_durable_graph.azure.faster_replays import speed_up_replays
from azure_functions_durable_graph.graph.names import ORCHESTRATOR
from azure_functions_durable_graph.host.app.loader import index_app
from azure_functions_durable_graph.host.app.worker import Worker
from azure_functions_durable_graph.host.clock import ManualClock
from azure_functions_durable_graph.host.engine.actions import Outcome, outcome_of_state
from azure_functions_durable_graph.host.local_host import LocalHost
from azure_functions_durable_graph.http.runs import run_input
from azure_functions_durable_graph.run import limits

SMALL, LARGE, LARGEST = 200, 10_000, 900_000
"""Bytes of payload in the state."""

BUDGETS = (6, 8, 10, 12, 15, 20)


@dataclass
class Cost:
    """The cost of the orchestrator over a run of `nodes` nodes."""

    nodes: int
    cpu: float = 0.0
    json_bytes: int = 0
    activities: int = 0

    def counts(self) -> dict[str, Any]:
        """What does not depend on the machine, per node."""
        return {
            "json_kb_per_node": round(self.json_bytes / self.nodes / 1000, 1),
            "activities_per_node": round(self.activities / self.nodes, 3),
        }


class Measuring(Worker):
    """A worker that measures each call of an orchestrator."""

    def __init__(self, app: Any, cost: Cost) -> None:
        super().__init__(app)
        self.cost = cost

    async def orchestrate(self, name: str, context: str) -> Outcome:
        """Call the SDK's wrapper, and count CPU and bytes."""
        code = self._orchestrators[name.lower()].code
        begun = time.process_time()
        state = code(context=context)
        self.cost.cpu += time.process_time() - begun
        self.cost.json_bytes += len(context) + len(state)
        return outcome_of_state(state)

    async def run_activity(self, name: str, input_: str) -> str:
        """Run it, and count it."""
        self.cost.activities += 1
        return await super().run_activity(name, input_)


def graph_loop(nodes: int, payload: int = SMALL) -> Cost:
    """A graph that visits one node `nodes` times."""
    builder = ManifestBuilder("loop", _state(payload), max_steps=100_000).set_entrypoint("count")
    builder.add_node("count", _count, route=_again, targets=["count", "__complete__"])
    return _drive_graph(builder.build(), nodes)


def graph_line(nodes: int, payload: int = SMALL) -> Cost:
    """A graph of `nodes` different nodes, one after the other."""
    builder = ManifestBuilder("line", _state(payload), max_steps=100_000).set_entrypoint("n0")
    for number in range(nodes - 1):
        builder.add_node(f"n{number}", _count, next_node=f"n{number + 1}")
    return _drive_graph(builder.add_node(f"n{nodes - 1}", _count, terminal=True).build(), nodes)


def _state(payload: int) -> type[BaseModel]:
    return create_model("State", payload=(str, "x" * payload), count=(int, 0), goal=(int, 0))


async def _count(state: Any) -> dict[str, Any]:
    return {"count": state.count + 1}


async def _again(state: Any) -> str:
    return "__complete__" if state.count >= state.goal else "count"


def hand_written(nodes: int, payload: int = SMALL, *, continues_after: int | None = None) -> Cost:
    """The same on the bare SDK: one activity a step, the whole state in and out; and it may continue as new."""
    app = df.DFApp()

    @app.activity_trigger(input_name="state")
    async def count(state: dict) -> dict:  # type: ignore[type-arg]
        return {**state, "count": state["count"] + 1}

    @app.orchestration_trigger(context_name="context")
    def loop(context: df.DurableOrchestrationContext) -> Any:
        state: Any = context.get_input()
        steps = 0
        while state["count"] < state["goal"]:
            if steps == continues_after:
                context.continue_as_new(state)
                return None
            state = yield context.call_activity("count", state)
            steps += 1
        return state

    with _as_installed():
        given = {"payload": "x" * payload, "count": 0, "goal": nodes}
        return _drive(app, "loop", given, nodes, ManualClock())


@contextmanager
def _as_installed() -> Iterator[None]:
    """The SDK without what `azure.faster_replays` has replaced: as an app has it that uses the SDK alone."""
    speed_up_replays()
    slow = {"history.HistoryEvent": "dt_parse", "TaskOrchestrationExecutor": "namedtuple"}
    kept = []
    for name, attribute in slow.items():
        module = importlib.import_module(f"azure.durable_functions.models.{name}")
        fast = getattr(module, attribute)
        kept.append((module, attribute, fast))
        setattr(module, attribute, getattr(fast, "__wrapped__", fast))
    try:
        yield
    finally:
        for module, attribute, fast in kept:
            setattr(module, attribute, fast)


def _drive_graph(registration: GraphRegistration, nodes: int) -> Cost:
    runtime = DurableGraphApp()
    runtime.register_registration(registration)
    clock = ManualClock()
    run = run_input(registration, {"goal": nodes}, {}, clock.now())
    return _drive(runtime.function_app, ORCHESTRATOR, run, nodes, clock)


def _drive(app: Any, name: str, given: Any, nodes: int, clock: ManualClock) -> Cost:
    cost = Cost(nodes)

    async def work() -> str:
        host = LocalHost(Measuring(index_app(app), cost), clock)
        host.start(name, json.dumps(json.dumps(given)), "run")
        await host.drain()
        instance = host.store.load("run")
        assert instance is not None
        return instance.status

    status = asyncio.run(work())
    assert status == "Completed", status
    return cost


def compare(rounds: int, nodes: int) -> dict[str, Any]:
    """Each case in every round; CPU ratios are to the hand-written orchestrator at 25 steps of the same round."""
    few = 25
    cases: dict[str, Callable[[], Cost]] = {
        f"by hand, {few} steps": lambda: hand_written(few),
        f"by hand, {4 * few} steps": lambda: hand_written(4 * few),
        f"by hand, {nodes:,} steps, continued as new after 12": lambda: hand_written(nodes, continues_after=12),
        f"by hand, {4 * few} steps, 10 KB": lambda: hand_written(4 * few, LARGE),
        f"loop, {few} nodes": lambda: graph_loop(few),
        f"loop, {nodes:,} nodes": lambda: graph_loop(nodes),
        f"loop, {4 * few} nodes, 10 KB": lambda: graph_loop(4 * few, LARGE),
        f"line, {nodes:,} different nodes": lambda: graph_line(nodes),
    }
    return _in_rounds(cases, rounds, base=f"by hand, {few} steps")


def compare_large(rounds: int, nodes: int) -> dict[str, Any]:
    """States close to what may cross at once, against what is left of them if a blob has the payload."""
    cases: dict[str, Callable[[], Cost]] = {
        f"by hand, {nodes} steps, 900 KB": lambda: hand_written(nodes, LARGEST),
        f"loop, {nodes} nodes, 900 KB": lambda: graph_loop(nodes, LARGEST),
        f"loop, {nodes} nodes, a name of 200 bytes": lambda: graph_loop(nodes),
    }
    return _in_rounds(cases, rounds, base=f"loop, {nodes} nodes, 900 KB")


def compare_budgets(rounds: int, nodes: int) -> dict[str, Any]:
    """The loop with other history budgets; ratios are to today's budget, in the same round."""
    today = limits.HISTORY_BUDGET

    def with_budget(budget: int) -> Cost:
        limits.HISTORY_BUDGET = budget
        try:
            return graph_loop(nodes)
        finally:
            limits.HISTORY_BUDGET = today

    cases = {str(budget): functools.partial(with_budget, budget) for budget in sorted({*BUDGETS, today})}
    return _in_rounds(cases, rounds, base=str(today))


def _in_rounds(cases: Mapping[str, Callable[[], Cost]], rounds: int, base: str) -> dict[str, Any]:
    names = list(cases)
    costs: list[dict[str, Cost]] = []
    for number in range(rounds + 1):  # the first round warms all of them
        order = names[number % len(names) :] + names[: number % len(names)]
        costs.append({name: cases[name]() for name in order})
    measured = costs[1:]

    def figures(name: str) -> dict[str, Any]:
        per_node = [one[name].cpu / one[name].nodes for one in measured]
        ratios = [cpu / (one[base].cpu / one[base].nodes) for cpu, one in zip(per_node, measured, strict=True)]
        shown = {"cpu_ms_per_node": round(statistics.median(per_node) * 1000, 3)}
        return {**shown, "cpu_ratio": round(statistics.median(ratios), 3), **measured[-1][name].counts()}

    return {name: figures(name) for name in names}
