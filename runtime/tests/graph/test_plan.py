"""The plan that a run carries: a large one is packed, and means the same."""

from __future__ import annotations

import base64
import json
import zlib
from typing import Any

import pytest
from shapes import Counter, increment

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder
from azure_functions_durable_graph.errors import HistoryError, PayloadError
from azure_functions_durable_graph.graph.plan import nodes_of, pack
from azure_functions_durable_graph.history.instances import read_input
from azure_functions_durable_graph.history.recording import RecordedRun
from azure_functions_durable_graph.testing import GraphHost

LONG = 300
"""Nodes of a graph whose plan is packed."""


def long_line(nodes: int = LONG) -> GraphRegistration:
    """Nodes one after the other, with a parallel of a single task and a chain in the middle."""
    builder = ManifestBuilder("long", Counter).set_entrypoint("n0")
    for number in range(nodes - 1):
        builder.add_node(f"n{number}", increment, next_node=f"n{number + 1}")
    builder.add_parallel(f"n{nodes - 1}", branches=["one", "several"], next_node="end")
    builder.add_node("one", lambda state: {"said": ["one"]})
    builder.add_node("several", increment, next_node="more").add_node("more", increment)
    return builder.add_node("end", increment, terminal=True).build()


def packed(nodes: Any) -> str:
    return base64.b64encode(zlib.compress(json.dumps(nodes).encode())).decode()


def with_packed(text: Any) -> dict[str, Any]:
    """The input of a run whose plan is this text."""
    plan = {"graph": "g", "version": "1", "hash": "h", "max_steps": 1, "nodes": {}, "packed": text}
    rest: dict[str, Any] = {"input": {}, "metadata": {}, "started_at": "2026-01-01T00:00:00+00:00", "state": {}}
    return {"format": 1, "plan": plan, "node": "n0", "step": 0, "trail": [], **rest}


def test_a_small_plan_can_be_read_where_it_lies() -> None:
    plan = long_line(5).manifest.plan()

    assert "packed" not in plan
    assert nodes_of(plan) is plan["nodes"]


def test_a_large_plan_has_the_same_nodes_in_a_third_of_the_space() -> None:
    manifest = long_line().manifest
    plan = manifest.plan()
    nodes = {name: node.to_plan() for name, node in manifest.nodes.items()}

    assert nodes_of(plan) == nodes
    assert len(json.dumps(plan)) < len(json.dumps(nodes)) / 3
    assert pack(plan) == plan, "what is packed is not packed again"


def test_a_run_with_a_large_plan_takes_every_step_and_its_branches_too() -> None:
    host = GraphHost(long_line())
    run = host.start("long", {})

    assert (run.status, run.state.said, run.view["step"]) == ("completed", ["one"], LONG + 1)
    assert run.state.value == LONG + 2
    assert run.steps[-1]["node"] == "end"


def test_a_recording_of_such_a_run_is_read_again() -> None:
    given = with_packed(packed({"n0": {}}))
    text = RecordedRun("r", "Completed", given, {}, None, ()).to_text()  # type: ignore[arg-type]

    assert nodes_of(RecordedRun.from_text(text, "r.json").input["plan"]) == {"n0": {}}


DAMAGED = {
    "no text": 7,
    "a list": [1],
    "no base64": "~",
    "not compressed": base64.b64encode(b"{}").decode(),
    "no JSON": base64.b64encode(zlib.compress(b"{")).decode(),
    "cut off": packed({"n0": {}})[:8],
    "no object": packed([1]),
    "no nodes": packed({"n0": 1}),
    "a bomb": base64.b64encode(zlib.compress(b" " * 20_000_000)).decode(),
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED.keys())
def test_what_is_no_packed_plan_is_refused_and_no_run(text: Any) -> None:
    given = with_packed(text)

    with pytest.raises(PayloadError, match=r"plan\.packed"):
        nodes_of(given["plan"])
    assert read_input(given) is None
    with pytest.raises(HistoryError, match=r"r\.json is not a recording of a run: plan\.packed"):
        RecordedRun.from_text(RecordedRun("r", "Completed", given, {}, None, ()).to_text(), "r.json")  # type: ignore[arg-type]
