"""The functions that every app has: the orchestrator, the activity, the routes, the studio, and the entity of reports.

No `from __future__ import annotations` here: see `app`.
"""

from collections.abc import Generator
from typing import Any, cast

import azure.durable_functions as df
import azure.functions as func

from ..graph.names import ACTIVITY, ORCHESTRATOR, PROGRESS
from ..http.routes import ROUTES, Route
from ..work.registry import Registry
from .graph_functions import GraphFunctions


def add_own_functions(
    app: GraphFunctions, registry: Registry, max_body_bytes: int, *, progress: bool, studio: bool
) -> None:
    """Register them with the function app. What each does is imported when it is first called."""
    _add_orchestrator(app)
    if progress:
        _add_reporting_activity(app, registry)
        _add_progress_entity(app)
    else:
        _add_activity(app, registry)
    for route in ROUTES:
        _add_route(app, registry, max_body_bytes, route, progress=progress)
    if studio:
        _add_studio(app)


def _add_orchestrator(app: GraphFunctions) -> None:
    @app.function_name(ORCHESTRATOR)
    @app.orchestration_trigger(context_name="context")
    def durable_graph_run(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
        from ..run.orchestrator import orchestrate
        from .sdk import SparingContext, speed_up_replays

        speed_up_replays()
        return (yield from orchestrate(cast(Any, SparingContext(context)), cast(Any, context.get_input())))


def _add_activity(app: GraphFunctions, registry: Registry) -> None:
    @app.function_name(ACTIVITY)
    @app.activity_trigger(input_name="call")
    async def durable_graph_node(call: dict, context: func.Context) -> dict:  # type: ignore[type-arg]
        from .nodes import run

        return await run(registry, call, context)


def _add_reporting_activity(app: GraphFunctions, registry: Registry) -> None:
    """The same with a client, through which the nodes report their progress."""

    @app.function_name(ACTIVITY)
    @app.activity_trigger(input_name="call")
    @app.durable_client_input(client_name="client")
    async def durable_graph_node(
        call: dict,  # type: ignore[type-arg]
        context: func.Context,
        client: df.DurableOrchestrationClient,
    ) -> dict:  # type: ignore[type-arg]
        from .nodes import run

        return await run(registry, call, context, client)


def _add_progress_entity(app: GraphFunctions) -> None:
    @app.function_name(PROGRESS)
    @app.entity_trigger(context_name="context", entity_name=PROGRESS)
    def durable_graph_progress(context: df.DurableEntityContext) -> None:
        from .progress import handle

        handle(context)


def _add_route(app: GraphFunctions, registry: Registry, limit: int, route: Route, *, progress: bool) -> None:
    level = func.AuthLevel.ANONYMOUS if route.anonymous else None

    @app.function_name(f"durable_graph_{route.name}")
    @app.route(route=route.path, methods=[route.method], auth_level=level)
    @app.durable_client_input(client_name="client")
    async def handle(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
        from .serving import serve

        return await serve(route, registry, limit, req, client, progress=progress)


def _add_studio(app: GraphFunctions) -> None:
    @app.function_name("durable_graph_studio")
    @app.route(route="studio/{*file}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def studio(req: func.HttpRequest) -> func.HttpResponse:
        from .serving import serve_studio

        return serve_studio(req)
