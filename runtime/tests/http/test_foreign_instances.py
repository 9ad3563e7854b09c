"""What else may be in the hub: other orchestrations, and instances that somebody has started under our name by hand."""

import json
from typing import Any

import httpx
import pytest
from served import served
from shapes import conversation

from azure_functions_durable_graph import DurableGraphApp

GOOD = {
    "format": 1,
    "plan": {"graph": "conversation", "version": "1", "hash": "h", "max_steps": 5, "nodes": {"a": {}}},
    "input": {},
    "metadata": {},
    "started_at": "",
    "state": {},
    "node": "a",
    "step": 0,
    "trail": [],
}
"""The smallest input that has the shape of a run's."""

NO_RUNS: dict[str, Any] = {
    "null": None,
    "text": "hello",
    "number": 7,
    "list": [],
    "empty": {},
    "plan-number": {"plan": 5},
    "plan-text": {"plan": "not ours"},
    "plan-empty": {**GOOD, "plan": {}},
    "plan-list": {**GOOD, "plan": {**GOOD["plan"], "nodes": []}},  # type: ignore[dict-item]
    "node-number": {**GOOD, "plan": {**GOOD["plan"], "nodes": {"a": 5}}},  # type: ignore[dict-item]
    "state-list": {**GOOD, "state": []},
    "step-text": {**GOOD, "step": "0"},
    "trail-number": {**GOOD, "trail": [5]},
    "deep": json.loads("[" * 400 + "]" * 400),
}

ODD_RUNS: dict[str, Any] = {
    "unknown-node": {**GOOD, "node": "nowhere"},
    "unknown-kind": {**GOOD, "plan": {**GOOD["plan"], "nodes": {"a": {"kind": "magic"}}}},  # type: ignore[dict-item]
    "no-time": {**GOOD, "started_at": "yesterday"},
    "deep-state": {**GOOD, "state": {"x": json.loads("[" * 400 + "]" * 400)}},
}


@pytest.fixture(scope="module")
def api() -> Any:
    runtime = DurableGraphApp()
    runtime.register_registration(conversation())
    with served(runtime.function_app) as (url, _), httpx.Client(base_url=f"{url}/api", timeout=30) as client:
        management = f"{url}/runtime/webhooks/durabletask/orchestrators/durable_graph_run"
        for name, given in {**NO_RUNS, **ODD_RUNS}.items():
            assert httpx.post(f"{management}/{name}", json=given).status_code == 202
        assert httpx.post(f"{management}/a%20b", json=GOOD).status_code == 202
        assert client.post("/graphs/conversation/runs", json={"instance_id": "ours"}).status_code == 202
        client.get("/runs/ours", params={"wait": 10})
        yield client


FORGED = {"state-list", "trail-number"}
"""Instances that run although their input is not a run's. A list reads no inputs: it believes their status."""


def test_the_list_shows_the_runs_and_leaves_out_what_has_never_said_how_it_stands(api: Any) -> None:
    shown = api.get("/runs", params={"limit": 200})

    assert shown.status_code == 200
    assert {run["id"] for run in shown.json()["runs"]} - FORGED == {"ours", *ODD_RUNS}
    assert api.get("/graphs/conversation").status_code == 200


@pytest.mark.parametrize("run_id", NO_RUNS)
@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", ""), ("GET", "/history"), ("POST", "/events/answer"), ("POST", "/cancel")],
    ids=["get", "history", "event", "cancel"],
)
def test_an_instance_whose_input_is_not_a_runs_is_404_as_a_foreign_one_is(
    api: Any, run_id: str, method: str, path: str
) -> None:
    assert api.request(method, f"/runs/{run_id}{path}", json={}).status_code == 404


@pytest.mark.parametrize("run_id", ODD_RUNS)
def test_an_odd_run_is_shown_as_far_as_it_goes(api: Any, run_id: str) -> None:
    run, history = api.get(f"/runs/{run_id}"), api.get(f"/runs/{run_id}/history")

    assert (run.status_code, history.status_code) == (200, 200)
    assert run.json()["id"] == history.json()["id"] == run_id
    assert api.post(f"/runs/{run_id}/events/answer", json={"text": "x"}, params={"wait": 0}).status_code in (409, 410)
    assert api.post(f"/runs/{run_id}/cancel").status_code in (202, 410)


def test_an_odd_runs_history_says_why_it_ends(api: Any) -> None:
    assert "KeyError: 'nowhere'" in api.get("/runs/unknown-node/history").json()["incomplete"]
