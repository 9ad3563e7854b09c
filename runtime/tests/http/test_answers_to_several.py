"""Several waits, or several runs, that one answer may be for: which takes it, and what its sender is told."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from answering import location, refused, told
from approvals import asking
from reviews import YES, parent, review
from shapes import Counter, conversation, increment

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.testing import GraphHost, GraphRun, run_graph


@pytest.fixture
def run() -> GraphRun:
    return GraphHost(conversation()).start("conversation", {}, run_id="one")


def test_an_answer_is_taken_by_the_child_that_asks_and_known_in_both() -> None:
    host = GraphHost(parent(), review())
    run = host.start("article", {})
    (wait,) = run.view["waits"]
    child = wait["run"]
    assert wait["id"] == f"{child}/verdict.0"

    answer = run.post("verdict", YES, key="k")
    assert (answer["outcome"], answer["id"]) == ("applied", child)
    assert run.status == "completed"
    assert told(run, location(answer))["outcome"] == "applied"

    again = run.post("verdict", YES, key="k")
    assert (again["outcome"], again["id"]) == ("applied", run.id)
    assert told(run, location(again))["outcome"] == "applied"


def test_a_wait_id_picks_the_wait_and_says_when_it_is_over(run: GraphRun) -> None:
    run.send("answer", {"text": "a"}, wait_id="answer.0")

    assert refused(run, "answer", {"text": "b"}, wait_id="answer.0").code == "event-answered"
    asked_never = refused(run, "answer", {"text": "b"}, wait_id="answer.9")
    assert (asked_never.code, "no open wait 'answer.9' for 'answer'" in str(asked_never)) == ("event-not-awaited", True)
    assert refused(run, "answer", {"text": "b"}, wait_id="nonsense").code == "event-not-awaited"
    assert run.send("answer", {"text": "c"}, wait_id="answer.1").state.said == ["a", "c"]


def test_the_wait_of_a_child_is_over_once_the_child_has_its_answer() -> None:
    builder = ManifestBuilder("outer", Counter).set_entrypoint("talk")
    builder.add_subgraph("talk", graph="conversation", next_node="end")
    run = GraphHost(builder.add_node("end", increment, terminal=True).build(), conversation()).start("outer", {})
    (wait,) = run.view["waits"]
    run.send("answer", {"text": "a"}, wait_id=wait["id"])

    assert refused(run, "answer", {"text": "b"}, wait_id=wait["id"]).code == "event-answered"


def reminding() -> GraphRegistration:
    """Asks for an answer; after a day without one it asks for a reply."""

    def ask(state: Counter) -> RouteDecision:
        until = {"timeout": timedelta(days=1), "timeout_node": "remind"}
        return RouteDecision.wait_for_event(event_name="answer", resume_node="end", **until)  # type: ignore[arg-type]

    def ask_again(state: Counter) -> RouteDecision:
        return RouteDecision.wait_for_event(event_name="reply", resume_node="end")

    builder = ManifestBuilder("g", Counter).set_entrypoint("ask")
    builder.add_node("ask", increment, route=ask, targets=["end", "remind"])
    builder.add_node("remind", increment, route=ask_again, targets=["end"]).add_node("end", increment, terminal=True)
    for event in ("answer", "reply"):
        builder.add_event_handler(event, lambda state, payload: None)
    return builder.build()


def test_an_answer_to_a_wait_whose_deadline_has_passed_is_too_late() -> None:
    run = GraphHost(reminding()).start("g", {}).advance(timedelta(days=1))

    late = refused(run, "answer", {}, wait_id="answer.0")

    assert (late.status, late.code) == (409, "event-expired")
    assert "the wait was over before this answer reached the run" in str(late)


def test_the_sender_is_told_what_the_run_asks_for_instead() -> None:
    run = GraphHost(reminding()).start("g", {})

    assert "the run is waiting and asks for 'answer', not for 'reply'" in str(refused(run, "reply", {}))


def claiming(host: GraphHost, run_id: str, *children: str) -> None:
    """Let the status of a run name children that it does not have; today a run has one at a time."""
    api = host._api

    def with_claims() -> Any:
        surroundings = api()

        class Claiming:
            def __getattr__(self, name: str) -> Any:
                return getattr(surroundings.runs, name)

            async def get(self, wanted: str, *, history: bool = False) -> Any:
                found = await surroundings.runs.get(wanted, history=history)
                if found is None or wanted != run_id:
                    return found
                status = {**found.custom_status, "children": [{"id": one, "node": "n"} for one in children]}
                return replace(found, custom_status=status)

        return replace(surroundings, runs=Claiming())

    host._api = with_claims  # type: ignore[method-assign]


def test_several_children_that_ask_for_one_event_are_listed_and_one_is_picked() -> None:
    host = GraphHost(parent(), review())
    run, other = host.start("article", {}), host.start("article", {})
    mine, theirs = (one.view["children"][0]["id"] for one in (run, other))
    claiming(host, run.id, mine, theirs)

    found = refused(run, "verdict", YES)
    assert found.code == "event-ambiguous"
    assert [wait["id"] for wait in found.members["waits"]] == [f"{mine}/verdict.0", f"{theirs}/verdict.0"]

    assert run.post("verdict", YES, wait_id=f"{theirs}/verdict.0")["id"] == theirs
    assert (run.status, other.status) == ("waiting", "completed")


QUESTION = {"title": "Ship it?", "options": ["yes", "no"]}


def test_the_question_is_shown_with_the_wait_in_the_run_and_in_its_parent() -> None:
    decision = RouteDecision.wait_for_any({"yes": "ship", "no": "refund"}, prompt=QUESTION)
    run = run_graph(asking(decision), {})

    assert [wait["prompt"] for wait in run.view["waits"]] == [QUESTION, QUESTION]
    assert "prompt" not in run.send("yes").view
