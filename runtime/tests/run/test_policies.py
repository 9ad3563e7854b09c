"""What becomes of a parallel or a map of which a part fails: how many have to succeed, and what is kept of them."""

from __future__ import annotations

import operator
from datetime import timedelta
from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from reviewing import papers, reading

from azure_functions_durable_graph import (
    GraphBuildError,
    GraphRegistration,
    ItemResult,
    ManifestBuilder,
    NodeContext,
    RouteDecision,
)
from azure_functions_durable_graph.azure.durable_runs import DurableRuns
from azure_functions_durable_graph.testing import GraphHost, GraphRun, run_graph


class Trip(BaseModel):
    """A journey that is booked in parts."""

    hotel: str = ""
    flight: str = ""
    cancelled: list[str] = []
    notes: Annotated[list[str], operator.add] = []
    numbers: list[int] = []
    halves: list[int] = []
    results: list[ItemResult[int]] = []
    seen: str = ""


def hotel(state: Trip) -> dict[str, Any]:
    return {"hotel": "H-1", "notes": ["hotel"]}


def no_flight(state: Trip) -> None:
    raise ValueError("sold out")


def refund(state: Trip, context: NodeContext) -> dict[str, Any]:
    assert context.error is not None
    return {"cancelled": [state.hotel, *map(str, state.halves)], "seen": context.error["message"]}


def booking(*, steps: bool = False, **settings: Any) -> GraphRegistration:
    builder = ManifestBuilder("trip", Trip).set_entrypoint("book")
    builder.add_parallel("book", branches=["hotel", "flight"], next_node="end", **settings)
    builder.add_node("hotel", hotel, next_node="more" if steps else None).add_node("flight", no_flight)
    if steps:
        builder.add_node("more", lambda state: {"notes": ["more"]})
    if "refund" in str(settings):
        builder.add_node("refund", refund, terminal=True)
    return builder.add_node("end", lambda state: {"seen": "end"}, terminal=True).build()


@pytest.mark.parametrize("steps", [False, True], ids=["task", "with steps"])
def test_the_node_after_an_error_sees_what_the_other_branches_have_changed(steps: bool) -> None:
    run = run_graph(booking(steps=steps, on_error="refund"), {})

    assert (run.state.hotel, run.state.cancelled) == ("H-1", ["H-1"]), "the hotel is refunded"
    assert run.state.notes == (["hotel", "more"] if steps else ["hotel"])


def test_a_parallel_whose_branches_fail_without_an_error_edge_keeps_its_state() -> None:
    run = run_graph(booking(), {})

    assert (run.status, run.state.hotel) == ("failed", "")


@pytest.mark.parametrize("least", [1, 2])
def test_a_parallel_succeeds_if_enough_branches_do(least: int) -> None:
    run = run_graph(booking(min_successful=least), {})

    assert run.status == ("completed" if least == 1 else "failed")
    assert run.state.hotel == ("H-1" if least == 1 else "")


def halve(state: Trip, item: int) -> int:
    if item % 2:
        raise ArithmeticError(f"{item} is odd")
    return item // 2


def halving(into: str = "halves", **settings: Any) -> GraphRegistration:
    builder = ManifestBuilder("trip", Trip).set_entrypoint("m")
    builder.add_map("m", halve, over="numbers", into=into, next_node="end", **settings)
    if "refund" in str(settings):
        builder.add_node("refund", refund, terminal=True)
    return builder.add_node("end", lambda state: {"seen": "end"}, terminal=True).build()


NUMBERS = {"numbers": [2, 3, 4, 5, 6]}


@pytest.mark.parametrize("at_once", [20, 2], ids=["in the run", "in parts"])
def test_a_map_that_fails_shows_the_results_that_it_has_to_the_node_after_the_error(at_once: int) -> None:
    run = run_graph(halving(on_error="refund", max_concurrency=at_once), NUMBERS)

    assert run.state.cancelled == ["", "1", "2", "3"]
    assert run.state.seen.startswith("2 of 5 items failed: 1: ArithmeticError: 3 is odd")


@pytest.mark.parametrize(("least", "halves"), [(3, [1, 2, 3]), (4, [])])
def test_a_map_succeeds_if_enough_items_do(least: int, halves: list[int]) -> None:
    assert run_graph(halving(min_successful=least), NUMBERS).state.halves == halves


@pytest.mark.parametrize("at_once", [20, 2, 1], ids=["in the run", "in parts", "one by one"])
def test_a_map_that_collects_gives_values_and_errors_in_order(at_once: int) -> None:
    run = run_graph(halving("results", on_item_error="collect", max_concurrency=at_once), NUMBERS)

    assert (run.status, run.state.seen) == ("completed", "end")
    assert [result.value for result in run.state.results] == [1, None, 2, None, 3]
    assert [result.ok for result in run.state.results] == [True, False, True, False, True]
    error = run.state.results[1].error
    assert (error.type, error.message, error.bases) == ("ArithmeticError", "3 is odd", ["Exception"])


def test_a_map_that_collects_fails_all_the_same_if_too_few_succeed() -> None:
    run = run_graph(halving("results", on_item_error="collect", min_successful=4), NUMBERS)

    assert (run.status, run.state.results) == ("failed", [])


class Pile(BaseModel):
    """As in `reviewing`, with fields that can hold an error."""

    papers: list[Any] = []
    verdicts: list[ItemResult[str]] = []
    sizes: list[ItemResult[int]] = []


def test_runs_of_a_graph_are_collected_too_even_one_that_was_cancelled() -> None:
    builder = ManifestBuilder("pile", Pile).set_entrypoint("m")
    output = {"verdicts": "verdict", "sizes": "size"}
    builder.add_map("m", graph="reading", over="papers", output=output, on_item_error="collect")
    run: GraphRun = GraphHost(builder.build(), reading()).start("pile", papers("a", "torn", "ask"))
    run.items[2].cancel("no time")

    assert run.status == "completed"
    assert [one.value for one in run.state.verdicts] == [" a", None, None]
    assert [one.error and one.error.type for one in run.state.sizes] == [None, "ValueError", "ChildRunLost"]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"into": "halves", "on_item_error": "collect"},
            "on_item_error is 'collect', and the items of 'halves' are int",
        ),
        ({"into": "halves", "on_item_error": "drop"}, "on_item_error is 'drop'"),
        ({"into": "halves", "min_successful": 0}, "min_successful is 0. Use a whole number of at least 1"),
    ],
)
def test_policies_that_make_no_sense_do_not_build(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(GraphBuildError) as caught:
        halving(**settings)

    assert text in str(caught.value)


def test_no_more_branches_can_be_asked_for_than_there_are() -> None:
    with pytest.raises(GraphBuildError, match="min_successful is 3, of 2 branches"):
        booking(min_successful=3)


# --- what is left is stopped --------------------------------------------------------------------------------------


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
        ({"stop_when": 1, "min_successful": 2}, "stop_when is 1, and min_successful is 2"),
        ({"deadline": timedelta(0)}, "deadline is 0 seconds. Use a positive duration"),
    ],
)
def test_ends_that_make_no_sense_do_not_build(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(GraphBuildError) as caught:
        racing(**settings)

    assert text in str(caught.value)
