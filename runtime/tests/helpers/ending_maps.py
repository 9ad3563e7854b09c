"""Maps that may end early: of numbers with a handler, and of papers with a graph that may ask."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel
from reviewing import papers, piling, reading
from watching import record

from azure_functions_durable_graph import (
    GraphRegistration,
    ItemResult,
    ManifestBuilder,
    NodeContext,
)
from azure_functions_durable_graph.testing import GraphHost, GraphRun

HOUR = timedelta(hours=1)


class Sums(BaseModel):
    """A list of numbers, and what has become of them."""

    numbers: list[int] = []
    doubled: list[int] = []
    results: list[ItemResult[int]] = []
    verdicts: list[ItemResult[str]] = []
    papers: list[Any] = []
    seen: str = ""


def double(state: Sums, item: int) -> int:
    if item < 0:
        raise ValueError(f"{item} is negative")
    return item * 2


def doubling(handler: Any = double, into: str = "doubled", **settings: Any) -> GraphRegistration:
    builder = ManifestBuilder("sums", Sums).set_entrypoint("m")
    builder.add_map("m", handler, over="numbers", into=into, next_node="end", **settings)
    if "mend" in str(settings):
        builder.add_node("mend", mend, terminal=True)
    return builder.add_node("end", lambda state: None, terminal=True).build()


def mend(state: Sums, context: NodeContext) -> dict[str, Any]:
    assert context.error is not None
    return {"seen": context.error["message"]}


def counted(numbers: list[int], **settings: Any) -> tuple[GraphRun, int]:
    """A run, and how many items its handler has had."""
    calls: list[int] = []

    def handler(state: Sums, item: int) -> int:
        calls.append(item)
        return double(state, item)

    host = GraphHost(doubling(handler, **settings))
    record(host)
    return host.start("sums", {"numbers": numbers}), len(calls)


def start(*titles: str, **settings: Any) -> GraphRun:
    host = GraphHost(piling(**settings), reading())
    record(host)  # each episode runs twice, and gives the same
    return host.start("pile", papers(*titles))


def asks(number: int) -> list[str]:
    return [f"ask {n}" for n in range(number)]


def answer(run: GraphRun, index: int, text: str = "yes") -> None:
    run.items[index].send("opinion", {"text": text})


def stands(run: GraphRun) -> dict[str, int]:
    found = [item.status for item in run.items.values()]
    return {status: found.count(status) for status in sorted(set(found))}
