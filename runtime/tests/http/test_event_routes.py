"""POST runs/{id}/events/{event}, over a real socket, through the SDK's real client."""

from typing import Any

import pytest
from contract import problem, start


def test_an_event_is_applied_once_the_run_asks_for_it(api: Any) -> None:
    run_id = start(api)

    response = api.post(f"/runs/{run_id}/events/approval", json={"approved": True})

    assert response.status_code == 200
    event_id = response.json()["event_id"]
    expected = {"id": run_id, "event": "approval", "event_id": event_id, "step": 0, "outcome": "applied"}
    assert response.json() == {**expected, "resume_node": "apply"}
    assert api.get(f"/runs/{run_id}/events/{event_id}").json() == expected
    assert api.get(f"/runs/{run_id}", params={"wait": 10}).json()["output"]["approved"] is True


def test_events_one_after_the_other_each_find_their_wait(api: Any) -> None:
    run_id = api.post("/graphs/conversation/runs", json={}).json()["id"]

    for text in ("a", "b", "c", "stop"):
        assert api.post(f"/runs/{run_id}/events/answer", json={"text": text}).status_code == 200

    assert api.get(f"/runs/{run_id}", params={"wait": 10}).json()["state"]["said"] == ["a", "b", "c", "stop"]


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"{", 400, "not-json"),
        (b'{"approved": "perhaps"}', 422, "invalid"),
        (b"{}", 422, "invalid"),
        (b"", 422, "invalid"),
        (b"null", 422, "invalid"),
        (b'{"approved": true, "__module__": "os"}', 422, "invalid"),
        (b" " * 6000, 413, "body-too-large"),
    ],
)
def test_a_bad_event_is_refused_and_the_run_still_waits(api: Any, body: Any, status: Any, code: Any) -> None:
    run_id = start(api)

    problem(api.post(f"/runs/{run_id}/events/approval", content=body), status, code)

    assert api.get(f"/runs/{run_id}", params={"wait": 10}).json()["status"] == "waiting"


def test_an_event_that_the_graph_never_asks_for_is_409_at_once(api: Any) -> None:
    body = problem(api.post(f"/runs/{start(api)}/events/aproval", json={}), 409, "event-not-awaited")

    assert "did you mean 'approval'?" in body["detail"]


def test_an_event_for_a_finished_run_is_410(api: Any) -> None:
    run_id = start(api)
    api.post(f"/runs/{run_id}/events/approval", json={"approved": True})
    api.get(f"/runs/{run_id}", params={"wait": 10})

    problem(api.post(f"/runs/{run_id}/events/approval", json={"approved": True}), 410, "run-finished")


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (rb'{"text": "\ud800"}', 422),
        (b'{"text": "\xed\xa0\x80"}', 422),
        (rb'{"\udc00": 1}', 422),
        (b'{"text": NaN}', 400),
        (b'{"text": -Infinity}', 400),
        (b'{"text": 1e999}', 422),
        (b'{"text": ' + b"[" * 150 + b"]" * 150 + b"}", 422),
        (b'{"text": "\xff"}', 400),
        (b'{"text": ' + b"9" * 4400 + b"}", 400),
    ],
    ids=["surrogate", "raw surrogate", "key", "nan", "infinity", "too large", "deep", "bytes", "digits"],
)
def test_a_payload_without_a_model_that_no_state_could_hold_is_refused(api: Any, body: bytes, status: int) -> None:
    run_id = api.post("/graphs/conversation/runs", json={}).json()["id"]

    problem(api.post(f"/runs/{run_id}/events/answer", content=body), status, "invalid" if status == 422 else "not-json")

    assert api.get(f"/runs/{run_id}", params={"wait": 10}).json()["status"] == "waiting"


def test_a_payload_that_no_parser_of_ours_could_walk_is_refused(api: Any) -> None:
    """Python 3.13 reads what 3.10 does not; neither takes it in."""
    run_id = api.post("/graphs/conversation/runs", json={}).json()["id"]
    response = api.post(f"/runs/{run_id}/events/answer", content=b'{"text": ' + b"[" * 2000 + b"]" * 2000 + b"}")

    assert response.status_code in (400, 422)
    assert "nested" in response.json()["detail"]


def test_a_payload_at_the_limit_is_taken_in_and_the_run_goes_on(api: Any) -> None:
    run_id = api.post("/graphs/conversation/runs", json={}).json()["id"]
    deep = b'{"text": "stop", "more": ' + b"[" * 98 + b"]" * 98 + b"}"

    assert api.post(f"/runs/{run_id}/events/answer", content=deep).status_code == 200
    assert api.get(f"/runs/{run_id}", params={"wait": 10}).json()["status"] == "completed"
