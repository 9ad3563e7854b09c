"""What a node costs in the orchestrator: CPU and JSON, driven at the protocol.

A one-node loop with a 200-byte payload in its state, against a hand-written orchestrator on the bare SDK that calls one
activity per step. Only the calls of the SDK's wrapper are measured; the same engine drives both.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import Any

import azure.durable_functions as df
from pydantic import BaseModel

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder
from azure_functions_durable_graph.graph.names import ORCHESTRATOR
from azure_functions_durable_graph.host.app.loader import index_app
from azure_functions_durable_graph.host.app.worker import Worker
from azure_functions_durable_graph.host.clock import ManualClock
from azure_functions_durable_graph.host.engine.actions import Outcome, outcome_of_state
from azure_functions_durable_graph.host.local_host import LocalHost
from azure_functions_durable_graph.http.runs import run_input

PAYLOAD = "x" * 200


class State(BaseModel):
    """Two hundred bytes, and a counter."""

    payload: str = PAYLOAD
    count: int = 0
    goal: int = 0


@dataclass
class Cost:
    """The cost of the orchestrator over a run of `nodes` nodes."""

    nodes: int
    cpu: float = 0.0
    json_bytes: int = 0
    activities: int = 0

    def shown(self) -> dict[str, Any]:
        """Per node, rounded."""
        return {
            "nodes": self.nodes,
            "cpu_ms_per_node": round(self.cpu * 1000 / self.nodes, 3),
            "json_kb_per_node": round(self.json_bytes / self.nodes / 1000, 2),
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


def graph_loop(nodes: int) -> Cost:
    """A graph that visits one node `nodes` times."""
    builder = ManifestBuilder("loop", State, max_steps=100_000).set_entrypoint("count")
    builder.add_node(
        "count",
        _count,
        route=_again,
        targets=["count", "__complete__"],
    )
    runtime = DurableGraphApp()
    registration = builder.build()
    runtime.register_registration(registration)
    clock = ManualClock()
    run = run_input(registration, {"goal": nodes}, {}, clock.now())
    return _drive(runtime.function_app, ORCHESTRATOR, run, nodes, clock)


async def _count(state: State) -> dict[str, Any]:
    return {"count": state.count + 1}


async def _again(state: State) -> str:
    return "__complete__" if state.count >= state.goal else "count"


def hand_written(nodes: int) -> Cost:
    """The same on the bare SDK: one activity a step, the whole state in and out."""
    app = df.DFApp()

    @app.activity_trigger(input_name="state")
    async def count(state: dict) -> dict:  # type: ignore[type-arg]
        return {**state, "count": state["count"] + 1}

    @app.orchestration_trigger(context_name="context")
    def loop(context: df.DurableOrchestrationContext) -> Any:
        state: Any = context.get_input()
        while state["count"] < state["goal"]:
            state = yield context.call_activity("count", state)
        return state

    given = {"payload": PAYLOAD, "count": 0, "goal": nodes}
    return _drive(app, "loop", given, nodes, ManualClock())


def _drive(app: Any, name: str, given: Any, nodes: int, clock: ManualClock) -> Cost:
    import json

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
