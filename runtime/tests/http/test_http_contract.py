"""The HTTP routes, over a real socket, through the SDK's real client."""

import json
from typing import Any, Literal

import azure.functions as func
import httpx
import pytest
from openapi_spec_validator import validate
from pydantic import BaseModel, Field
from served import served
from shapes import conversation, increment, line

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, RouteDecision


class Ticket(BaseModel):
    """A state with rules."""

    ticket_id: str = Field(min_length=1)
    priority: Literal["low", "high"] = "low"
    approved: bool | None = None


class Approval(BaseModel):
    """A payload with rules."""

    approved: bool


def approvals() -> Any:
    builder = ManifestBuilder("approvals", Ticket)
    builder.set_entrypoint("ask")
    builder.add_node(
        "ask",
        lambda state: None,
        route=lambda state: RouteDecision.wait_for_event(event_name="approval", resume_node="apply"),
        targets=["apply"],
    )
    builder.add_node("apply", lambda state: None, terminal=True)
    builder.add_event_handler("approval", lambda state, payload: {"approved": payload.approved}, payload_model=Approval)
    return builder.build()


def broken() -> Any:
    def explode(state: Any) -> None:
        raise ValueError("no fuse")

    builder = ManifestBuilder("broken", Ticket).set_entrypoint("a").add_node("a", explode, terminal=True)
    return builder.build()


@pytest.fixture(scope="module")
def api() -> Any:
    runtime = DurableGraphApp(max_body_bytes=5000)
    for graph in (line("a", "b", "c"), approvals(), conversation(), broken()):
        runtime.register_registration(graph)
    app = runtime.function_app

    @app.orchestration_trigger(context_name="context")
    def foreign(context: Any) -> Any:
        yield context.wait_for_external_event("go")

    @app.route(route="start_foreign", methods=["POST"], auth_level=func.AuthLevel.ANONYMOUS)
    @app.durable_client_input(client_name="client")
    async def start_foreign(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        await client.start_new("foreign", "foreign-1", {"plan": "not ours"})
        return func.HttpResponse("started")

    with served(app) as (url, _), httpx.Client(base_url=f"{url}/api", timeout=30) as client:
        assert client.post("/start_foreign").text == "started"
        yield client


def start(api: Any, graph: Any = "approvals", **body: Any) -> Any:
    response = api.post(f"/graphs/{graph}/runs", json={"input": {"ticket_id": "T"}, **body})
    assert response.status_code == 202, response.text
    return response.json()["id"]


def problem(response: Any, status: Any, code: Any) -> Any:
    """The problem's body, after checking its shape."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert body["status"] == status
    assert body["type"] == f"urn:durable-graph:{code}"
    assert "Traceback" not in response.text
    return body


# --- start --------------------------------------------------------------------------------------------------------


def test_a_start_answers_202_with_the_place_to_look(api: Any) -> None:
    response = api.post("/graphs/line/runs", json={"input": {"goal": 3}, "metadata": {"by": "test"}})

    assert response.status_code == 202
    body = response.json()
    assert body["id"].startswith("line.")
    assert response.headers["location"] == body["status_url"] == f"{api.base_url}runs/{body['id']}"
    assert int(response.headers["retry-after"]) >= 1
    run = api.get(f"/runs/{body['id']}", params={"wait": 10}).json()
    assert run["status"] == "completed"
    assert run["output"] == {"value": 3, "goal": 3, "said": []}
    assert run["metadata"] == {"by": "test"}
    assert run["input"] == {"goal": 3}


def test_no_answer_carries_a_management_url_or_a_key(api: Any) -> None:
    response = api.post("/graphs/line/runs", json={})
    run = api.get(f"/runs/{response.json()['id']}", params={"wait": 10})

    for answer in (response, run):
        assert "code=" not in answer.text
        assert "runtime/webhooks" not in answer.text


@pytest.mark.parametrize(
    ("body", "status", "code", "text"),
    [
        (b"{nope", 400, "not-json", "not JSON"),
        (b"\xff", 400, "not-json", "UTF-8"),
        (b'{"input": NaN}', 400, "not-json", "NaN"),
        (b"[" * 4000, 400, "not-json", "JSON"),
        (b"[]", 422, "invalid", "body"),
        (b"7", 422, "invalid", "body"),
        (b'{"input": []}', 422, "invalid", "body.input"),
        (b'{"input": {}}', 422, "invalid", "input.ticket_id: Field required"),
        (b'{"input": {"ticket_id": ""}}', 422, "invalid", "input.ticket_id"),
        (b'{"ticket_id": "T"}', 422, "invalid", "body.ticket_id"),
        (b'{"input": {"ticket_id": "T", "priority": "huge"}}', 422, "invalid", "input.priority"),
        (b'{"input": {"ticket_id": "T"}, "instance_id": "a/b"}', 422, "invalid", "1 to 100 characters"),
        (b'{"input": {"ticket_id": "T"}, "instance_id": ".."}', 422, "invalid", "1 to 100 characters"),
        (b'{"input": {"ticket_id": "T"}, "instance_id": ""}', 422, "invalid", "1 to 100 characters"),
        (b'{"input": {"ticket_id": "T"}, "on_conflict": "maybe"}', 422, "invalid", "body.on_conflict"),
        (b'{"input": {"ticket_id": "T"}, "metadata": {"x": {"__class__": 1}}}', 422, "invalid", "reserved"),
        (b'{"input": {"ticket_id": "' + b"x" * 6000 + b'"}}', 413, "body-too-large", "the limit is 5000"),
    ],
)
def test_a_bad_start_is_refused_and_starts_nothing(api: Any, body: Any, status: Any, code: Any, text: Any) -> None:
    response = api.post("/graphs/approvals/runs", content=body, headers={"Content-Type": "application/json"})

    assert text in problem(response, status, code)["detail"]


def test_pydantics_details_come_with_a_422_but_not_the_values(api: Any) -> None:
    response = api.post("/graphs/approvals/runs", json={"input": {"ticket_id": "T", "priority": "s3cret"}})

    (error,) = problem(response, 422, "invalid")["errors"]
    assert error["loc"] == ["input", "priority"]
    assert error["type"] == "literal_error"
    assert "s3cret" not in response.text


def test_an_unknown_graph_is_404_with_a_hint(api: Any) -> None:
    body = problem(api.post("/graphs/aprovals/runs", json={}), 404, "graph-not-found")

    assert "did you mean 'approvals'?" in body["detail"]


def test_an_id_in_use_is_a_conflict_alive_or_finished(api: Any) -> None:
    start(api, instance_id="twice")
    again = {"input": {"ticket_id": "T"}, "instance_id": "twice"}

    problem(api.post("/graphs/approvals/runs", json=again), 409, "run-exists")
    api.post("/runs/twice/cancel", json={})
    problem(api.post("/graphs/approvals/runs", json=again), 409, "run-exists")


def test_a_repeated_start_with_on_conflict_return_finds_the_run(api: Any) -> None:
    body = {"input": {"ticket_id": "T"}, "instance_id": "again", "on_conflict": "return"}

    first = api.post("/graphs/approvals/runs", json=body)
    second = api.post("/graphs/approvals/runs", json=body)

    assert (first.status_code, second.status_code) == (202, 200)
    assert second.json()["id"] == "again"
    problem(api.post("/graphs/line/runs", json={**body, "input": {}}), 409, "run-exists")


def test_a_start_without_a_body_uses_the_defaults_of_the_state(api: Any) -> None:
    assert api.post("/graphs/line/runs").status_code == 202


# --- get ----------------------------------------------------------------------------------------------------------


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
    assert run["waits"] == [{"event": "approval", "resume_node": "apply"}]
    assert run["state"]["ticket_id"] == "T"
    assert run["output"] is None


def test_a_failed_run_shows_a_structured_error_and_no_trace(api: Any) -> None:
    run_id = start(api, "broken")

    response = api.get(f"/runs/{run_id}", params={"wait": 10})

    run = response.json()
    assert run["status"] == "failed"
    assert (run["error"]["type"], run["error"]["message"], run["error"]["node"]) == ("ValueError", "no fuse", "a")
    assert "Traceback" not in response.text


@pytest.mark.parametrize("wait", ["soon", "-1", "61", "nan"])
def test_a_wait_that_makes_no_sense_is_422(api: Any, wait: Any) -> None:
    problem(api.get(f"/runs/{start(api)}", params={"wait": wait}), 422, "invalid")


# --- events -------------------------------------------------------------------------------------------------------


def test_an_event_is_accepted_once_the_run_asks_for_it(api: Any) -> None:
    run_id = start(api)

    response = api.post(f"/runs/{run_id}/events/approval", json={"approved": True})

    assert response.status_code == 202
    assert response.json() == {"id": run_id, "event": "approval", "resume_node": "apply"}
    assert api.get(f"/runs/{run_id}", params={"wait": 10}).json()["output"]["approved"] is True


def test_events_one_after_the_other_each_find_their_wait(api: Any) -> None:
    run_id = api.post("/graphs/conversation/runs", json={}).json()["id"]

    for text in ("a", "b", "c", "stop"):
        assert api.post(f"/runs/{run_id}/events/answer", json={"text": text}).status_code == 202

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


# --- cancel -------------------------------------------------------------------------------------------------------


def test_a_cancelled_run_is_over_with_its_reason(api: Any) -> None:
    run_id = start(api)

    response = api.post(f"/runs/{run_id}/cancel", json={"reason": "user requested cancellation"})

    assert response.status_code == 202
    run = api.get(f"/runs/{run_id}", params={"wait": 10}).json()
    assert (run["status"], run["reason"]) == ("cancelled", "user requested cancellation")
    problem(api.post(f"/runs/{run_id}/cancel"), 410, "run-finished")


@pytest.mark.parametrize(("body", "status"), [(b"{", 400), (b'{"reason": 7}', 422), (b'{"why": "x"}', 422)])
def test_a_bad_cancel_cancels_nothing(api: Any, body: Any, status: Any) -> None:
    run_id = start(api)

    problem(api.post(f"/runs/{run_id}/cancel", content=body), status, "not-json" if status == 400 else "invalid")

    assert api.get(f"/runs/{run_id}", params={"wait": 10}).json()["status"] == "waiting"


# --- graphs -------------------------------------------------------------------------------------------------------


def test_the_graphs_are_listed_with_their_hashes(api: Any) -> None:
    graphs = api.get("/graphs").json()["graphs"]

    assert [graph["graph"] for graph in graphs] == ["approvals", "broken", "conversation", "line"]
    assert graphs[0]["events"] == ["approval"]
    assert graphs[3]["graph_hash"] == line("a", "b", "c").graph_hash


def test_a_graph_shows_its_manifest_and_versions(api: Any) -> None:
    graph = api.get("/graphs/line").json()

    assert graph["manifest"] == json.loads(json.dumps(line("a", "b", "c").manifest.to_dict()))
    (version,) = graph["versions"]
    assert (version["version"], version["default"], version["deployed"]) == ("1", True, True)
    problem(api.get("/graphs/nothing"), 404, "graph-not-found")


def test_a_graph_is_drawn_as_mermaid(api: Any) -> None:
    response = api.get("/graphs/line/diagram")

    assert response.text.startswith("flowchart TD\n")
    assert response.headers["content-type"].startswith("text/plain")
    picture = api.get("/graphs/line/diagram", params={"format": "svg"})
    assert picture.headers["content-type"] == "image/svg+xml"
    assert picture.text.startswith("<svg ")
    problem(api.get("/graphs/line/diagram", params={"format": "gif"}), 422, "invalid")
    problem(api.get("/graphs/nothing/diagram"), 404, "graph-not-found")


def test_the_openapi_document_is_valid_and_knows_every_graph_and_event(api: Any) -> None:
    document = api.get("/openapi.json").json()

    validate(document)
    assert document["servers"] == [{"url": str(api.base_url).rstrip("/")}]
    body = document["components"]["schemas"]["approvals.start"]
    assert body["properties"]["input"]["properties"]["priority"]["enum"] == ["low", "high"]
    assert "/runs/{id}/events/approval" in document["paths"]
    assert document["components"]["schemas"]["approvals.approval"]["required"] == ["approved"]
    assert document["paths"]["/health"]["get"]["security"] == []


def test_the_health_route_tells_that_the_app_is_up(api: Any) -> None:
    assert api.get("/health").json() == {"status": "ok", "graphs": 4}


def test_an_unknown_route_or_verb_is_404(api: Any) -> None:
    assert api.get("/nothing").status_code == 404
    assert api.delete("/graphs").status_code == 404


def test_every_route_but_health_asks_for_a_key_by_default() -> None:
    levels = {
        function.get_function_name(): str(function.get_bindings_dict()["bindings"])
        for function in DurableGraphApp().function_app.get_functions()
        if function.is_http_function()
    }

    assert len(levels) == 11
    open_ones = {name for name, level in levels.items() if "FUNCTION" not in level.upper()}
    assert open_ones == {"durable_graph_get_health"}


def test_two_graphs_with_an_event_of_one_name_share_its_path() -> None:
    from azure_functions_durable_graph.http.openapi import document
    from azure_functions_durable_graph.http.routes import ROUTES

    other = ManifestBuilder("other", Ticket).set_entrypoint("a").add_node("a", increment, terminal=True)
    other.add_event_handler("approval", lambda state, payload: None)

    paths = document([approvals(), other.build()], ROUTES, "/api")["paths"]

    schema = paths["/runs/{id}/events/approval"]["post"]["requestBody"]["content"]["application/json"]["schema"]
    assert len(schema["anyOf"]) == 2
