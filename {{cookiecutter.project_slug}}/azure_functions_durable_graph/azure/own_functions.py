"""The functions that every app has: the orchestrator, the activity, the routes; the studio and the entity if wanted.

No `from __future__ import annotations` here: see `app`.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import Any, cast

import azure.functions as func

from ..graph.names import ACTIVITY, ORCHESTRATOR, PROGRESS, STOP
from ..http.routes import ROUTES, Route
from ..work.registry import Registry
from .durable import df
from .graph_functions import GraphFunctions


@dataclass(frozen=True)
class OwnFunctions:
    """What they need. What each of them does is imported when it is first called."""

    registry: Registry
    max_body_bytes: int
    studio: bool
    progress: bool

    def add_to(self, app: GraphFunctions) -> None:
        """Register them with the function app."""
        self._add_orchestrator(app)
        self._add_activity(app)
        _add_stop(app)
        if self.progress:
            _add_progress_entity(app)
        for route in ROUTES:
            self._add_route(app, route)
        if self.studio:
            _add_studio(app)

    def _add_orchestrator(self, app: GraphFunctions) -> None:
        registry = self.registry

        @app.function_name(ORCHESTRATOR)
        @app.orchestration_trigger(context_name="context")
        def durable_graph_run(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
            from ..run.orchestrator import orchestrate
            from .faster_replays import speed_up_replays
            from .sparing import SparingContext

            speed_up_replays()
            sparing = SparingContext(context, registry.most_bytes)
            output = yield from orchestrate(cast(Any, sparing), cast(Any, context.get_input()))
            sparing.check_output(output)
            return output

    def _add_activity(self, app: GraphFunctions) -> None:
        registry = self.registry

        async def durable_graph_node(call: dict, context: func.Context) -> dict:  # type: ignore[type-arg]
            from .node_calls import run

            return await run(registry, call, context)

        async def reporting_node(  # with a client, through which the nodes report their progress
            call: dict,  # type: ignore[type-arg]
            context: func.Context,
            client: df.DurableOrchestrationClient,
        ) -> dict:  # type: ignore[type-arg]
            from .node_calls import run

            return await run(registry, call, context, client)

        activity = app.activity_trigger(input_name="call")
        if self.progress:
            app.function_name(ACTIVITY)(activity(app.durable_client_input(client_name="client")(reporting_node)))
        else:
            app.function_name(ACTIVITY)(activity(durable_graph_node))

    def _add_route(self, app: GraphFunctions, route: Route) -> None:
        level = func.AuthLevel.ANONYMOUS if route.anonymous else None
        registry, limit, progress = self.registry, self.max_body_bytes, self.progress

        @app.function_name(f"durable_graph_{route.name}")
        @app.route(route=route.path, methods=[route.method], auth_level=level)
        @app.durable_client_input(client_name="client")
        async def handle(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
            from .serving import serve

            return await serve(route, registry, limit, req, client, progress=progress)


def is_own_orchestrator(code: Any) -> bool:
    """Whether a registered function is the orchestrator above: the SDK notes which function its wrapper calls."""
    return getattr(getattr(code, "orchestrator_function", None), "__module__", None) == __name__


def _add_stop(app: GraphFunctions) -> None:
    @app.function_name(STOP)
    @app.activity_trigger(input_name="call")
    @app.durable_client_input(client_name="client")
    async def durable_graph_stop(call: dict, client: df.DurableOrchestrationClient) -> dict:  # type: ignore[type-arg]
        from .durable_runs import DurableRuns
        from .stopping import stop_runs

        return await stop_runs(DurableRuns(client), call)


def _add_progress_entity(app: GraphFunctions) -> None:
    @app.function_name(PROGRESS)
    @app.entity_trigger(context_name="context", entity_name=PROGRESS)
    def durable_graph_progress(context: df.DurableEntityContext) -> None:
        from .progress import handle

        handle(context)


def _add_studio(app: GraphFunctions) -> None:
    @app.function_name("durable_graph_studio")
    @app.route(route="studio/{*file}", methods=["GET"], auth_level=func.AuthLevel.ANONYMOUS)
    async def studio(req: func.HttpRequest) -> func.HttpResponse:
        from .serving import serve_studio

        return serve_studio(req)
