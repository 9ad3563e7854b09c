"""What a run has not taken stays visible, with the time it came, also when the run has continued as new since."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shapes import conversation

from azure_functions_durable_graph.host.engine.messages import RaiseEvent
from azure_functions_durable_graph.run.limits import DISCARDED_LIMIT, HISTORY_BUDGET
from azure_functions_durable_graph.run.raised import LONGEST_NAME, discarded_events
from azure_functions_durable_graph.testing import GraphHost, GraphRun

AT = "2030-01-01T00:00:00+00:00"


def raise_event(run: GraphRun, name: str, value: Any) -> None:
    """Raise an event behind the API's back, with the value as the SDK's client sends it."""
    run.host._host.send(RaiseEvent(run.id, name, json.dumps(json.dumps(value))))


def pairs_of_answers(rounds: int) -> GraphRun:
    """A conversation that hears two answers to each of its questions at the same instant."""
    run = GraphHost(conversation()).start("conversation", {})
    for step in range(rounds):
        for event_id in ("first", "second"):
            raise_event(run, f"answer.{step}", {"id": event_id, "payload": {"text": event_id}})
        assert run.status == "waiting"
    return run


def test_discarded_answers_stay_in_the_history_through_continue_as_new() -> None:
    run = pairs_of_answers(HISTORY_BUDGET)

    assert run.state.said == ["first"] * HISTORY_BUDGET
    discarded = [event for event in run.events if event["outcome"] == "discarded"]
    assert [event["event_id"] for event in discarded] == [f"answer.{step}.second" for step in range(HISTORY_BUDGET)]
    assert all(event["at"] and event["event"] == "answer" for event in discarded)


def test_a_run_carries_the_last_of_them_only() -> None:
    run = pairs_of_answers(2 * DISCARDED_LIMIT)

    discarded = [event["step"] for event in run.events if event["outcome"] == "discarded"]
    assert discarded == list(range(2 * DISCARDED_LIMIT))[-len(discarded) :]
    assert DISCARDED_LIMIT <= len(discarded) < DISCARDED_LIMIT + HISTORY_BUDGET


def test_an_event_that_no_wait_has_asked_for_is_shown_too() -> None:
    run = GraphHost(conversation()).start("conversation", {})
    raise_event(run, "hello", 1)
    for _ in range(HISTORY_BUDGET):
        run.send("answer", {"text": "a"})

    (hello,) = (event for event in run.events if event["outcome"] == "discarded")
    assert (hello["event"], "step" in hello) == ("hello", False)


ids = st.sampled_from(["", "a", "b"])
raised = st.lists(st.tuples(st.sampled_from([0, 1, 2]), ids), max_size=8)


@given(raised, st.data())
@settings(max_examples=200, deadline=None)
def test_what_was_raised_is_taken_or_discarded_never_both(answers: list[tuple[int, str]], data: st.DataObject) -> None:
    taken = [one for one in answers if data.draw(st.booleans())]
    events = [
        (f"e.{step}", json.dumps(json.dumps({"id": event_id, "payload": 1} if event_id else 1)), AT)
        for step, event_id in answers
    ]

    discarded = discarded_events(events, taken)

    shown = Counter((line["step"], line.get("event_id", "").rpartition(".")[2]) for line in discarded)
    assert shown + Counter(taken) == Counter(answers)


@pytest.mark.parametrize("value", [None, 3, "text", "[" * 5000, {"id": 3}, {"id": "x" * 999, "payload": 1, "more": 2}])
def test_nothing_that_is_raised_breaks_it(value: Any) -> None:
    (line,) = discarded_events([("e" * 999, value, AT)], [])

    assert line == {"event": "e" * LONGEST_NAME, "at": AT}
