"""What can be wrong with the code of a graph, as far as source, signatures and annotations prove it."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from ..errors import Fault
from ..graph.annotations import members, sure_class
from ..graph.item_results import value_type
from ..graph.manifest import GraphManifest
from ..graph.names import did_you_mean, item_path
from ..graph.registration import EventCode, NodeCode
from ..graph.signatures import signature_problem
from .annotation_checks import Role, annotation_faults, element_type, item_type_faults

HANDLER = Role("handler", ("state",))
ROUTE = Role("route", ("state",))
MAP = Role("map handler", ("state", "item"))
EVENT = Role("event handler", ("state", "payload"))


def code_faults(
    manifest: GraphManifest,
    state_model: type[BaseModel] | None,
    nodes: Mapping[str, NodeCode],
    events: Mapping[str, EventCode],
    item_types: Mapping[str, Any],
) -> list[Fault]:
    """Code that cannot be called or certainly has wrong types; events without a handler; conflicting writes.

    `state_model` is None if it is itself wrong. `item_types` are the types that maps declare for their items.
    """
    found: list[Fault] = []
    for where, role, code, gives in _all_code(manifest, state_model, nodes, events, item_types):
        faults = list(_call_faults(where, role, code))
        found += faults or list(annotation_faults(where, role, code, state_model, gives))
    found += [*_mapped_models(manifest, state_model), *_parts_of_items(manifest, state_model)]
    found += _collections(manifest, state_model)
    for name, declared in item_types.items():
        found += item_type_faults(f"node {name!r}", declared, element_type(state_model, manifest.nodes[name].over))
    return [*found, *_unhandled_events(manifest, nodes), *_conflicts(manifest, nodes)]


def _all_code(
    manifest: GraphManifest,
    state_model: type[BaseModel] | None,
    nodes: Mapping[str, NodeCode],
    events: Mapping[str, EventCode],
    item_types: Mapping[str, Any],
) -> Iterator[tuple[str, Role, Any, Any]]:
    """For each piece of code: where it is, its role, the code, and the type of its second argument."""
    for name, spec in manifest.nodes.items():
        where, code = f"node {name!r}", nodes[name]
        if spec.kind == "map" and spec.graph is None:
            yield where, MAP, code.handler, item_types.get(name) or element_type(state_model, spec.over)
        elif spec.kind == "task":
            yield where, HANDLER, code.handler, None
        if code.route is not None:
            yield where, ROUTE, code.route, None
    for name, event in events.items():
        yield f"event {name!r}", EVENT, event.handler, event.payload_model


def _mapped_models(manifest: GraphManifest, state_model: type[BaseModel] | None) -> Iterator[Fault]:
    """Maps over a model, which may be a list in JSON, but not in the state that a handler gets."""
    for name, spec in manifest.nodes.items():
        info = state_model.model_fields.get(str(spec.over)) if state_model is not None and spec.kind == "map" else None
        for kind in () if info is None else members(info.annotation, {}):
            cls = sure_class(kind)
            if cls is not None and issubclass(cls, BaseModel):
                problem = f"over names {spec.over!r}, which is a {cls.__name__}"
                yield Fault(f"node {name!r}", problem, "Name a field that is a list, a tuple, a set or a dict")


def _parts_of_items(manifest: GraphManifest, state_model: type[BaseModel] | None) -> Iterator[Fault]:
    """What a map that runs a graph takes of its items, where their type is a model."""
    for name, spec in manifest.nodes.items():
        cls = sure_class(element_type(state_model, spec.over)) if spec.kind == "map" and spec.graph else None
        if cls is None or not issubclass(cls, BaseModel) or cls.model_config.get("extra") == "allow":
            continue
        for source in (spec.input or {}).values():
            first = (item_path(source) or [""])[0]
            if first and first not in cls.model_fields:
                text = did_you_mean(first, cls.model_fields)
                problem = f"input names {source!r}, and {cls.__name__} has no such field"
                yield Fault(f"node {name!r}", problem, text[0].upper() + text[1:])


def _collections(manifest: GraphManifest, state_model: type[BaseModel] | None) -> Iterator[Fault]:
    """A map that collects needs fields that can hold an error beside each result."""
    for name, spec in manifest.nodes.items():
        for field in (spec.into, *(spec.output or ())) if spec.collect else ():
            item = element_type(state_model, field)
            if state_model is None or field is None or field not in state_model.model_fields or value_type(item):
                continue
            said = getattr(item, "__name__", "not of one type")
            problem = f"on_item_error is 'collect', but the items of {field!r} are {said}"
            yield Fault(f"node {name!r}", problem, f"Declare {field}: list[ItemResult[…]]")


def _call_faults(where: str, role: Role, code: Any) -> Iterator[Fault]:
    if not callable(code):
        yield Fault(where, f"its {role.word} is a {type(code).__name__}, not a function", "Pass the function itself")
    elif _is_generator(code):
        yield Fault(where, f"its {role.word} is a generator", "Return the update instead of yielding it")
    else:
        problem = signature_problem(code, len(role.arguments))
        if problem is not None:
            yield Fault(where, f"its {role.word} {problem}", f"Declare it as {role.shapes}")


def _is_generator(code: Callable[..., Any]) -> bool:
    return any(inspect.isgeneratorfunction(c) or inspect.isasyncgenfunction(c) for c in (code, type(code).__call__))


def _unhandled_events(manifest: GraphManifest, code: Mapping[str, NodeCode]) -> Iterator[Fault]:
    routes = {name: node.route for name, node in code.items() if callable(node.route)}
    if not routes:
        return
    from .introspection import awaited_events  # reads source: needed only if there is a route

    for name, route in routes.items():
        for event in sorted(awaited_events(route) - set(manifest.event_handlers)):
            yield Fault(
                f"node {name!r}",
                f"its route waits for the event {event!r}, which has no handler",
                f"Call add_event_handler({event!r}, …)",
            )


def _conflicts(manifest: GraphManifest, code: Mapping[str, NodeCode]) -> Iterator[Fault]:
    if not manifest.branches:
        return
    from .introspection import returned_keys  # reads source: needed only if there is a parallel

    for node in manifest.nodes.values():
        if node.stop_when == 1:
            continue  # one branch alone is merged
        writer: dict[str, str] = {}
        for branch in node.branches or ():
            handler = code[branch].handler if branch in code else None
            for field in sorted(returned_keys(handler) if callable(handler) else ()):
                if field in writer and field not in manifest.reducers:
                    yield Fault(
                        f"node {node.name!r}",
                        f"its branches {writer[field]!r} and {branch!r} both write {field!r}",
                        "Declare a reducer, as in Annotated[list[str], operator.add], or let one branch write it",
                    )
                writer.setdefault(field, branch)
