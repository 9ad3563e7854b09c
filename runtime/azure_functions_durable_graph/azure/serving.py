"""Converts Azure's requests to the values that the API takes, and its responses back.

Loaded with the first request, not with the app: a cold start does not need it.
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

from ..http.api import Api, Runs
from ..http.routes import Route
from ..http.values import Problem, Request, Response
from ..work.registry import Registry
from ..work.trace_context import read_trace

logger = logging.getLogger(__name__)


async def serve(
    route: Route, registry: Registry, limit: int, req: func.HttpRequest, client: Any, *, progress: bool = False
) -> func.HttpResponse:
    """Answer one request of the Functions host. `progress`: the app has the entity of reports."""
    return _to_azure(await _answer(route, registry, limit, req, client, progress))


def api_of(registry: Registry, runs: Runs, limit: int) -> Api:
    """The surroundings of one request."""
    return Api(
        registry=registry,
        runs=runs,
        now=lambda: datetime.now(timezone.utc),
        monotonic=time.monotonic,
        sleep=asyncio.sleep,
        unique=lambda: uuid.uuid4().hex,
        max_body_bytes=limit,
    )


def handler_of(route: Route) -> Callable[[Api, Request], Awaitable[Response]]:
    """The function that serves a route, which the table names as `module:function`."""
    module, _, name = route.handler.partition(":")
    loaded = importlib.import_module(f"..http.{module}", __package__)
    handler: Callable[[Api, Request], Awaitable[Response]] = getattr(loaded, name)
    return handler


async def _answer(
    route: Route, registry: Registry, limit: int, req: func.HttpRequest, client: Any, progress: bool
) -> Response:
    """The route's response; any error, even of an import, becomes a problem without a stack trace."""
    try:
        from .durable_runs import DurableRuns

        request = _from_azure(route, req)
        runs = DurableRuns(client, trace=read_trace(request.headers), progress=progress)
        return await handler_of(route)(api_of(registry, runs, limit), request)
    except Problem as problem:
        return problem.response()
    except Exception:
        logger.exception("%s failed", route.name)
        return Problem("internal", "the request could not be served; the app's log says why").response()


def _from_azure(route: Route, req: func.HttpRequest) -> Request:
    try:
        url = urlsplit(req.url)
    except ValueError:  # a Host header such as "["
        raise Problem("invalid", "the request's URL cannot be read; check its Host header") from None
    prefix = url.path.split("/")[: -len(route.path.split("/"))]
    return Request(
        params=dict(req.route_params),
        query=dict(req.params),
        body=req.get_body() or b"",
        root=f"{url.scheme}://{url.netloc}{'/'.join(prefix)}",
        headers={name.lower(): value for name, value in req.headers.items()},
    )


def _to_azure(response: Response) -> func.HttpResponse:
    return func.HttpResponse(
        response.encoded(),
        status_code=response.status,
        headers={**response.headers, "Content-Type": response.content_type},
    )


def serve_studio(req: func.HttpRequest) -> func.HttpResponse:
    """The studio's page, or one of its files."""
    from ..studio.files import find

    below = urlsplit(req.url).path.endswith("/")
    compressed = "gzip" in req.headers.get("accept-encoding", "")
    found = find(req.route_params.get("file") or "", below=below, compressed=compressed)
    if found is None:
        return func.HttpResponse("there is no such file; reload the page", status_code=404, mimetype="text/plain")
    return func.HttpResponse(found.body, headers=dict(found.headers))
