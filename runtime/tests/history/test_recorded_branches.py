"""Runs with several children are recorded and replayed: an answer names the branch that gave it."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from branching import Contract, checking, two_approvals

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder
from azure_functions_durable_graph.history.recording import RecordedRun, recorded_run
from azure_functions_durable_graph.testing import GraphHost, GraphRun, HistoryError, replay_recording


def recorded(run: GraphRun) -> RecordedRun:
    query = {"showHistory": "True", "showHistoryOutput": "True", "showInput": "True"}
    return recorded_run(run.host._management.handle("GET", f"instances/{run.id}", query, b"").body)


def replayed(run: RecordedRun, graph: Any, folder: Path) -> None:
    app = DurableGraphApp()
    app.register_registration(graph)
    (folder / "run.json").write_text(run.to_text())
    replay_recording(folder / "run.json", app)


@pytest.mark.parametrize("first", [0, 1])
def test_a_run_whose_branches_end_in_any_order_is_replayed(first: int, tmp_path: Path) -> None:
    run = GraphHost(two_approvals()).start("contract", {})
    waits = [wait["id"] for wait in run.view["waits"]]
    run.send("signature", {"name": "ann"}, wait_id=waits[first])
    run.send("signature", {"name": "bob"}, wait_id=waits[1 - first])
    assert run.status == "completed"

    replayed(recorded(run), two_approvals(), tmp_path)


def test_a_branch_is_recorded_and_replayed_like_any_run(tmp_path: Path) -> None:
    run = GraphHost(checking()).start("contract", {})
    branch = run.branches["legal"]
    branch.send("signature", {"name": "ann"})

    replayed(recorded(branch), checking(), tmp_path)


@pytest.mark.parametrize("lost", [0, 1])
def test_a_branch_that_was_lost_is_not_taken_for_the_other(lost: int, tmp_path: Path) -> None:
    run = GraphHost(two_approvals()).start("contract", {})
    sides = ["left", "right"]
    kept = run.branches[sides[1 - lost]]
    run.branches[sides[lost]].cancel()
    kept.send("signature", {"name": "ann"})
    assert run.error is not None
    assert [error["node"] for error in run.error["errors"]] == [sides[lost]]
    assert [step["node"] for step in run.steps if "error" in step] == [sides[lost], "both"]

    replayed(recorded(run), two_approvals(), tmp_path)


def test_an_answer_of_a_child_that_was_never_started_is_a_difference(tmp_path: Path) -> None:
    run = GraphHost(checking()).start("contract", {}).send("signature", {"name": "ann"})
    found = recorded(run)
    events = [json.loads(json.dumps(event).replace(run.branches["legal"].id, "other")) for event in found.events]

    with pytest.raises(HistoryError, match="a subgraph returned, but today the run starts none"):
        replayed(replace(found, events=tuple(events)), checking(), tmp_path)


def test_a_run_that_stopped_a_branch_is_replayed_with_all_its_timers(tmp_path: Path) -> None:
    builder = ManifestBuilder("g", Contract).set_entrypoint("both")
    builder.add_parallel("both", branches=["long", "short"], stop_when="first_success", deadline=timedelta(days=9))
    builder.add_wait("long", duration=timedelta(days=8)).add_wait("short", duration=timedelta(days=4))
    graph = builder.build()
    run = GraphHost(graph).start("g", {}).advance(timedelta(days=4))
    assert (run.status, run.branches["long"].status) == ("completed", "cancelled")

    replayed(recorded(run), graph, tmp_path)
