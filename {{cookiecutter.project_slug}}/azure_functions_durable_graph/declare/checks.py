"""What can be wrong with a graph's shape, found before anything runs.

Each check yields faults and knows nothing of the others; `manifest_faults` and `code_faults` run them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..errors import Fault
from ..graph.manifest import GraphManifest
from ..graph.names import COMPLETE, NAME_RULE, did_you_mean, is_name
from ..graph.nodes import NodeSpec
from ..graph.registration import NodeCode
from ..graph.topology import reachable, stuck


def manifest_faults(manifest: GraphManifest) -> list[Fault]:
    """Everything that the manifest alone shows."""
    found: list[Fault] = []
    for check in _CHECKS:
        found += check(manifest)
    return found


def code_faults(manifest: GraphManifest, code: Mapping[str, NodeCode]) -> list[Fault]:
    """Events that a route's source waits for and nobody handles; fields that two branches surely both write."""
    return [*_unhandled_events(manifest, code), *_conflicts(manifest, code)]


def _unhandled_events(manifest: GraphManifest, code: Mapping[str, NodeCode]) -> Iterator[Fault]:
    routes = {name: node.route for name, node in code.items() if callable(node.route)}
    if not routes:
        return
    from .introspection import awaited_events  # reads source: only where there is a route

    for name, route in routes.items():
        for event in sorted(awaited_events(route) - set(manifest.event_handlers)):
            yield Fault(
                f"node {name!r}",
                f"its route waits for the event {event!r}, which nobody handles",
                f"Call add_event_handler({event!r}, …)",
            )


def _conflicts(manifest: GraphManifest, code: Mapping[str, NodeCode]) -> Iterator[Fault]:
    if not manifest.branches:
        return
    from .introspection import returned_keys  # reads source: only where there is a parallel

    for node in manifest.nodes.values():
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


def _names(manifest: GraphManifest) -> Iterator[Fault]:
    named = [("graph", manifest.graph_name)]
    named += [("node", name) for name in manifest.nodes]
    named += [("event", name) for name in manifest.event_handlers]
    for kind, name in named:
        if not isinstance(name, str) or not is_name(name):
            yield Fault(f"{kind} {name!r}", "is not a valid name", f"Use {NAME_RULE}")
    if not isinstance(manifest.version, str) or not manifest.version:
        yield Fault("version", f"is {manifest.version!r}", 'Use a non-empty string such as "1"')
    steps = manifest.max_steps
    if not isinstance(steps, int) or isinstance(steps, bool) or steps < 1:
        yield Fault("max_steps", f"is {steps!r}", "Use a whole number of at least 1")


def _entrypoint(manifest: GraphManifest) -> Iterator[Fault]:
    if not manifest.nodes:
        yield Fault("graph", "has no nodes", "Call add_node at least once")
    if not manifest.entrypoint:
        yield Fault("entrypoint", "is not set", "Call set_entrypoint with the name of the first node")
    elif manifest.entrypoint not in manifest.nodes:
        yield Fault(
            "entrypoint",
            f"names the unknown node {manifest.entrypoint!r}",
            f"Add that node, or {did_you_mean(manifest.entrypoint, manifest.nodes)}",
        )


def _edges(manifest: GraphManifest) -> Iterator[Fault]:
    for node in manifest.nodes.values():
        where = f"node {node.name!r}"
        if node.kind == "task" and node.terminal and (node.next_node or node.routed):
            edge = "next_node" if node.next_node else "route"
            yield Fault(where, f"is terminal and has a {edge}", f"Drop terminal=True, or drop {edge}")
        if not _has_way_on(node) and node.name not in manifest.branches:
            yield Fault(where, "is a dead end", "Give it next_node=…, route=… or terminal=True")
        for what, names in _mentioned(node).items():
            for target in names:
                if target != COMPLETE and target not in manifest.nodes:
                    cure = f"Add it, or {did_you_mean(target, manifest.nodes)}"
                    yield Fault(where, f"{what} names the unknown node {target!r}", cure)


def _mentioned(node: NodeSpec) -> dict[str, tuple[str, ...]]:
    return {
        "next_node": (node.next_node,) if node.next_node else (),
        "targets": node.targets or (),
        "on_error": tuple((node.on_error or {}).values()),
        "branches": node.branches or (),
    }


def _parallels(manifest: GraphManifest) -> Iterator[Fault]:
    for node in manifest.nodes.values():
        where = f"node {node.name!r}"
        if node.kind == "parallel" and not node.branches:
            yield Fault(where, "has no branches", "Name the nodes that run at once: branches=[…]")
        if node.branches and len(set(node.branches)) < len(node.branches):
            yield Fault(where, "names a branch twice", "Name each branch once")
        for name in node.branches or ():
            branch = manifest.nodes.get(name)
            if branch is not None and (branch.kind != "task" or branch.next_node or branch.routed or branch.terminal):
                cure = "Give it a handler alone: the parallel says what follows"
                yield Fault(f"node {name!r}", f"is a branch of {node.name!r} and has an edge or kind of its own", cure)
            if branch is not None and branch.on_error:
                yield Fault(f"node {name!r}", "is a branch with on_error", f"Put on_error on {node.name!r}")


def _maps_and_subgraphs(manifest: GraphManifest) -> Iterator[Fault]:
    fields = manifest.state_schema.get("properties", {})
    for node in manifest.nodes.values():
        where = f"node {node.name!r}"
        mine = [*(node.input or {}).values(), *(node.output or {})]
        for field in [*filter(None, (node.over, node.into)), *mine]:
            if fields and field not in fields:
                yield Fault(
                    where, f"uses the field {field!r}, which the state does not have", did_you_mean(field, fields)
                )
        if node.kind == "map" and (not isinstance(node.limit, int) or node.limit < 1):
            yield Fault(where, f"max_concurrency is {node.limit!r}", "Use a whole number of at least 1")
        if node.kind == "subgraph" and (not isinstance(node.graph, str) or not is_name(node.graph)):
            yield Fault(where, f"names the graph {node.graph!r}", f"A graph's name is {NAME_RULE}")


def _unreachable(manifest: GraphManifest) -> Iterator[Fault]:
    if manifest.entrypoint not in manifest.nodes:
        return
    edges = exact_edges(manifest)
    seen = reachable(edges, manifest.entrypoint)
    if any(manifest.nodes[name].routed and manifest.nodes[name].targets is None for name in seen if name in edges):
        return  # an open route can lead anywhere: nothing is provably unreachable
    for name in manifest.nodes:
        if name not in seen:
            yield Fault(f"node {name!r}", "can never be reached", "Lead an edge to it, or remove it")


def _endless(manifest: GraphManifest) -> Iterator[Fault]:
    nodes = manifest.nodes.values()
    known = {*manifest.nodes, COMPLETE}
    if any((not _has_way_on(node) and node.name not in manifest.branches) or node.onward - known for node in nodes):
        return  # the edges themselves are wrong: said above
    exits = [COMPLETE] if any(COMPLETE in node.onward for node in nodes) else []
    exits += [node.name for node in nodes if node.terminal or (node.routed and node.targets is None)]
    for name in sorted(stuck(exact_edges(manifest), exits) - manifest.branches):
        yield Fault(
            f"node {name!r}",
            "can never come to an end: every way from it leads in a circle",
            f"Let one node of the circle be terminal, or let its route return {COMPLETE!r}",
        )


_CHECKS = (_names, _entrypoint, _edges, _parallels, _maps_and_subgraphs, _unreachable, _endless)


def exact_edges(manifest: GraphManifest) -> dict[str, set[str]]:
    """All edges that are declared; COMPLETE may be a target."""
    return {name: node.onward for name, node in manifest.nodes.items()}


def _has_way_on(node: NodeSpec) -> bool:
    return node.terminal or node.routed or bool(node.next_node)
