"""What the activity of a node costs around the handler, against what pydantic needs to load and dump the state."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from collections.abc import Callable, Mapping
from typing import Any

from pydantic import BaseModel

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.work.activity import run_node
from azure_functions_durable_graph.work.registry import Registry

SIZES = {"200 B": 200, "10 KB": 10_000, "100 KB": 100_000}
"""Bytes of JSON in the state."""


class Line(BaseModel):
    """One of many in the state."""

    sku: str
    quantity: int
    price: float
    tags: list[str] = []


class Order(BaseModel):
    """The state."""

    count: int = 0
    lines: list[Line] = []
    note: str = ""


async def count(state: Order) -> dict[str, Any]:
    """A node that does next to nothing."""
    return {"count": state.count + 1}


def state_of(size: int) -> dict[str, Any]:
    """A state of about so many bytes."""
    lines = [{"sku": f"sku-{number}", "quantity": 2, "price": 9.5, "tags": ["a", "b"]} for number in range(size // 80)]
    state = {"count": 0, "lines": lines, "note": ""}
    return {**state, "note": "x" * max(0, size - len(json.dumps(state)))}


def compare(rounds: int, bytes_a_round: int) -> dict[str, Any]:
    """Microseconds of CPU of a call, and how many times pydantic's load and dump that is, by the size of the state."""
    builder = ManifestBuilder("order", Order).set_entrypoint("count").add_node("count", count, terminal=True)
    graph, registry = builder.build(), Registry()
    registry.add(graph)
    call: dict[str, Any] = {"run_id": "r", "graph": "order", "hash": graph.graph_hash, "node": "count", "step": 0}
    return {
        name: _measured(registry, {**call, "state": state_of(size)}, rounds, max(5, bytes_a_round // (size + 2_000)))
        for name, size in SIZES.items()
    }


def _measured(registry: Registry, call: Mapping[str, Any], rounds: int, times: int) -> dict[str, float]:
    text, loop = json.dumps(call["state"]), asyncio.new_event_loop()

    async def calls() -> None:
        for _ in range(times):
            await run_node(registry, call)  # type: ignore[arg-type]

    def pydantic() -> None:
        for _ in range(times):
            Order.model_validate_json(text).model_dump_json()

    ours, theirs = [], []
    for _ in range(rounds + 1):  # the first warms both
        ours.append(_cpu(lambda: loop.run_until_complete(calls())) / times)
        theirs.append(_cpu(pydantic) / times)
    loop.close()
    ratios = [own / other for own, other in zip(ours[1:], theirs[1:], strict=True)]
    return {"us": round(statistics.median(ours[1:]) * 1e6), "ratio": round(statistics.median(ratios), 1)}


def _cpu(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began
