"""The OpenAPI 3.1 document of an app, made from the route table and the graphs' schemas.

Each graph's start and each of its events get a path of their own, so that a reader sees the real bodies.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pydantic import BaseModel

from ..graph.fields import reads_raw_input
from ..graph.names import RUN_ID_PATTERN
from ..graph.registration import GraphRegistration
from ..graph.states import schema_for_people
from ..history.record import STATUSES
from . import bodies, responses
from .routes import Route
from .values import LONGEST_KEY

_RUN_ID = {"type": "string", "pattern": RUN_ID_PATTERN}

_QUERY: dict[str, Any] = {
    "status": {"enum": list(STATUSES)},
    "wait": {"type": "number", "minimum": 0, "maximum": 60},
    "wait_id": {"type": "string"},
    "since": {"type": "string", "format": "date-time"},
    "until": {"type": "string", "format": "date-time"},
    "hash": {"type": "string"},
    "limit": {"type": "integer", "minimum": 1, "maximum": 200},
}

_HEADER = {"type": "string", "pattern": f"^[ -~]{{1,{LONGEST_KEY}}}$"}

_NO_KEY = {"description": "the function key is missing, or wrong"}

_OTHER_BODIES: dict[str, dict[str, Any]] = {
    "get_diagram": {"text/plain": {"schema": {"type": "string"}}},
    "get_openapi": {"application/json": {"schema": {"type": "object"}}},
}
"""What routes answer whose responses have no model."""

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "errors": {"type": "array", "items": {"type": "object"}},
    },
}


def document(graphs: Sequence[GraphRegistration], routes: Iterable[Route], root: str) -> dict[str, Any]:
    """The whole document. `root` is the URL under which the routes are served."""
    paths: dict[str, dict[str, Any]] = {}
    schemas: dict[str, Any] = {"Problem": _PROBLEM}
    for route in routes:
        for path, operation in _operations(route, graphs, schemas):
            paths.setdefault(path, {})[route.method.lower()] = operation
    return {
        "openapi": "3.1.0",
        "info": {"title": "Durable graphs", "version": "1"},
        "servers": [{"url": root}],
        "security": [{"functionKey": []}],
        "paths": paths,
        "components": {
            "schemas": schemas,
            "securitySchemes": {"functionKey": {"type": "apiKey", "in": "header", "name": "x-functions-key"}},
        },
    }


def _operations(
    route: Route, graphs: Sequence[GraphRegistration], schemas: dict[str, Any]
) -> Iterable[tuple[str, dict[str, Any]]]:
    """The route itself, or one operation per graph or event where the body differs."""
    if route.name == "start_run":
        for graph in graphs:
            start = _start_schema(route, graph)
            body = _component(schemas, f"{graph.graph_name}.start", start)
            operation = _operation(route, f"start_{graph.graph_name}", schemas, body, bool(start.get("required")))
            yield _path(route, graph=graph.graph_name), operation
    elif route.name == "post_event":
        for event, payloads in _event_bodies(graphs, schemas).items():
            body = payloads[0] if len(payloads) == 1 else {"anyOf": payloads}
            needed = [schemas[one["$ref"].rpartition("/")[2]].get("required") for one in payloads]
            yield _path(route, event=event), _operation(route, f"post_{event}", schemas, body, all(needed))
    else:
        model = _model(route)
        body_of = None if model is None else _component(schemas, model.__name__, _schema(model, model.__name__))
        yield _path(route), _operation(route, route.name, schemas, body_of)


def _event_bodies(graphs: Sequence[GraphRegistration], schemas: dict[str, Any]) -> dict[str, list[dict[str, Any]]]:
    """The payloads of each event name, over all graphs that handle one of that name."""
    bodies: dict[str, list[dict[str, Any]]] = {}
    for graph in graphs:
        for event, code in graph.events.items():
            name = f"{graph.graph_name}.{event}"
            schema = {} if code.payload_model is None else _schema(code.payload_model, name)
            bodies.setdefault(event, []).append(_component(schemas, name, schema))
    return bodies


def _operation(
    route: Route, operation_id: str, schemas: dict[str, Any], body: dict[str, Any] | None, required: bool = False
) -> dict[str, Any]:
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    parameters: list[dict[str, Any]] = [
        {"name": name, "in": "path", "required": True, "schema": _RUN_ID if name == "id" else {"type": "string"}}
        for name in names
        if not (route.name == "start_run" or (route.name == "post_event" and name == "event"))
    ]
    for name in route.query:
        parameters.append({"name": name, "in": "query", "schema": _QUERY.get(name, {"type": "string"})})
    for name in route.headers:
        parameters.append({"name": name, "in": "header", "schema": _HEADER})
    operation: dict[str, Any] = {
        "operationId": operation_id,
        "summary": route.summary,
        "responses": {
            str(status): _answer(route, status, text, schemas) for status, text in sorted(route.answers.items())
        },
    }
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = {"required": required, "content": {"application/json": {"schema": body}}}
    if route.anonymous:
        operation["security"] = []
    else:
        operation["responses"]["401"] = _NO_KEY
    return operation


def _answer(route: Route, status: int, text: str, schemas: dict[str, Any]) -> dict[str, Any]:
    if status >= 400:
        schema = {"$ref": "#/components/schemas/Problem"}
        return {"description": text, "content": {"application/problem+json": {"schema": schema}}}
    if status in route.shows:
        model = getattr(responses, route.shows[status])
        schema = _component(schemas, model.__name__, _schema(model, model.__name__))
        return {"description": text, "content": {"application/json": {"schema": schema}}}
    content = _OTHER_BODIES.get(route.name)
    return {"description": text} if content is None else {"description": text, "content": content}


def _path(route: Route, **filled: str) -> str:
    path = "/" + route.path
    for name, value in filled.items():
        path = path.replace("{" + name + "}", value)
    return path


def _start_schema(route: Route, graph: GraphRegistration) -> dict[str, Any]:
    name = f"{graph.graph_name}.start"
    model = _model(route)
    schema = _schema(model, name) if model else {"properties": {}}
    state = _schema(graph.state_model, name)
    definitions = {**schema.pop("$defs", {}), **state.pop("$defs", {})}
    schema["properties"] = {**schema["properties"], "input": state}
    if not reads_raw_input(graph.state_model):
        state.setdefault("additionalProperties", False)  # a start refuses keys that nothing reads
    if state.get("required"):
        schema["required"] = ["input"]
    return {**schema, **({"$defs": definitions} if definitions else {})}


def _model(route: Route) -> type[BaseModel] | None:
    return None if route.body is None else getattr(bodies, route.body)


def _schema(model: type[BaseModel], component: str) -> dict[str, Any]:
    """A model's schema whose references point into its own component."""
    return schema_for_people(model, by_alias=True, references="#/components/schemas/" + component + "/$defs/{model}")


def _component(schemas: dict[str, Any], name: str, schema: dict[str, Any]) -> dict[str, Any]:
    schemas[name] = schema
    return {"$ref": f"#/components/schemas/{name}"}
