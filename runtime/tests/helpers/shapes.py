"""Small graphs that many tests use, each of one shape."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RouteDecision


class Counter(BaseModel):
    """A state that only counts."""

    value: int = 0
    goal: int = 0
    said: list[str] = []


def increment(state: Any) -> dict[str, Any]:  # of any model with a value
    return {"value": state.value + 1}


def line(*names: str, graph_name: str = "line", version: str = "1") -> GraphRegistration:
    """Nodes one after the other; each counts."""
    builder = ManifestBuilder(graph_name=graph_name, state_model=Counter, version=version)
    builder.set_entrypoint(names[0])
    for name, following in zip(names, [*names[1:], None], strict=True):
        builder.add_node(name, increment, next_node=following, terminal=following is None)
    return builder.build()


def loop(graph_name: str = "loop", max_steps: int = 1000) -> GraphRegistration:
    """One node that counts up to the goal."""
    builder = ManifestBuilder(graph_name=graph_name, state_model=Counter, max_steps=max_steps)
    builder.set_entrypoint("count")
    builder.add_node(
        "count",
        increment,
        route=lambda state: "__complete__" if state.value >= state.goal else "count",
        targets=["count", "__complete__"],
    )
    return builder.build()


def conversation(graph_name: str = "conversation") -> GraphRegistration:
    """Asks for the event `answer` until it hears "stop"."""

    def ask(state: Counter) -> RouteDecision:
        if "stop" in state.said:
            return RouteDecision.complete()
        return RouteDecision.wait_for_event(event_name="answer", resume_node="listen")

    def hear(state: Counter, payload: dict[str, Any]) -> dict[str, Any]:
        return {"said": [*state.said, payload["text"]]}

    builder = ManifestBuilder(graph_name=graph_name, state_model=Counter)
    builder.set_entrypoint("listen")
    builder.add_node("listen", increment, route=ask, targets=["listen", "__complete__"])
    builder.add_event_handler("answer", hear)
    return builder.build()
