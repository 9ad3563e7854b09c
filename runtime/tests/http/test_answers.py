"""What an answer's sender is told: 200 applied, 409 never applied, 202 with a Location that tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from approvals import approval, asking
from contract import problem, start
from reviews import YES, parent, review
from shapes import Counter, conversation, increment

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.http.answers import Answer, Fate, fate_of, make_mark, read_answer
from azure_functions_durable_graph.http.events import get_event
from azure_functions_durable_graph.run.traversal import ANSWER_LIMIT
from azure_functions_durable_graph.testing import GraphHost, GraphRun, Problem, run_graph


def told(run: GraphRun, where: str) -> Any:
    """What the Location of an answer says."""
    return run.host.call(get_event, dict(zip(("id", "event_id"), where.split("/"), strict=True)))


def location(answer: Any) -> str:
    return f"{answer['id']}/{answer['event_id']}"


def refused(run: GraphRun, *args: Any, **named: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        run.send(*args, **named)
    return caught.value


def manage(run: GraphRun, verb: str) -> None:
    """Suspend, resume or terminate behind the API's back."""
    management = run.host._management
    assert management.handle("POST", f"instances/{run.id}/{verb}", {"reason": "test"}, b"").status == 202


@pytest.fixture
def run() -> GraphRun:
    return GraphHost(conversation()).start("conversation", {}, run_id="one")


# --- over HTTP ----------------------------------------------------------------------------------------------------


def test_a_repeated_post_under_its_key_is_told_the_same_and_counts_once(api: Any) -> None:
    run_id = api.post("/graphs/conversation/runs", json={}).json()["id"]
    key = {"Idempotency-Key": "delivery 17"}

    posts = [api.post(f"/runs/{run_id}/events/answer", json={"text": "a"}, headers=key) for _ in range(3)]

    assert [post.status_code for post in posts] == [200, 200, 200]
    assert len({post.json()["event_id"] for post in posts}) == 1
    run = api.get(f"/runs/{run_id}", params={"wait": 10}).json()
    assert (run["status"], run["state"]["said"]) == ("waiting", ["a"])


def test_an_answer_that_is_not_taken_in_time_is_202_with_a_location_that_tells(api: Any) -> None:
    run_id = start(api)
    api.get(f"/runs/{run_id}", params={"wait": 10})

    response = api.post(f"/runs/{run_id}/events/approval", params={"wait": 0}, json={"approved": True})

    assert response.status_code in (200, 202)
    if response.status_code == 202:
        where = response.headers["location"]
        assert where == f"{api.base_url}runs/{run_id}/events/{response.json()['event_id']}"
    api.get(f"/runs/{run_id}", params={"wait": 10})
    assert api.get(f"/runs/{run_id}/events/{response.json()['event_id']}").json()["outcome"] == "applied"


@pytest.mark.parametrize("key", ["", "x" * 201, "tab\tinside", b"caf\xe9"])
@pytest.mark.parametrize("path", ["/graphs/line/runs", "/runs/{run}/events/approval"])
def test_a_key_that_is_not_printable_ascii_or_too_long_is_422(api: Any, path: str, key: Any) -> None:
    response = api.post(path.format(run=start(api)), json={}, headers={"Idempotency-Key": key})

    assert "1 to 200 printable ASCII characters" in problem(response, 422, "invalid")["detail"]


@pytest.mark.parametrize("odd", ["approval", "approval.0", "approval.0.zz", "approval.x." + "a" * 24, "." * 5])
def test_an_event_id_that_no_location_has_is_404(api: Any, odd: str) -> None:
    problem(api.get(f"/runs/{start(api)}/events/{odd}"), 404, "event-not-found")


# --- one answer to one wait ---------------------------------------------------------------------------------------


def test_a_suspended_run_has_the_answer_pending_and_applies_it_when_it_goes_on(run: GraphRun) -> None:
    manage(run, "suspend")
    answer = run.post("answer", {"text": "a"}, key="k")
    again = run.post("answer", {"text": "a"}, key="k")

    assert (answer["outcome"], again) == ("pending", answer)
    assert told(run, location(answer))["outcome"] == "pending"
    manage(run, "resume")
    assert told(run, location(answer))["outcome"] == "applied"
    assert run.state.said == ["a"]


def test_of_two_pending_answers_the_first_is_applied_and_the_other_says_so(run: GraphRun) -> None:
    manage(run, "suspend")
    first, second = (run.post("answer", {"text": text}) for text in "ab")
    manage(run, "resume")

    assert told(run, location(first))["outcome"] == "applied"
    lost = told(run, location(second))
    assert (lost["outcome"], lost["reason"]) == ("discarded", "another answer was applied to this wait")
    shown = {event["event_id"]: event["outcome"] for event in run.events}
    assert shown == {first["event_id"]: "applied", second["event_id"]: "discarded"}
    assert run.state.said == ["a"]


def test_an_answer_to_a_run_that_is_terminated_before_it_takes_it_is_discarded(run: GraphRun) -> None:
    manage(run, "suspend")
    answer = run.post("answer", {"text": "a"}, key="k")
    manage(run, "terminate")

    assert told(run, location(answer))["reason"] == "the run ended without taking this answer"
    assert refused(run, "answer", {"text": "a"}, key="k").code == "run-finished"


def test_an_answer_that_the_deadline_overtakes_is_discarded() -> None:
    run = run_graph(asking(approval(1)), {})
    manage(run, "suspend")
    run.advance(timedelta(days=2))
    answer = run.post("approval", "late")
    manage(run, "resume")

    assert run.path == ["ask", "escalate"]
    assert told(run, location(answer))["reason"] == "the run ended without taking this answer"


def test_a_key_answers_from_the_list_long_after_the_run_is_over(run: GraphRun) -> None:
    first = run.post("answer", {"text": "stop"}, key="k")

    assert run.status == "completed"
    again = run.post("answer", {"text": "stop"}, key="k")
    assert (again["outcome"], again["event_id"]) == ("applied", first["event_id"])


def test_a_key_with_another_answer_is_422_whether_the_run_asks_or_is_over(run: GraphRun) -> None:
    run.send("answer", {"text": "a"}, key="k")
    assert refused(run, "answer", {"text": "b"}, key="k").code == "key-reused"
    run.send("answer", {"text": "stop"})
    assert refused(run, "answer", {"text": "b"}, key="k").code == "key-reused"
    assert run.state.said == ["a", "stop"]


def test_keys_are_per_run() -> None:
    host = GraphHost(conversation())
    runs = [host.start("conversation", {}) for _ in range(2)]
    for run in runs:
        run.send("answer", {"text": "a"}, key="k")

    assert [run.state.said for run in runs] == [["a"], ["a"]]


def test_a_key_is_known_through_every_generation(run: GraphRun) -> None:
    for number in range(60):
        run.send("answer", {"text": str(number)}, key=f"k{number}")
    answers = [run.post("answer", {"text": str(number)}, key=f"k{number}") for number in range(60)]

    assert {answer["outcome"] for answer in answers} == {"applied"}
    assert run.state.said == [str(number) for number in range(60)]
    assert {told(run, location(answer))["outcome"] for answer in answers} == {"applied"}


def test_a_raise_whose_response_was_lost_is_told_by_what_the_run_says(run: GraphRun) -> None:
    send = run.host._send

    async def losing(method: str, url: str, body: bytes) -> list[Any]:
        found = await send(method, url, body)
        if "/raiseEvent/" not in url:
            return found
        await run.host._host.drain()
        return [503, {"Message": "the connection was lost"}]

    run.host._send = losing  # type: ignore[method-assign]

    assert run.post("answer", {"text": "stop"})["outcome"] == "applied"


# --- children, and several waits ----------------------------------------------------------------------------------


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


# --- the question -------------------------------------------------------------------------------------------------

QUESTION = {"title": "Ship it?", "options": ["yes", "no"]}


def test_the_question_is_shown_with_the_wait_in_the_run_and_in_its_parent() -> None:
    decision = RouteDecision.wait_for_any({"yes": "ship", "no": "refund"}, prompt=QUESTION)
    run = run_graph(asking(decision), {})

    assert [wait["prompt"] for wait in run.view["waits"]] == [QUESTION, QUESTION]
    assert "prompt" not in run.send("yes").view


# --- what a run's list says ---------------------------------------------------------------------------------------


def test_an_answer_that_is_older_than_the_list_is_not_known_rather_than_denied(run: GraphRun) -> None:
    taken = [[step, "x"] for step in range(100, 100 + ANSWER_LIMIT)]
    peeked = run.host.peek("one")
    assert peeked is not None
    found = replace(peeked, run={**peeked.run, "taken": taken, "step": 2000})

    assert fate_of(Answer("answer", 99, "y"), found) is Fate.FORGOTTEN
    assert fate_of(Answer("answer", 100, "y"), found) is Fate.ANSWERED
    assert fate_of(Answer("answer", 1500, "y"), found) is Fate.EXPIRED
    assert fate_of(Answer("answer", 2000, "y"), found) is Fate.NOT_ASKED


def test_a_location_is_read_back_and_nothing_else_is() -> None:
    answer = Answer("manager_approval", 7, make_mark("key", "manager_approval", {"a": 1}))

    assert read_answer(str(answer)) == answer
    for odd in (f"manager_approval.07.{answer.mark}", f"manager approval.7.{answer.mark}", str(answer).upper()):
        assert read_answer(odd) is None


def test_a_mark_tells_keys_and_contents_apart_but_not_the_order_of_keys() -> None:
    mark = make_mark("k", "e", {"a": 1, "b": 2})

    assert mark == make_mark("k", "e", {"b": 2, "a": 1})
    assert mark != make_mark("k", "e", {"a": 1, "b": 3})
    assert mark != make_mark("k", "f", {"a": 1, "b": 2})
    assert mark != make_mark("l", "e", {"a": 1, "b": 2})
