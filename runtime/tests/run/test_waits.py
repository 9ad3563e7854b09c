"""Waits: with a deadline, for one of several events, for time to pass, for a month."""

from datetime import timedelta
from typing import Any

import pytest
from approvals import approval, asking
from shapes import Counter, increment
from watching import record

from azure_functions_durable_graph import ManifestBuilder, RouteDecision
from azure_functions_durable_graph.testing import GraphHost, Problem, run_graph

EITHER = RouteDecision.wait_for_any({"approved": "ship", "rejected": "refund"})


@pytest.mark.parametrize("days", [0.01, 1, 5, 30, 400])
def test_an_answer_in_time_ends_the_wait_at_once_however_long_it_could_have_been(days: float) -> None:
    run = run_graph(asking(approval(days)), {})
    run.advance(timedelta(days=days * 0.9))

    run.send("approval", "yes")

    assert (run.status, run.path, run.state.said) == ("completed", ["ask", "ship"], ["yes"])


@pytest.mark.parametrize("days", [0.01, 1, 5, 30, 400])
def test_at_the_deadline_the_run_goes_on_elsewhere(days: float) -> None:
    run = run_graph(asking(approval(days)), {})
    run.advance(timedelta(days=days) - timedelta(seconds=1))
    assert run.status == "waiting"

    run.advance(timedelta(seconds=1))

    assert (run.status, run.path, run.state.said) == ("completed", ["ask", "escalate"], [])


def test_a_wait_shows_its_event_its_deadline_and_where_it_resumes() -> None:
    run = run_graph(asking(approval(30)), {})

    assert run.view["waits"] == [
        {"id": "approval.0", "event": "approval", "resume_node": "ship", "deadline": "2030-01-31T00:00:00+00:00"}
    ]


def test_an_answer_after_the_deadline_is_refused() -> None:
    run = run_graph(asking(approval(1)), {}).advance(timedelta(days=2))

    with pytest.raises(Problem, match="410 run-finished"):
        run.send("approval", "late")


@pytest.mark.parametrize(("event", "node"), [("approved", "ship"), ("rejected", "refund")])
def test_the_first_of_several_events_decides(event: str, node: str) -> None:
    run = run_graph(asking(EITHER), {})
    assert sorted(run.waits) == ["approved", "rejected"]

    run.send(event, "x")

    assert (run.status, run.path, run.state.said) == ("completed", ["ask", node], ["x"])


def test_several_events_can_have_a_deadline_too() -> None:
    decision = RouteDecision.wait_for_any(
        {"approved": "ship", "rejected": "refund"}, timeout=timedelta(days=10), timeout_node="escalate"
    )

    assert run_graph(asking(decision), {}).advance(timedelta(days=10)).path == ["ask", "escalate"]
    answered = run_graph(asking(decision), {}).advance(timedelta(days=9)).send("rejected", "no")
    assert answered.path == ["ask", "refund"]


@pytest.mark.parametrize("hours", [0.001, 1, 200, 2000])
def test_a_run_sleeps_and_wakes_at_its_time(hours: float) -> None:
    run = run_graph(asking(RouteDecision.sleep(timedelta(hours=hours), resume_node="poll")), {})
    assert run.status == "sleeping"
    assert "sleeps_until" in run.view

    run.advance(timedelta(hours=hours) - timedelta(milliseconds=1))
    assert run.status == "sleeping"

    run.advance(timedelta(milliseconds=1))
    assert run.path == ["ask", "poll"]


def test_a_wait_node_lets_time_pass() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a").add_node("a", increment, next_node="pause")
    builder.add_wait("pause", duration=timedelta(days=45), next_node="b").add_node("b", increment, terminal=True)
    host = GraphHost(builder.build())
    seen = record(host)
    run = host.start("g", {})

    run.advance(timedelta(days=44))
    assert run.status == "sleeping"
    run.advance(timedelta(days=1))

    assert (run.status, run.path) == ("completed", ["a", "pause", "b"])
    assert seen.nodes == ["a", "b"]


def test_no_timer_is_longer_than_three_days() -> None:
    host = GraphHost(asking(approval(20)))
    seen = record(host)
    run = host.start("g", {})
    run.advance(timedelta(days=21))

    leaves = [leaf for action in seen.episodes[-1][2].actions for leaf in action.leaves() if leaf.kind == 5]
    assert len(leaves) == 7


def test_a_run_that_polls_for_a_year_keeps_a_bounded_history() -> None:
    def poll(state: Counter) -> Any:
        if state.value >= 365:
            return "__complete__"
        return RouteDecision.sleep(timedelta(days=1), resume_node="poll")

    builder = ManifestBuilder("g", Counter).set_entrypoint("poll")
    builder.add_node("poll", increment, route=poll, targets=["poll", "__complete__"])
    host = GraphHost(builder.build())
    seen = record(host)

    run = host.start("g", {}).advance(timedelta(days=366))

    assert (run.status, run.state.value) == ("completed", 365)
    assert max(len(outcome.actions) for _, _, outcome in seen.episodes) <= 25


@pytest.mark.parametrize(
    ("decision", "text"),
    [
        ({"action": "sleep", "resume_node": "a"}, "needs duration"),
        ({"action": "sleep", "duration": -1, "resume_node": "a"}, "is -1 seconds; use zero or a positive duration"),
        ({"action": "wait_for_any", "events": {}}, "non-empty dict of at most 20 event names"),
        ({"action": "wait_for_event", "event_name": "e", "resume_node": "a", "timeout": 5}, "go together"),
        ({"action": "wait_for_any", "events": {f"e{n}": "a" for n in range(21)}}, "at most 20 event names"),
        ({"action": "next", "next_node": "a", "timeout": 5, "timeout_node": "a"}, "does not take"),
    ],
)
def test_a_wait_that_makes_no_sense_fails_with_a_sentence(decision: Any, text: str) -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=lambda state: decision)

    run = run_graph(builder.build(), {})

    assert run.error is not None
    assert text in run.error["message"]


def test_a_timeout_is_a_timedelta() -> None:
    with pytest.raises(TypeError, match="'soon'; use a timedelta"):
        RouteDecision.sleep("soon", resume_node="a")  # type: ignore[arg-type]


def test_a_sleeping_run_shows_when_it_wakes() -> None:
    sleeping = run_graph(asking(RouteDecision.sleep(timedelta(hours=90), resume_node="poll")), {})
    builder = ManifestBuilder("g", Counter).set_entrypoint("pause")
    builder.add_wait("pause", duration=timedelta(hours=90), next_node="b").add_node("b", increment, terminal=True)
    pausing = run_graph(builder.build(), {})

    for run in (sleeping, pausing):
        assert run.view["sleeps_until"] == "2030-01-04T18:00:00+00:00"
        assert run.advance(timedelta(hours=90)).status == "completed"
        assert "sleeps_until" not in run.view
