"""GET runs/{id}, over a real socket, through the SDK's real client."""

from typing import Any

import pytest
from contract import problem, start


@pytest.mark.parametrize("run_id", ["nobody", "a%2Fb", "x" * 101, "..%2F..", "%00", "foreign-1"])
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/history"), ("POST", "/events/approval"), ("POST", "/cancel")],
    ids=["get", "history", "event", "cancel"],
)
def test_a_run_that_is_not_ours_is_404(api: Any, run_id: Any, method: Any, path: Any) -> None:
    problem(api.request(method, f"/runs/{run_id}{path}", json={"approved": True}), 404, "run-not-found")


def test_a_foreign_orchestrations_id_cannot_be_taken(api: Any) -> None:
    body = {"input": {"ticket_id": "T"}, "instance_id": "foreign-1", "on_conflict": "return"}

    problem(api.post("/graphs/approvals/runs", json=body), 409, "run-exists")


def test_a_waiting_run_shows_what_it_asks_for_and_its_state_so_far(api: Any) -> None:
    run_id = start(api)

    run = api.get(f"/runs/{run_id}", params={"wait": 10}).json()

    assert run["status"] == "waiting"
    (wait,) = run["waits"]
    assert {key: wait[key] for key in ("id", "event", "resume_node")} == {
        "id": "approval.0",
        "event": "approval",
        "resume_node": "apply",
    }
    assert wait["payload_schema"]["required"] == ["approved"]
    assert run["state"]["ticket_id"] == "T"
    assert run["output"] is None


def test_a_failed_run_shows_a_structured_error_and_no_trace(api: Any) -> None:
    run_id = start(api, "broken")

    response = api.get(f"/runs/{run_id}", params={"wait": 10})

    run = response.json()
    assert run["status"] == "failed"
    assert (run["error"]["type"], run["error"]["message"], run["error"]["node"]) == ("ValueError", "no fuse", "a")
    assert "Traceback" not in response.text


@pytest.mark.parametrize("wait", ["soon", "-1", "61", "nan", "1_0", "\u0661"])
def test_a_wait_that_makes_no_sense_is_422(api: Any, wait: Any) -> None:
    problem(api.get(f"/runs/{start(api)}", params={"wait": wait}), 422, "invalid")
