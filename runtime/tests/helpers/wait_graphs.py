"""Random graphs that wait: a line of waits of the same two event names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st
from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, NodeContext, RetryPolicy, RouteDecision


class Log(BaseModel):
    """What has reached the run."""

    heard: list[str] = []
    timeouts: int = 0


@dataclass(frozen=True)
class Wait:
    """One step of a random graph: what it waits for, for how long, and whether its node fails once first."""

    kind: str
    hours: float | None
    flaky: bool = False


WAITS = st.builds(
    Wait,
    kind=st.sampled_from(["one", "any", "sleep"]),
    hours=st.sampled_from([None, 1.0, 30.0, 24.0 * 3, 24.0 * 8]),
    flaky=st.booleans(),
)


def graph_of(waits: list[Wait]) -> GraphRegistration:
    """A line of waits of the same two event names, each with its own node."""
    builder = ManifestBuilder("g", Log).set_entrypoint("n0")
    for number, wait in enumerate(waits):
        here, following = f"n{number}", f"n{number + 1}"
        builder.add_node(
            here,
            _handler(wait),
            route=_route(wait, following),
            targets=[following, f"late{number}"] if wait.kind != "sleep" and wait.hours else [following],
            retry=RetryPolicy(max_attempts=2, first_interval=timedelta(minutes=10)),
        )
        if wait.kind != "sleep" and wait.hours:
            builder.add_node(f"late{number}", lambda state: {"timeouts": state.timeouts + 1}, next_node=following)
    builder.add_node(f"n{len(waits)}", lambda state: None, terminal=True)
    for event in ("go", "stop"):
        builder.add_event_handler(event, lambda state, payload: {"heard": [*state.heard, payload]})
    return builder.build()


def _handler(wait: Wait) -> Any:
    def handler(state: Log, context: NodeContext) -> None:
        if wait.flaky and context.attempt == 1:
            raise RuntimeError("once")

    return handler


def _route(wait: Wait, following: str) -> Any:
    def route(state: Log, context: NodeContext) -> RouteDecision:
        limit: Any = {}
        if wait.hours:
            limit = {"timeout": timedelta(hours=wait.hours), "timeout_node": f"late{context.node[1:]}"}
        if wait.kind == "sleep":
            return RouteDecision.sleep(timedelta(hours=wait.hours or 2.0), resume_node=following)
        if wait.kind == "any":
            return RouteDecision.wait_for_any({"go": following, "stop": following}, **limit)
        return RouteDecision.wait_for_event(event_name="go", resume_node=following, **limit)

    return route
