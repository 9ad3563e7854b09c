"""The management API, driven by the SDK's real client from inside an app, and by hand."""

import inspect
import json
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import httpx
import pytest
from served import served

from azure_functions_durable_graph.host.app.settings import Settings

SICK: set[str] = set()
"""While it holds anything, the orchestrator `sickly` fails."""

API = "/runtime/webhooks/durabletask"


def management_app() -> Any:
    """An app with one orchestrator, whose HTTP function calls any method of the client."""
    app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.orchestration_trigger(context_name="context")
    def listener(context: Any) -> Any:
        context.set_custom_status({"asks": "go"})
        heard = yield context.wait_for_external_event("go")
        return {"given": context.get_input(), "heard": json.loads(heard)}

    @app.orchestration_trigger(context_name="context")
    def sickly(context: Any) -> Any:
        if SICK:
            raise ValueError("sick")
        return context.get_input()
        yield

    @app.entity_trigger(context_name="context")
    def counter(context: Any) -> None:
        if context.operation_name == "delete":
            context.destruct_on_exit()
            return
        context.set_state(context.get_state(lambda: 0) + context.get_input())

    @app.route(route="entities/{method}", methods=["POST"])
    @app.durable_client_input(client_name="client")
    async def entities(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        asked = req.get_json()
        entity = df.EntityId(asked.pop("name"), asked.pop("key"))
        try:
            answer = await getattr(client, req.route_params["method"])(entity, **asked)
        except Exception as error:
            return func.HttpResponse(json.dumps({"error": str(error)}), status_code=400)
        state = {} if answer is None else {"exists": answer.entity_exists, "state": answer.entity_state}
        return func.HttpResponse(json.dumps(state))

    @app.route(route="wait/{id}", methods=["POST"])
    @app.durable_client_input(client_name="client")
    async def wait(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        response: func.HttpResponse = await client.wait_for_completion_or_create_check_status_response(
            req, req.route_params["id"], **req.get_json()
        )
        return response

    @app.route(route="call/{method}", methods=["POST"])
    @app.durable_client_input(client_name="client")
    async def call(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        try:
            asked: dict[str, Any] = {
                name: datetime.fromisoformat(value) if name.startswith("created_time") else value
                for name, value in req.get_json().items()
            }
            if "runtime_status" in asked:
                asked["runtime_status"] = [df.OrchestrationRuntimeStatus(text) for text in asked["runtime_status"]]
            found = getattr(client, req.route_params["method"])(**asked)
            answer = await found if inspect.isawaitable(found) else found
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
    """An object of the SDK as JSON; times that the filters take are given as text."""
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


def test_a_failed_instance_is_rewound_any_other_is_not(site: Any) -> None:
    SICK.add("sickly")
    call(site, "start_new", orchestration_function_name="sickly", instance_id="m9", client_input=1)
    assert finished(site, "m9")["runtimeStatus"] == "Failed"
    assert site.get(f"{API}/instances/m9?returnInternalServerErrorOnFailure=true").status_code == 500
    SICK.clear()

    assert call(site, "rewind", instance_id="m9", reason="healed")["answer"] is None
    assert (finished(site, "m9")["runtimeStatus"], finished(site, "m9")["output"]) == ("Completed", 1)

    refused = site.post(f"{API}/instances/m9/rewind?reason=again")
    assert (refused.status_code, refused.json()["Message"]) == (
        412,
        "only a failed instance can be rewound; m9 is Completed",
    )


def test_a_restart_begins_again_with_the_same_input(site: Any) -> None:
    call(site, "start_new", orchestration_function_name="sickly", instance_id="m10", client_input={"a": 1})
    finished(site, "m10")

    again = call(site, "restart", instance_id="m10")["answer"]["id"]
    assert again != "m10"
    assert finished(site, again)["output"] == {"a": 1}

    assert call(site, "restart", instance_id="m10", restart_with_new_instance_id=False)["answer"]["id"] == "m10"
    assert finished(site, "m10")["output"] == {"a": 1}


def test_a_live_instance_is_not_restarted_under_its_own_id(site: Any) -> None:
    start(site, "m11")

    answer = site.post(f"{API}/instances/m11/restart?restartWithNewInstanceId=false")

    assert (answer.status_code, "already exists" in answer.json()["Message"]) == (409, True)


def test_purging_by_filter_takes_what_has_ended_and_nothing_else(site: Any) -> None:
    before = datetime.now(timezone.utc) - timedelta(hours=1)
    start(site, "p-live")
    start(site, "p-dead")
    call(site, "terminate", instance_id="p-dead", reason="r")

    assert site.delete(f"{API}/instances/").status_code == 400
    running = call(site, "purge_instance_history_by", created_time_from=before.isoformat(), runtime_status=["Running"])
    assert running["answer"] == {"deleted": 0}
    gone = call(site, "purge_instance_history_by", created_time_from=before.isoformat())["answer"]["deleted"]

    assert gone >= 1
    assert status(site, "p-dead")["answer"] is None
    assert status(site, "p-live")["answer"]["runtimeStatus"] in ("Pending", "Running")


def test_instances_are_listed_by_their_start_and_page_by_page(site: Any) -> None:
    for number in range(3):
        start(site, f"page-{number}")
    later = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat()

    listed = call(site, "get_status_by", created_time_from=later)["answer"]
    first = site.get(f"{API}/instances/?instanceIdPrefix=page-&top=2")
    token = first.headers["x-ms-continuation-token"]
    rest = site.get(f"{API}/instances/?instanceIdPrefix=page-&top=2", headers={"x-ms-continuation-token": token})

    assert listed == []
    assert [item["instanceId"] for item in first.json()] == ["page-0", "page-1"]
    assert [item["instanceId"] for item in rest.json()] == ["page-2"]
    assert rest.headers["x-ms-continuation-token"] == ""
    assert site.get(f"{API}/instances/?createdTimeFrom=yesterday").status_code == 400


def test_entities_are_signalled_read_listed_and_deleted(site: Any) -> None:
    def entity(method: str, name: str = "counter", **arguments: Any) -> Any:
        return site.post(f"/api/entities/{method}", json={"name": name, "key": "K", **arguments}).json()

    assert entity("read_entity_state") == {"exists": False, "state": None}
    assert entity("signal_entity", operation_name="add", operation_input=20) == {}
    assert entity("signal_entity", name="COUNTER", operation_name="add", operation_input=22) == {}
    found = until(lambda: entity("read_entity_state"), lambda answer: answer["state"] == 42)
    assert found["exists"]

    listed = site.get(f"{API}/entities/counter?fetchState=true").json()
    assert [(item["entityId"], item["state"]) for item in listed] == [({"name": "counter", "key": "K"}, 42)]
    assert site.get(f"{API}/entities/other").json() == []
    assert "400" in entity("signal_entity", name="nobody", operation_name="add")["error"]
    assert "not an entity function" in site.post(f"{API}/entities/nobody/K?op=add").json()["Message"]

    assert site.delete(f"{API}/entities/counter/K").status_code == 202
    until(lambda: entity("read_entity_state"), lambda answer: not answer["exists"])


def until(ask: Any, fits: Any) -> Any:
    """Ask until the answer fits."""
    for _ in range(200):
        answer = ask()
        if fits(answer):
            return answer
    raise AssertionError(answer)


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


def test_all_instances_are_listed_at_once(site: Any) -> None:
    start(site, "all-1")

    assert "all-1" in [item["instanceId"] for item in call(site, "get_status_all")["answer"]]


def test_every_method_of_the_client_is_driven_here() -> None:
    """A release of the SDK with a new method shows here."""
    methods = {
        name
        for name, method in inspect.getmembers(df.DurableOrchestrationClient, inspect.isfunction)
        if not name.startswith("_")
    }
    elsewhere = {"get_client_response_links"}  # by create_check_status_response
    source = Path(__file__).read_text(encoding="utf-8")

    assert {name for name in methods - elsewhere if f'"{name}"' not in source and f".{name}(" not in source} == set()
