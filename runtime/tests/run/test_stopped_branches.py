"""A parallel that stops what it needs no more: when enough is done, or at its deadline."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from trips import Trip, refund

from azure_functions_durable_graph import (
    GraphBuildError,
    GraphRegistration,
    ManifestBuilder,
    RouteDecision,
)
from azure_functions_durable_graph.azure.durable_runs import DurableRuns
from azure_functions_durable_graph.testing import GraphHost, GraphRun


def racing(**settings: Any) -> GraphRegistration:
    """Three branches: one waits for `a`, one for `b`, one sleeps for an hour. Each writes the same field."""
    builder = ManifestBuilder("trip", Trip).set_entrypoint("all")
    builder.add_parallel("all", branches=["left", "right", "slow"], next_node="end", **settings)
    for side, event in (("left", "a"), ("right", "b")):
        route = lambda state, event=event, side=side: RouteDecision.wait_for_event(  # noqa: E731
            event_name=event, resume_node=f"{side}2"
        )
        builder.add_node(side, lambda state: None, route=route, targets=[f"{side}2"])
        builder.add_node(f"{side}2", _book(side))
        builder.add_event_handler(event, _hear)
    builder.add_wait("slow", duration=timedelta(hours=1), next_node="slow2").add_node("slow2", _book("slow"))
    if "refund" in str(settings):
        builder.add_node("refund", refund, terminal=True)
    return builder.add_node("end", lambda state: {"seen": "end"}, terminal=True).build()


def _book(name: str) -> Any:
    return lambda state: {"hotel": name, "notes": [name]}


def _hear(state: Trip, payload: Any) -> None:
    if payload == "bad":
        raise ValueError("no")


def started(**settings: Any) -> GraphRun:
    return GraphHost(racing(**settings)).start("trip", {})


def stands(run: GraphRun) -> dict[str, str]:
    return {name: branch.status for name, branch in run.branches.items()}


def test_the_first_success_stops_the_others_and_is_all_that_is_merged() -> None:
    run = started(stop_when="first_success").send("b", {})

    assert (run.status, run.state.hotel, run.state.notes) == ("completed", "right", ["right"])
    assert stands(run) == {"left": "cancelled", "right": "completed", "slow": "cancelled"}
    assert [step["node"] for step in run.steps if step.get("stopped")] == ["left", "slow"]


def test_a_failure_does_not_stop_those_that_may_still_succeed() -> None:
    run = started(stop_when="first_success").send("a", "bad")
    assert run.status == "waiting"

    run.advance(timedelta(hours=1))

    assert (run.status, run.state.hotel) == ("completed", "slow")


def test_the_first_failure_stops_the_others_and_fails_the_parallel_at_once() -> None:
    run = started(stop_when="first_failure", on_error="refund").send("a", "bad")

    assert (run.status, run.state.seen) == (
        "completed",
        "1 of 3 branches failed: left: ValueError: at node 'left2': no",
    )
    assert stands(run) == {"left": "failed", "right": "cancelled", "slow": "cancelled"}


def test_a_number_of_successes_is_enough() -> None:
    run = started(stop_when=2).send("b", {})
    assert run.status == "waiting"

    run.send("a", {})

    assert run.error is not None
    assert run.error["type"] == "MergeConflict", "both wrote the hotel"
    assert stands(run)["slow"] == "cancelled"


def test_what_is_not_done_by_the_deadline_is_stopped_and_fails() -> None:
    run = started(deadline=timedelta(minutes=30), on_error="refund").send("b", {})
    run.advance(timedelta(minutes=30))

    assert (run.status, run.state.hotel, run.state.cancelled) == ("completed", "right", ["right"])
    assert run.state.seen.startswith("2 of 3 branches failed: left: DeadlineExceeded: it was not done by 20")
    assert stands(run) == {"left": "cancelled", "right": "completed", "slow": "cancelled"}


@pytest.mark.parametrize("kind", ["DeadlineExceeded", "TimeoutError", "OSError", "Exception"])
def test_a_deadline_that_has_passed_is_a_time_out_to_error_edges(kind: str) -> None:
    run = started(deadline=timedelta(minutes=30), on_error={kind: "refund"}).send("a", {}).send("b", {})
    run.advance(timedelta(minutes=30))

    (failed,) = (step for step in run.steps if step["node"] == "all")
    assert run.path[-1] == "refund"
    assert [(error["node"], error["where"]) for error in failed["error"]["errors"]] == [("slow", "deadline")]


def test_with_a_deadline_enough_may_have_succeeded_by_then() -> None:
    run = started(deadline=timedelta(minutes=30), min_successful=1).send("b", {})

    run.advance(timedelta(minutes=30))

    assert (run.status, run.state.hotel) == ("completed", "right")


def test_a_deadline_that_nothing_needs_costs_no_time() -> None:
    run = started(deadline=timedelta(days=30), stop_when=1)
    run.advance(timedelta(days=1))

    assert (run.status, run.state.hotel) == ("completed", "slow")


def test_what_was_stopped_may_have_children_of_its_own() -> None:
    builder = ManifestBuilder("outer", Trip).set_entrypoint("all")
    builder.add_parallel("all", branches=["deep", "quick"], stop_when="first_success", next_node="end")
    builder.add_subgraph("deep", graph="trip")
    builder.add_wait("quick", duration=timedelta(minutes=1))
    host = GraphHost(builder.add_node("end", lambda state: None, terminal=True).build(), racing())
    run = host.start("outer", {})
    deep = GraphRun(host, run.branches["deep"].view["children"][0]["id"])
    inner = deep.branches["left"]

    run.advance(timedelta(minutes=1))

    assert (run.status, deep.status, inner.status) == ("completed", "cancelled", "cancelled")


def test_a_run_that_a_branch_starts_while_it_is_being_stopped_is_stopped_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wait = RouteDecision.wait_for_event(event_name="a", resume_node="deep")
    builder = ManifestBuilder("outer", Trip).set_entrypoint("all").add_event_handler("a", _hear)
    builder.add_parallel("all", branches=["asked", "quick"], stop_when="first_success", next_node="end")
    builder.add_node("asked", lambda state: None, route=lambda state: wait, targets=["deep"])
    builder.add_subgraph("deep", graph="trip").add_wait("quick", duration=timedelta(minutes=1))
    host = GraphHost(builder.add_node("end", lambda state: None, terminal=True).build(), racing())
    run = host.start("outer", {})
    asked, terminate = run.branches["asked"], DurableRuns.terminate
    started_late: list[str] = []

    async def too_late(runs: DurableRuns, run_id: str, reason: str) -> None:
        if run_id == asked.id:  # it goes on once more before it hears
            await runs.raise_event(run_id, "a.0", {"id": "x", "payload": {}})
            await host._host.drain()
            record = await runs.get(run_id)
            started_late.extend(record.started if record is not None else ())
        await terminate(runs, run_id, reason)

    monkeypatch.setattr(DurableRuns, "terminate", too_late)
    run.advance(timedelta(minutes=1))

    (deep,) = started_late
    assert (run.status, asked.status, GraphRun(host, deep).status) == ("completed", "cancelled", "cancelled")


@pytest.mark.parametrize("deaf", ["left", "slow"])
def test_a_branch_that_does_not_hear_that_it_is_to_end_is_told_again(
    deaf: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = started(stop_when="first_success")
    left, terminate = {run.branches[deaf].id}, DurableRuns.terminate

    async def once(runs: Any, run_id: str, reason: str) -> None:
        if run_id in left:  # it had not begun when it was to end
            left.discard(run_id)
            return
        await terminate(runs, run_id, reason)

    monkeypatch.setattr(DurableRuns, "terminate", once)
    run.send("b", {})
    assert run.status != "completed"
    assert stands(run)["slow" if deaf == "left" else "left"] == "cancelled"

    run.advance(timedelta(minutes=1))

    assert (run.status, run.state.hotel, stands(run)[deaf]) == ("completed", "right", "cancelled")


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"stop_when": "soon"}, 'stop_when is \'soon\'. Use "first_success", "first_failure" or a number of successes'),
        ({"stop_when": True}, "stop_when is True"),
        ({"stop_when": 1, "min_successful": 2}, "stop_when is 1, but min_successful is 2"),
        ({"deadline": timedelta(0)}, "deadline is 0 seconds. Use a positive duration"),
    ],
)
def test_ends_that_make_no_sense_do_not_build(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(GraphBuildError) as caught:
        racing(**settings)

    assert text in str(caught.value)
