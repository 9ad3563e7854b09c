"""Handlers that only describe the graphs and the API."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..declare.mermaid import flowchart
from ..declare.svg import svg
from ..graph.manifest import GraphManifest
from ..graph.registration import GraphRegistration
from .api import Api, find_graph
from .openapi import document
from .routes import ROUTES
from .values import SVG, TEXT, Problem, Request, Response


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
