"""Handlers that only describe the graphs and the API."""

from __future__ import annotations

import sys
from typing import Any

from ..declare.drawing import drawing
from ..declare.mermaid import flowchart
from ..declare.waits_in_code import waits_in_code
from ..graph.registration import GraphRegistration
from ..graph.states import schema_for_people
from .api import Api, find_graph
from .openapi import document
from .routes import ROUTES
from .values import TEXT, Problem, Request, Response


async def list_graphs(api: Api, request: Request) -> Response:
    """200: every graph, by name."""
    return Response(200, {"graphs": [_summary(graph) for graph in api.registry.defaults()]})


async def get_manifest(api: Api, request: Request) -> Response:
    """200: the manifest of one version; with `?hash=` of the one that runs of that hash use, which may be a later one.

    `state_schema` has what the manifest leaves out: titles, descriptions, examples. `drawing` is the graph as boxes and
    arrows. `code` is how a test imports it, or null where it is not at the top level of a module. Problem: 404.
    """
    graph = find_graph(api, request)
    wanted = request.query.get("hash", graph.graph_hash)
    found = api.registry.find(graph.graph_name, wanted)
    if found is None:
        raise Problem("graph-not-found", f"graph {graph.graph_name!r} is not deployed with the hash {wanted[:64]!r}")
    waits = waits_in_code(found)
    answer = {
        "graph": found.graph_name,
        "version": found.manifest.version,
        "graph_hash": found.graph_hash,
        "manifest": found.manifest.to_dict(),
        "state_schema": schema_for_people(found.state_model),
        "waits": waits,
        "drawing": drawing(found.manifest, waits).to_dict(),
        "code": _place(found),
    }
    return Response(200, answer)


def _place(graph: GraphRegistration) -> dict[str, str] | None:
    """The module and the name under which a graph can be imported."""
    module = graph.origin.partition(" ")[0]
    names = vars(sys.modules[module]) if module in sys.modules else {}
    return next(({"module": module, "name": name} for name, value in names.items() if value is graph), None)


async def get_diagram(api: Api, request: Request) -> Response:
    """200: the graph as Mermaid text, for documents; the studio draws pictures."""
    graph = find_graph(api, request)
    return Response(200, flowchart(graph.manifest, waits_in_code(graph)), content_type=TEXT)


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
