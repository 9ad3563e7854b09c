"""The one table of HTTP routes, and the handlers that only describe the graphs. Floor 6.

The table feeds the Azure app, the local host and the OpenAPI document, so that none of them can drift.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel

from . import api as runs
from .api import Api, CancelRequest, StartRequest, find_graph
from .graph import GraphRegistration
from .http import SVG, TEXT, Problem, Request, Response
from .listing import get_graph, list_runs
from .manifest import GraphManifest
from .mermaid import flowchart
from .openapi import document
from .svg import svg

Handler = Callable[[Api, Request], Awaitable[Response]]


@dataclass(frozen=True)
class Route:
    """One verb and path.

    `answers` maps each status to what it means; `body` is the request's model, `query` the keys of its query.
    """

    name: str
    method: str
    path: str
    handler: Handler
    summary: str
    answers: dict[int, str]
    body: type[BaseModel] | None = None
    query: tuple[str, ...] = ()
    anonymous: bool = False


async def list_graphs(api: Api, request: Request) -> Response:
    """200: every graph, by name."""
    return Response(200, {"graphs": [_summary(graph) for graph in api.registry.defaults()]})


async def get_diagram(api: Api, request: Request) -> Response:
    """200: the graph as a picture: Mermaid text, or SVG."""
    graph = find_graph(api, request)
    kind = request.query.get("format", "mermaid")
    if kind not in _PICTURES:
        raise Problem("invalid", f"format is one of {', '.join(map(repr, _PICTURES))}, not {kind!r}")
    draw, content_type = _PICTURES[kind]
    return Response(200, draw(graph.manifest), content_type=content_type)


_PICTURES: dict[str, tuple[Callable[[GraphManifest], str], str]] = {"mermaid": (flowchart, TEXT), "svg": (svg, SVG)}


async def get_openapi(api: Api, request: Request) -> Response:
    """200: this API as an OpenAPI 3.1 document."""
    return Response(200, document(api.registry.defaults(), ROUTES, request.root))


async def get_health(api: Api, request: Request) -> Response:
    """200: the app is loaded and its graphs are compiled."""
    return Response(200, {"status": "ok", "graphs": len(api.registry.defaults())})


def _summary(graph: GraphRegistration) -> dict[str, Any]:
    return {
        "graph": graph.graph_name,
        "version": graph.manifest.version,
        "graph_hash": graph.graph_hash,
        "nodes": list(graph.manifest.nodes),
        "events": list(graph.manifest.event_handlers),
    }


_RUN_404 = {404: "there is no such run"}
_GRAPH_404 = {404: "there is no such graph"}
_BODY = {400: "the body is not JSON", 413: "the body is too large", 422: "the request is not valid"}

ROUTES: tuple[Route, ...] = (
    Route(
        "start_run",
        "POST",
        "graphs/{graph}/runs",
        runs.start_run,
        "Start a run",
        {202: "the run is started", 200: "on_conflict=return found the run", 409: "the id is in use", **_GRAPH_404}
        | _BODY,
        body=StartRequest,
    ),
    Route(
        "get_run",
        "GET",
        "runs/{id}",
        runs.get_run,
        "See a run",
        {200: "the run", 422: "wait is not valid", **_RUN_404},
        query=("wait",),
    ),
    Route(
        "list_runs",
        "GET",
        "runs",
        list_runs,
        "List runs",
        {200: "a page of runs", 422: "status or limit is not valid"},
        query=("graph", "status", "limit", "cursor"),
    ),
    Route(
        "get_history",
        "GET",
        "runs/{id}/history",
        runs.get_history,
        "See the steps of a run",
        {200: "its steps and events", **_RUN_404},
    ),
    Route(
        "post_event",
        "POST",
        "runs/{id}/events/{event}",
        runs.post_event,
        "Answer a run that waits for an event",
        {202: "the event is accepted", 409: "the run is not asking for it", 410: "the run has finished", **_RUN_404}
        | _BODY,
        query=("wait",),
    ),
    Route(
        "cancel_run",
        "POST",
        "runs/{id}/cancel",
        runs.cancel_run,
        "Cancel a run",
        {202: "the run is being terminated", 410: "the run has finished", **_RUN_404} | _BODY,
        body=CancelRequest,
    ),
    Route("list_graphs", "GET", "graphs", list_graphs, "List the graphs", {200: "the graphs"}),
    Route(
        "get_graph",
        "GET",
        "graphs/{graph}",
        get_graph,
        "See a graph, its versions and how many live runs each has",
        {200: "the graph", **_GRAPH_404},
    ),
    Route(
        "get_diagram",
        "GET",
        "graphs/{graph}/diagram",
        get_diagram,
        "Draw a graph",
        {200: "Mermaid text or SVG", 422: "format is not valid", **_GRAPH_404},
        query=("format",),
    ),
    Route("get_openapi", "GET", "openapi.json", get_openapi, "This API as OpenAPI", {200: "the document"}),
    Route("get_health", "GET", "health", get_health, "Liveness", {200: "the app is up"}, anonymous=True),
)
