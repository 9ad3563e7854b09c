"""What can be wrong with a graph's shape, found before anything runs.

Each check yields faults and knows nothing about the others; `manifest_faults` runs them all. The code of a graph is
checked in `code_checks`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import Fault
from ..graph.manifest import GraphManifest
from ..graph.names import COMPLETE, NAME_RULE, STOP, is_name, item_path
from ..graph.nodes import NodeSpec
from ..graph.topology import reachable, stuck
from ..graph.wording import brief_repr, correction
from .branch_checks import branch_faults


def manifest_faults(manifest: GraphManifest) -> list[Fault]:
    """Every fault that the manifest alone shows."""
    found: list[Fault] = []
    for check in _CHECKS:
        found += check(manifest)
    return found


def _names(manifest: GraphManifest) -> Iterator[Fault]:
    named = [("graph", manifest.graph_name)]
    named += [("node", name) for name in manifest.nodes]
    named += [("event", name) for name in manifest.event_handlers]
    for kind, name in named:
        if not isinstance(name, str) or not is_name(name):
            yield Fault(f"{kind} {brief_repr(name)}", "is not a valid name", f"Use {NAME_RULE}")
        elif (kind, name) == ("event", STOP):
            yield Fault(f"event {name!r}", "is reserved by the runtime", "Choose another name")
    if not isinstance(manifest.version, str) or not manifest.version:
        yield Fault("version", f"is {brief_repr(manifest.version)}", 'Use a non-empty string such as "1"')
    steps = manifest.max_steps
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        yield Fault("max_steps", f"is {brief_repr(steps)}", "Use a whole number of at least 1")


def _entrypoint(manifest: GraphManifest) -> Iterator[Fault]:
    if not manifest.nodes:
        yield Fault("graph", "has no nodes", "Call add_node at least once")
    if not manifest.entrypoint:
        yield Fault("entrypoint", "is not set", "Call set_entrypoint with the name of the first node")
    elif manifest.entrypoint not in manifest.nodes:
        yield Fault(
            "entrypoint",
            f"names the unknown node {manifest.entrypoint!r}",
            correction(manifest.entrypoint, manifest.nodes, "Add that node"),
        )


def _edges(manifest: GraphManifest) -> Iterator[Fault]:
    for node in manifest.nodes.values():
        where = f"node {node.name!r}"
        if node.kind == "task" and node.terminal and (node.next_node or node.routed):
            edge = "next_node" if node.next_node else "route"
            yield Fault(where, f"is terminal and has a {edge}", f"Drop terminal=True, or drop {edge}")
        if not _has_exit(node) and node.name not in manifest.inside:
            yield Fault(where, "is a dead end", "Give it next_node=…, route=… or terminal=True")
        for what, names in _named_nodes(node).items():
            for target in names:
                if target != COMPLETE and target not in manifest.nodes:
                    fix = correction(target, manifest.nodes, "Add that node")
                    yield Fault(where, f"{what} names the unknown node {target!r}", fix)


def _named_nodes(node: NodeSpec) -> dict[str, tuple[str, ...]]:
    return {
        "next_node": (node.next_node,) if node.next_node else (),
        "targets": node.targets or (),
        "on_error": tuple((node.on_error or {}).values()),
        "branches": node.branches or (),
    }


def _fields(manifest: GraphManifest) -> Iterator[Fault]:
    """Checks the fields that a map or a subgraph names. A model with `extra="allow"` has any field."""
    fields = manifest.state_schema.get("properties", {})
    if not manifest.state_schema or manifest.state_schema.get("additionalProperties") is True:
        return
    for node in manifest.nodes.values():
        for what, names in _named_fields(node).items():
            for name in names:
                if name not in fields:
                    problem = f"{what} names {name!r}, which is not a field of {manifest.state_model}"
                    yield Fault(f"node {node.name!r}", problem, correction(name, fields, "Add that field"))
        if node.kind == "map":
            yield from _over(node, fields.get(node.over, {}), manifest.state_schema.get("$defs", {}))


def _over(node: NodeSpec, schema: Mapping[str, Any], known: Mapping[str, Any]) -> Iterator[Fault]:
    """What a map runs over: a list, a tuple or a set of items, a dict of pairs, or what may be any of them."""
    where, cure = f"node {node.name!r}", "Name a field that is a list, a tuple, a set or a dict"
    options = [option for option in schema.get("anyOf", [schema]) if option.get("type") != "null"]
    kinds = [_collection(known.get(_name_of(option), option)) for option in options]
    if "tuple" in kinds:
        yield Fault(where, f"over names {node.over!r}, a tuple with a type for each item", cure)
    elif kinds and not any(kind in ("array", "object", "anything") for kind in kinds):
        said = " or ".join(sorted(set(kinds)))
        yield Fault(where, f"over names {node.over!r}, which is of type {said!r}, not a list", cure)


def _collection(schema: Mapping[str, Any]) -> str:
    """What a schema is, as far as a map is concerned: `array`, `object`, `anything`, or another name."""
    if "prefixItems" in schema:
        return "tuple"
    if schema.get("type") == "object" and "properties" in schema:
        return "model"
    return str(schema.get("type", "anything" if not {"enum", "const"} & set(schema) else "constant"))


def _name_of(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _named_fields(node: NodeSpec) -> dict[str, Iterable[str]]:
    return {
        "over": filter(None, [node.over]),
        "into": filter(None, [node.into]),
        "input": [source for source in (node.input or {}).values() if node.kind != "map" or item_path(source) is None],
        "output": node.output or (),
    }


def _maps_and_subgraphs(manifest: GraphManifest) -> Iterator[Fault]:
    for node in manifest.nodes.values():
        where = f"node {node.name!r}"
        limit = node.limit
        if node.kind == "map" and (not isinstance(limit, int) or isinstance(limit, bool) or limit < 1):
            yield Fault(where, f"max_concurrency is {brief_repr(limit)}", "Use a whole number of at least 1")
        if node.graph is not None and not is_name(node.graph):
            yield Fault(where, f"graph is {node.graph!r}, which is not a valid name", f"Use {NAME_RULE}")


def _unreachable(manifest: GraphManifest) -> Iterator[Fault]:
    if manifest.entrypoint not in manifest.nodes:
        return
    edges = exact_edges(manifest)
    seen = reachable(edges, manifest.entrypoint)
    if any(manifest.nodes[name].routed and manifest.nodes[name].targets is None for name in seen if name in edges):
        return  # an open route can lead anywhere, so no node is provably unreachable
    for name in manifest.nodes:
        if name not in seen:
            yield Fault(f"node {name!r}", "can never be reached", "Add an edge to it, or remove it")


def _endless(manifest: GraphManifest) -> Iterator[Fault]:
    nodes, known = manifest.nodes.values(), {*manifest.nodes, COMPLETE}
    ends = [node.name for node in nodes if not _has_exit(node)]
    if any(name not in manifest.inside for name in ends) or any(node.onward - known for node in nodes):
        return  # the edges themselves are wrong, and reported by other checks
    exits = [*ends, *([COMPLETE] if any(COMPLETE in node.onward for node in nodes) else [])]
    exits += [node.name for node in nodes if node.terminal or (node.routed and node.targets is None)]
    for name in sorted(stuck({node.name: node.own_edges for node in nodes}, exits)):
        yield Fault(
            f"node {name!r}",
            "can never reach an end: every path from it is a cycle",
            f"Make one node of the cycle terminal, or let its route return {COMPLETE!r}",
        )


_CHECKS = (_names, _entrypoint, _edges, branch_faults, _fields, _maps_and_subgraphs, _unreachable, _endless)


def exact_edges(manifest: GraphManifest) -> dict[str, set[str]]:
    """All declared edges; COMPLETE may be a target."""
    return {name: node.onward for name, node in manifest.nodes.items()}


def _has_exit(node: NodeSpec) -> bool:
    return node.terminal or node.routed or bool(node.next_node)
