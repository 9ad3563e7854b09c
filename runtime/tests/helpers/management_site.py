"""An app through which tests drive the SDK's client against the management API."""

from __future__ import annotations

import contextlib
import inspect
import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import httpx
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


@contextlib.contextmanager
def served_site() -> Iterator[httpx.Client]:
    """An HTTP client of the app, while it is served."""
    with served(management_app(), Settings(hub_name="Hub")) as (url, _), httpx.Client(base_url=url) as client:
        yield client


def call(site: Any, method: Any, **arguments: Any) -> Any:
    return site.post(f"/api/call/{method}", json=arguments).json()


def start(site: Any, instance_id: Any, given: Any = None) -> Any:
    return call(site, "start_new", orchestration_function_name="listener", instance_id=instance_id, client_input=given)


def status(site: Any, instance_id: Any) -> Any:
    return call(site, "get_status", instance_id=instance_id)


def wait_until_started(site: Any, instance_id: Any) -> Any:
    """The status, once the first episode has run."""
    for _ in range(200):
        found = status(site, instance_id)["answer"]
        if found["runtimeStatus"] != "Pending":
            return found
    raise AssertionError(found)


def wait_until_finished(site: Any, instance_id: Any) -> Any:
    for _ in range(200):
        found = status(site, instance_id)["answer"]
        if found["runtimeStatus"] not in ("Pending", "Running"):
            return found
    raise AssertionError(found)


def poll_until(ask: Any, fits: Any) -> Any:
    """Ask until the answer fits."""
    for _ in range(200):
        answer = ask()
        if fits(answer):
            return answer
    raise AssertionError(answer)
