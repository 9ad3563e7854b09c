"""The routes of a served app reach the engine of their own process directly, and the answers are those of HTTP."""

from typing import Any

import httpx
import pytest
from azure.durable_functions.models.utils import http_utils
from pydantic import BaseModel
from served import served

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.azure import in_process
from azure_functions_durable_graph.azure.durable_runs import DurableRuns


class State(BaseModel):
    steps: int = 0
    heard: str = ""


def ask(state: State) -> RouteDecision:
    return RouteDecision.wait_for_event(event_name="word", resume_node="second")


def app() -> Any:
    builder = ManifestBuilder("work", State).set_entrypoint("first")
    builder.add_node("first", lambda state: {"steps": 1}, route=ask, targets=["second"])
    builder.add_node("second", lambda state: {"steps": 2}, terminal=True)
    builder.add_event_handler("word", lambda state, payload: {"heard": payload["text"]})
    runtime = DurableGraphApp()
    runtime.register_registration(builder.build())
    return runtime.function_app


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the runs that were looked at; HTTP to the management API is out of order."""
    found: list[str] = []
    get = DurableRuns.get

    async def noted(runs: DurableRuns, run_id: str, *, history: bool = False) -> Any:
        found.append(run_id)
        return await get(runs, run_id, history=history)

    async def broken() -> Any:
        raise AssertionError("HTTP")

    monkeypatch.setattr(DurableRuns, "get", noted)
    monkeypatch.setattr(http_utils, "_get_session", broken)
    return found


def test_a_run_from_its_start_to_its_end_needs_no_http_within(looks: list[str]) -> None:
    with served(app()) as (url, _), httpx.Client(base_url=f"{url}/api", timeout=60) as client:
        run_id = client.post("/graphs/work/runs", json={}).json()["id"]
        assert client.get(f"/runs/{run_id}?wait=30").json()["status"] == "waiting"
        assert client.get("/runs?status=waiting").json()["runs"][0]["id"] == run_id
        answer = client.post(f"/runs/{run_id}/events/word?wait=30", json={"text": "hi"})
        assert (answer.status_code, answer.json()["outcome"]) == (200, "applied")
        assert client.get(f"/runs/{run_id}?wait=30").json()["output"] == {"steps": 2, "heard": "hi"}
        assert client.get("/runs/nobody").status_code == 404
        assert client.get("/runs?cursor=AAAA").status_code == 422


def test_a_request_that_waits_is_told_and_does_not_poll(looks: list[str]) -> None:
    with served(app()) as (url, _), httpx.Client(base_url=f"{url}/api", timeout=60) as client:
        run_id = client.post("/graphs/work/runs", json={}).json()["id"]
        client.get(f"/runs/{run_id}?wait=30")

    assert len(looks) <= 3  # at once, when it was told, and with the history


def test_a_host_that_has_ended_is_not_offered_any_more() -> None:
    with served(app()) as (url, _):
        assert any(known.startswith(url) for known in in_process._OFFERED)

    assert not any(known.startswith(url) for known in in_process._OFFERED)
