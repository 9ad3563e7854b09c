"""An app with a few graphs behind the real server, and the shape of the answers that it gives."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from typing import Any, Literal

import azure.functions as func
import httpx
from pydantic import BaseModel, Field
from served import served
from shapes import conversation, line

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.http.routes import ROUTES


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


LONGEST_PATH = 4000
"""Characters of a path; aiohttp itself refuses more than 8,190 bytes of a line."""


def documented(response: httpx.Response) -> None:
    """Fail for an answer whose status the table of routes does not tell."""
    path = response.request.url.raw_path.decode().partition("?")[0].removeprefix("/api/")
    for route in ROUTES if len(path) < LONGEST_PATH else ():
        if route.method == response.request.method and re.fullmatch(re.sub(r"{\w+}", "[^/]+", route.path), path):
            assert response.status_code in route.answers, f"{route.name} does not document {response.status_code}"


@contextlib.contextmanager
def contract_api() -> Iterator[httpx.Client]:
    """The app with its graphs and an orchestration that is not one of ours, behind the real server."""
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
        client.event_hooks["response"] = [documented]
        assert client.post("/start_foreign").text == "started"
        yield client
