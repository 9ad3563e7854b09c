"""Graphs with a parallel or a map, over one state."""

import operator
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder


class Doc(BaseModel):
    """An item."""

    name: str
    size: int = 1


class Work(BaseModel):
    """A state with plain fields, and fields with a reducer."""

    docs: list[Doc] = []
    sizes: list[int] = []
    credit: int = 0
    fraud: bool = False
    value: int = 0
    notes: Annotated[list[str], operator.add] = []
    total: Annotated[int, operator.add] = 0


def checks(branches: dict[str, Any], *, after: str = "task", **policies: Any) -> GraphRegistration:
    """A parallel over these branches; `after` says what follows it."""
    builder = ManifestBuilder("g", Work).set_entrypoint("check")
    following = {"task": "end", "wait": "pause", "nothing": None}[after]
    builder.add_parallel("check", branches=list(branches), next_node=following, **policies)
    for name, handler in branches.items():
        builder.add_node(name, handler)
    if after == "wait":
        builder.add_wait("pause", duration=timedelta(minutes=5), next_node="end")
    if after != "nothing":
        builder.add_node("end", lambda state: None, terminal=True)
    if "mend" in str(policies):
        builder.add_node("mend", lambda state, context: {"notes": [context.error["type"]]}, terminal=True)
    return builder.build()


def credit(state: Work) -> dict[str, Any]:
    return {"credit": 700}


def fraud(state: Work) -> dict[str, Any]:
    return {"fraud": True}


def scoring(handler: Any, **settings: Any) -> GraphRegistration:
    builder = ManifestBuilder("g", Work).set_entrypoint("score")
    builder.add_map("score", handler, over="docs", into="sizes", next_node="end", **settings)
    builder.add_node("end", lambda state: {"value": sum(state.sizes)}, terminal=True)
    if "mend" in str(settings):
        builder.add_node("mend", lambda state, context: {"notes": [context.error["message"]]}, terminal=True)
    return builder.build()


def docs(count: int) -> dict[str, Any]:
    return {"docs": [{"name": f"d{n}", "size": n} for n in range(count)]}
