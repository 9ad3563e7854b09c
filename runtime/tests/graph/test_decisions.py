"""What a route handler may return, and what it may not."""

from datetime import timedelta
from typing import Any

import pytest

from azure_functions_durable_graph import RouteAction, RouteDecision
from azure_functions_durable_graph.errors import DecisionError
from azure_functions_durable_graph.graph.decisions import as_decision, decision_after

WAIT = RouteDecision.wait_for_event(event_name="approval", resume_node="apply")


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (RouteDecision.next("a"), RouteDecision.next("a")),
        ("a", RouteDecision.next("a")),
        ("__complete__", RouteDecision.complete()),
        ({"action": "next", "next_node": "a"}, RouteDecision.next("a")),
        ({"action": RouteAction.COMPLETE, "note": "done"}, RouteDecision.complete(note="done")),
        ({"action": "wait_for_event", "event_name": "approval", "resume_node": "apply"}, WAIT),
    ],
    ids=["decision", "name", "complete", "dict", "enum in a dict", "wait in a dict"],
)
def test_a_route_may_answer_in_several_forms(answer: Any, expected: Any) -> None:
    assert as_decision(answer, default_next=None) == expected


def test_none_means_the_next_node_where_there_is_one_and_else_the_end() -> None:
    assert as_decision(None, default_next="b") == RouteDecision.next("b")
    assert as_decision(None, default_next=None) == RouteDecision.complete()


@pytest.mark.parametrize(
    ("answer", "text"),
    [
        (7, "not int"),
        ({"action": "jump"}, "'jump'"),
        ({"action": "next"}, "next_node"),
        ({"action": "next", "next_nod": "a"}, "next_nod"),
        ({}, "not None"),
        ("", "non-empty"),
    ],
    ids=["number", "unknown action", "no target", "misspelt key", "empty dict", "empty name"],
)
def test_anything_else_is_an_error_that_says_what_was_wrong(answer: Any, text: Any) -> None:
    with pytest.raises(DecisionError, match=text):
        as_decision(answer, default_next=None)


def test_a_decision_cannot_be_two_things_at_once() -> None:
    with pytest.raises(DecisionError, match="does not take event_name"):
        RouteDecision(RouteAction.NEXT, next_node="a", event_name="approval")


@pytest.mark.parametrize("decision", [RouteDecision.next("a", note="n"), RouteDecision.complete(), WAIT])
def test_a_decision_survives_the_wire(decision: Any) -> None:
    assert RouteDecision.from_dict(decision.to_dict()) == decision


def test_without_a_route_the_static_edge_decides() -> None:
    assert decision_after({"next": "b"}, {}) == RouteDecision.next("b")
    assert decision_after({}, {}) == RouteDecision.complete()
    assert decision_after({"next": "b"}, {"decision": WAIT.to_dict()}) == WAIT


LONG = timedelta(days=3_000_000)


@pytest.mark.parametrize(
    ("decide", "text"),
    [
        (lambda: RouteDecision.sleep(LONG, resume_node="a"), "duration .* at most 3650 days are supported"),
        (lambda: RouteDecision.sleep(timedelta(seconds=-1), resume_node="a"), "is -1 seconds; use zero or a positive"),
        (lambda: RouteDecision.sleep(float("nan"), resume_node="a"), "is nan; use a timedelta"),  # type: ignore[arg-type]
        (lambda: RouteDecision.wait_for_any({"e": "a"}, timeout=LONG, timeout_node="b"), "timeout .* at most 3650"),
        (lambda: RouteDecision.wait_for_any(["e"]), r"non-empty dict .* not \['e'\]"),  # type: ignore[arg-type]
        (lambda: RouteDecision.from_dict({"action": "sleep", "duration": float("inf"), "resume_node": "a"}), "is inf"),
        (lambda: RouteDecision.from_dict({"action": "sleep", "duration": 10**400, "resume_node": "a"}), "at most 3650"),
        (lambda: RouteDecision.from_dict({"action": "sleep", "duration": True, "resume_node": "a"}), "is True; use a"),
        (
            lambda: RouteDecision.from_dict(
                {"action": "wait_for_event", "event_name": "e", "resume_node": "a", "timeout": -5, "timeout_node": "b"}
            ),
            "the timeout of a 'wait_for_event' decision is -5 seconds; use zero or a positive duration",
        ),
        (
            lambda: RouteDecision.wait_for_any({"e": "a"}, timeout=timedelta(1), timeout_node=7),  # type: ignore[arg-type]
            "timeout_node is 7; use the name of a node",
        ),
        (lambda: RouteDecision("jump"), "one of 'next', .* not 'jump'"),  # type: ignore[arg-type]
    ],
)
def test_a_decision_that_makes_no_sense_is_refused(decide: Any, text: str) -> None:
    with pytest.raises(DecisionError, match=text):
        decide()


def test_a_moment_that_has_come_is_no_mistake() -> None:
    assert RouteDecision.sleep(timedelta(0), resume_node="a").duration == 0.0


def test_a_prompt_travels_with_a_wait_and_only_with_a_wait() -> None:
    question = {"title": "Ship?", "options": ["yes", "no"]}
    decision = RouteDecision.wait_for_event(event_name="e", resume_node="n", prompt=question)

    assert RouteDecision.from_dict(decision.to_dict()) == decision
    assert as_decision(decision.to_dict(), None).prompt == question
    assert RouteDecision.wait_for_any({"e": "n"}, prompt="Ship?").to_dict()["prompt"] == "Ship?"
    with pytest.raises(DecisionError, match="a 'next' decision does not take prompt"):
        RouteDecision.from_dict({"action": "next", "next_node": "n", "prompt": "Ship?"})


@pytest.mark.parametrize(
    ("prompt", "text"),
    [
        ("x" * 1999, "prompt has 2001 bytes of JSON; the limit is 2000"),
        ({"when": timedelta(1)}, "prompt is plain JSON: prompt.when: timedelta is not a JSON value"),
        ({"__class__": 1}, "is reserved by the durable codec"),
        (float("nan"), "nan is not a JSON value"),
    ],
)
def test_a_prompt_that_is_not_plain_json_or_too_long_is_refused(prompt: object, text: str) -> None:
    with pytest.raises(DecisionError, match=text):
        RouteDecision.wait_for_event(event_name="e", resume_node="n", prompt=prompt)
