"""What an answer's sender is told: 200 applied, 409 never applied, 202 with a Location that tells."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from answering import location, manage, refused, told
from approvals import approval, asking
from contract import problem, start
from shapes import conversation

from azure_functions_durable_graph.http.answers import Answer, Fate, fate_of, make_mark, read_answer
from azure_functions_durable_graph.run.limits import ANSWER_LIMIT
from azure_functions_durable_graph.testing import GraphHost, GraphRun, run_graph


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
