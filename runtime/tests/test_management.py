"""The management API, driven by the SDK's real client from inside an app, and by hand."""

import json
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import httpx
import pytest
from served import served

from azure_functions_durable_graph.dev.settings import Settings


def management_app() -> Any:
    """An app with one orchestrator, whose HTTP function calls any method of the client."""
    app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.orchestration_trigger(context_name="context")
    def listener(context: Any) -> Any:
        context.set_custom_status({"asks": "go"})
        heard = yield context.wait_for_external_event("go")
        return {"given": context.get_input(), "heard": json.loads(heard)}

    @app.route(route="call/{method}", methods=["POST"])
    @app.durable_client_input(client_name="client")
    async def call(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        try:
            answer = await getattr(client, req.route_params["method"])(**req.get_json())
        except Exception as error:
            return func.HttpResponse(json.dumps({"error": str(error)}), status_code=400)
        return func.HttpResponse(json.dumps({"answer": answer, "truth": bool(answer)}, default=shown))

    @app.route(route="links/{id}", methods=["GET"])
    @app.durable_client_input(client_name="client")
    async def links(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        response: func.HttpResponse = client.create_check_status_response(req, req.route_params["id"])
        return response

    return app


def shown(answer: Any) -> Any:
    """An object of the SDK as JSON."""
    if hasattr(answer, "instances_deleted"):
        return {"deleted": answer.instances_deleted}
    return answer.to_json() if answer else None  # the status of an unknown instance cannot be shown by the SDK


@pytest.fixture(scope="module")
def site() -> Any:
    with served(management_app(), Settings(hub_name="Hub")) as (url, _), httpx.Client(base_url=url) as client:
        yield client


def call(site: Any, method: Any, **arguments: Any) -> Any:
    return site.post(f"/api/call/{method}", json=arguments).json()


def start(site: Any, instance_id: Any, given: Any = None) -> Any:
    return call(site, "start_new", orchestration_function_name="listener", instance_id=instance_id, client_input=given)


def status(site: Any, instance_id: Any) -> Any:
    return call(site, "get_status", instance_id=instance_id)


def settled(site: Any, instance_id: Any) -> Any:
    """The status, once the first episode has run."""
    for _ in range(200):
        found = status(site, instance_id)["answer"]
        if found["runtimeStatus"] != "Pending":
            return found
    raise AssertionError(found)


def finished(site: Any, instance_id: Any) -> Any:
    for _ in range(200):
        found = status(site, instance_id)["answer"]
        if found["runtimeStatus"] not in ("Pending", "Running"):
            return found
    raise AssertionError(found)


def test_the_client_starts_asks_and_answers(site: Any) -> None:
    assert start(site, "m1", {"a": 1})["answer"] == "m1"

    running = settled(site, "m1")
    assert running["customStatus"] == {"asks": "go"}
    assert json.loads(running["input"]) == {"a": 1}

    assert call(site, "raise_event", instance_id="m1", event_name="go", event_data={"b": 2})["answer"] is None
    assert finished(site, "m1")["output"] == {"given": {"a": 1}, "heard": {"b": 2}}


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


@pytest.mark.parametrize("method", ["raise_event", "terminate", "suspend", "resume"])
def test_an_unknown_instance_raises(site: Any, method: Any) -> None:
    arguments = {"event_name": "go"} if method == "raise_event" else {"reason": "r"}

    assert "nobody" in call(site, method, instance_id="nobody", **arguments)["error"]


def test_terminate_keeps_the_reason(site: Any) -> None:
    start(site, "m3")

    call(site, "terminate", instance_id="m3", reason="a & b?")

    ended = status(site, "m3")["answer"]
    assert (ended["runtimeStatus"], ended["output"]) == ("Terminated", "a & b?")
    assert "gone" in call(site, "raise_event", instance_id="m3", event_name="go")["error"]


def test_suspend_and_resume(site: Any) -> None:
    start(site, "m4")
    settled(site, "m4")

    call(site, "suspend", instance_id="m4", reason="lunch")
    assert status(site, "m4")["answer"]["runtimeStatus"] == "Suspended"
    assert "unexpected status code 500" in call(site, "suspend", instance_id="m4", reason="again")["error"]

    call(site, "resume", instance_id="m4", reason="back")
    assert status(site, "m4")["answer"]["runtimeStatus"] == "Running"


def test_instances_are_listed_by_prefix_and_status(site: Any) -> None:
    start(site, "list-1")
    start(site, "list-2")
    call(site, "terminate", instance_id="list-2", reason="r")

    listed = call(site, "get_status_by", instance_id_prefix="list-")["answer"]
    assert sorted(item["instanceId"] for item in listed) == ["list-1", "list-2"]

    found = site.get("/runtime/webhooks/durabletask/instances/?instanceIdPrefix=list-&runtimeStatus=Terminated")
    assert [item["instanceId"] for item in found.json()] == ["list-2"]


def test_a_finished_instance_can_be_purged_a_live_one_cannot(site: Any) -> None:
    start(site, "m5")
    assert "412" in call(site, "purge_instance_history", instance_id="m5")["error"]

    call(site, "terminate", instance_id="m5", reason="r")
    assert call(site, "purge_instance_history", instance_id="m5")["answer"] == {"deleted": 1}
    assert call(site, "purge_instance_history", instance_id="m5")["answer"] == {"deleted": 0}


def test_the_history_shows_names_and_results(site: Any) -> None:
    start(site, "m6")
    call(site, "raise_event", instance_id="m6", event_name="go", event_data=1)
    finished(site, "m6")

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
