"""The management API on single instances and entities, driven by the SDK's real client and by hand."""

import inspect
import json
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import management_site
import pytest
from management_site import API, call, poll_until, served_site, start, status, wait_until_finished, wait_until_started


@pytest.fixture(scope="module")
def site() -> Any:
    with served_site() as client:
        yield client


def test_the_client_starts_asks_and_answers(site: Any) -> None:
    assert start(site, "m1", {"a": 1})["answer"] == "m1"

    running = wait_until_started(site, "m1")
    assert running["customStatus"] == {"asks": "go"}
    assert json.loads(running["input"]) == {"a": 1}

    assert call(site, "raise_event", instance_id="m1", event_name="go", event_data={"b": 2})["answer"] is None
    assert wait_until_finished(site, "m1")["output"] == {"given": {"a": 1}, "heard": {"b": 2}}


def test_an_id_is_made_where_none_is_given(site: Any) -> None:
    assert len(start(site, None)["answer"]) == 32


def test_an_unknown_instance_is_falsy(site: Any) -> None:
    assert status(site, "nobody") == {"answer": None, "truth": False}


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        ({"orchestration_function_name": "nothing"}, "doesn't exist, is disabled"),
        ({"orchestration_function_name": "listener", "instance_id": "@x"}, "must not start with '@'"),
    ],
)
def test_a_bad_start_raises_with_the_reason(site: Any, arguments: Any, text: Any) -> None:
    assert text in call(site, "start_new", **arguments)["error"]


def test_a_live_id_cannot_be_started_again(site: Any) -> None:
    start(site, "m2")

    assert "already exists" in start(site, "m2")["error"]


@pytest.mark.parametrize("method", ["raise_event", "terminate", "suspend", "resume", "rewind", "restart"])
def test_an_unknown_instance_raises(site: Any, method: Any) -> None:
    arguments = {"raise_event": {"event_name": "go"}, "restart": {}}.get(method, {"reason": "r"})

    error = call(site, method, instance_id="nobody", **arguments)["error"]
    assert "nobody" in error or "404" in error


def test_terminate_keeps_the_reason(site: Any) -> None:
    start(site, "m3")

    call(site, "terminate", instance_id="m3", reason="a & b?")

    ended = status(site, "m3")["answer"]
    assert (ended["runtimeStatus"], ended["output"]) == ("Terminated", "a & b?")
    assert "gone" in call(site, "raise_event", instance_id="m3", event_name="go")["error"]


def test_suspend_and_resume(site: Any) -> None:
    start(site, "m4")
    wait_until_started(site, "m4")

    call(site, "suspend", instance_id="m4", reason="lunch")
    assert status(site, "m4")["answer"]["runtimeStatus"] == "Suspended"
    assert "unexpected status code 500" in call(site, "suspend", instance_id="m4", reason="again")["error"]

    call(site, "resume", instance_id="m4", reason="back")
    assert status(site, "m4")["answer"]["runtimeStatus"] == "Running"


def test_the_history_shows_names_and_results(site: Any) -> None:
    start(site, "m6")
    call(site, "raise_event", instance_id="m6", event_name="go", event_data=1)
    wait_until_finished(site, "m6")

    url = "/runtime/webhooks/durabletask/instances/m6?showHistory=true&showHistoryOutput=true"
    events = site.get(url).json()["historyEvents"]

    assert [event["EventType"] for event in events] == ["ExecutionStarted", "EventRaised", "ExecutionCompleted"]
    assert events[0]["FunctionName"] == "listener"
    assert events[-1]["Result"] == {"given": None, "heard": 1}


def test_the_check_status_response_points_at_this_host(site: Any) -> None:
    start(site, "m7")

    response = site.get("/api/links/m7")

    assert response.status_code == 202
    urls = response.json()
    assert urls["statusQueryGetUri"].startswith(
        f"{site.base_url}/runtime/webhooks/durabletask/instances/m7?taskHub=Hub"
    )
    assert site.get(urls["statusQueryGetUri"]).json()["instanceId"] == "m7"


def test_whatever_is_wrong_the_body_is_json_or_empty(site: Any) -> None:
    start(site, "m8")
    call(site, "terminate", instance_id="m8", reason="r")
    base = "/runtime/webhooks/durabletask"
    answers = [
        site.get(f"{base}/nothing"),
        site.post(f"{base}/orchestrators/listener", content=b"{"),
        site.post(f"{base}/instances/m8/raiseEvent/go", content=b"{"),
        site.get(f"{base}/instances/nobody"),
        site.get(base),
    ]

    assert [answer.status_code for answer in answers] == [404, 400, 410, 404, 404]
    assert all(not answer.text or isinstance(answer.json(), dict) for answer in answers)


def test_entities_are_signalled_read_listed_and_deleted(site: Any) -> None:
    def entity(method: str, name: str = "counter", **arguments: Any) -> Any:
        return site.post(f"/api/entities/{method}", json={"name": name, "key": "K", **arguments}).json()

    assert entity("read_entity_state") == {"exists": False, "state": None}
    assert entity("signal_entity", operation_name="add", operation_input=20) == {}
    assert entity("signal_entity", name="COUNTER", operation_name="add", operation_input=22) == {}
    found = poll_until(lambda: entity("read_entity_state"), lambda answer: answer["state"] == 42)
    assert found["exists"]

    listed = site.get(f"{API}/entities/counter?fetchState=true").json()
    assert [(item["entityId"], item["state"]) for item in listed] == [({"name": "counter", "key": "K"}, 42)]
    assert site.get(f"{API}/entities/other").json() == []
    assert "400" in entity("signal_entity", name="nobody", operation_name="add")["error"]
    assert "not an entity function" in site.post(f"{API}/entities/nobody/K?op=add").json()["Message"]

    assert site.delete(f"{API}/entities/counter/K").status_code == 202
    poll_until(lambda: entity("read_entity_state"), lambda answer: not answer["exists"])


def test_waiting_for_completion_gives_the_output_or_the_links(site: Any) -> None:
    call(site, "start_new", orchestration_function_name="sickly", instance_id="m12", client_input="done")
    start(site, "m13")

    done = site.post("/api/wait/m12", json={"timeout_in_milliseconds": 10000, "retry_interval_in_milliseconds": 10})
    waiting = site.post("/api/wait/m13", json={"timeout_in_milliseconds": 30, "retry_interval_in_milliseconds": 10})

    assert (done.status_code, done.text) == (200, "done")
    assert (waiting.status_code, waiting.json()["id"]) == (202, "m13")


def test_a_start_that_waits_answers_with_the_output(site: Any) -> None:
    done = site.post(f"{API}/orchestrators/sickly?timeout=10&pollingInterval=1", json={"a": 1})
    not_yet = site.post(f"{API}/orchestrators/listener/m14?timeout=0")

    assert (done.status_code, done.json()) == (200, {"a": 1})
    assert (not_yet.status_code, not_yet.json()["id"]) == (202, "m14")


def test_the_links_name_every_operation(site: Any) -> None:
    start(site, "m15")
    urls = site.get("/api/links/m15").json()
    for name in ("terminatePostUri", "suspendPostUri", "resumePostUri", "rewindPostUri", "restartPostUri"):
        assert urls[name].startswith(f"{site.base_url}{API}/instances/m15/"), name
    payload = call(site, "create_http_management_payload", instance_id="m15")["answer"]
    assert payload["id"] == "m15"
    assert payload["terminatePostUri"] == urls["terminatePostUri"]


def test_every_method_of_the_client_is_driven_here() -> None:
    """A new method in a release of the SDK fails this test."""
    methods = {
        name
        for name, method in inspect.getmembers(df.DurableOrchestrationClient, inspect.isfunction)
        if not name.startswith("_")
    }
    elsewhere = {"get_client_response_links"}  # by create_check_status_response
    files = [Path(management_site.__file__), *Path(__file__).parent.glob("test_management*.py")]
    source = "".join(path.read_text(encoding="utf-8") for path in files)

    assert {name for name in methods - elsewhere if f'"{name}"' not in source and f".{name}(" not in source} == set()
