"""Azure's requests and durable client as the values that the API speaks, and its answers back.

Loaded with the first request, not with the app: a cold start needs none of it.
"""

import asyncio
import importlib
import logging
import time
import uuid
from collections.abc import Awaitable, Callable
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlsplit

import azure.functions as func

from ..errors import RegistrationError
from ..graph.names import tick_id
from ..http.api import Api, IdTaken, Runs
from ..http.routes import Route
from ..http.values import Problem, Request, Response
from ..work.registry import Registry

logger = logging.getLogger(__name__)


async def serve(route: Route, registry: Registry, limit: int, req: func.HttpRequest, client: Any) -> func.HttpResponse:
    """Answer one request of the Functions host."""
    return _to_azure(await _answer(route, registry, limit, req, client))


async def start_on_schedule(
    registry: Registry, client: Any, graph_name: str, label: str, cron: str, given: dict[str, Any]
) -> None:
    """Start the run of one tick, unless it is there already."""
    graph = registry.default(graph_name)
    if graph is None:
        raise RegistrationError(f"the schedule {label!r} starts the unknown graph {graph_name!r}")
    from ..http.runs import run_input
    from .durable_runs import DurableRuns

    now = datetime.now(timezone.utc)
    run_id = tick_id(label, cron, now)
    try:
        await DurableRuns(client).start(run_id, run_input(graph, given, {"schedule": label}, now), fresh=False)
    except IdTaken:
        logger.info("the run %s of schedule %r is there already", run_id, label)


def _api(registry: Registry, runs: Runs, limit: int) -> Api:
    return Api(
        registry=registry,
        runs=runs,
        now=lambda: datetime.now(timezone.utc),
        monotonic=time.monotonic,
        sleep=asyncio.sleep,
        unique=lambda: uuid.uuid4().hex,
        max_body_bytes=limit,
    )


def _handler(route: Route) -> Callable[[Api, Request], Awaitable[Response]]:
    """The function behind a route, which the table names as `module:function`."""
    module, _, name = route.handler.partition(":")
    loaded = importlib.import_module(f"..http.{module}", __package__)
    handler: Callable[[Api, Request], Awaitable[Response]] = getattr(loaded, name)
    return handler


async def _answer(route: Route, registry: Registry, limit: int, req: func.HttpRequest, client: Any) -> Response:
    """The route's answer; whatever goes wrong, an import included, becomes a problem without a stack trace."""
    try:
        from .durable_runs import DurableRuns

        return await _handler(route)(_api(registry, DurableRuns(client), limit), _from_azure(route, req))
    except Problem as problem:
        return problem.response()
    except Exception:
        logger.exception("%s failed", route.name)
        return Problem("internal", "the request could not be served; the app's log says why").response()


def _from_azure(route: Route, req: func.HttpRequest) -> Request:
    url = urlsplit(req.url)
    prefix = url.path.split("/")[: -len(route.path.split("/"))]
    return Request(
        params=dict(req.route_params),
        query=dict(req.params),
        body=req.get_body() or b"",
        root=f"{url.scheme}://{url.netloc}{'/'.join(prefix)}",
    )


def _to_azure(response: Response) -> func.HttpResponse:
    return func.HttpResponse(
        response.encoded(),
        status_code=response.status,
        headers={**response.headers, "Content-Type": response.content_type},
    )
