"""What can be wrong with a graph's shape, found before anything runs. Floor 3.

Each check yields faults and knows nothing of the others; `manifest_faults` and `route_faults` run them all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .errors import Fault
from .graph import NodeCode
from .hints import awaited_events
from .manifest import GraphManifest, NodeSpec
from .names import COMPLETE, NAME_RULE, hint, is_name
from .topology import reachable, stuck


def manifest_faults(manifest: GraphManifest) -> list[Fault]:
    """Everything that the manifest alone shows."""
    found: list[Fault] = []
    for check in _CHECKS:
        found += check(manifest)
    return found


def route_faults(manifest: GraphManifest, code: Mapping[str, NodeCode]) -> list[Fault]:
    """Events that a route handler's source waits for and nobody handles."""
    found: list[Fault] = []
    for name, node in code.items():
        if not callable(node.route):
            continue
        for event in sorted(awaited_events(node.route) - set(manifest.event_handlers)):
            found.append(
                Fault(
                    f"node {name!r}",
                    f"its route waits for the event {event!r}, which nobody handles",
                    f"Call add_event_handler({event!r}, …)",
                )
            )
    return found


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
            f"Add that node, or {hint(manifest.entrypoint, manifest.nodes)}",
        )


def _edges(manifest: GraphManifest) -> Iterator[Fault]:
    for node in manifest.nodes.values():
        where = f"node {node.name!r}"
        if node.terminal and (node.next_node or node.routed):
            edge = "next_node" if node.next_node else "route"
            yield Fault(where, f"is terminal and has a {edge}", f"Drop terminal=True, or drop {edge}")
        if not (node.terminal or node.next_node or node.routed):
            yield Fault(where, "is a dead end", "Give it next_node=…, route=… or terminal=True")
        if node.next_node and node.next_node not in manifest.nodes:
            yield _unknown_node(where, "next_node", node.next_node, manifest)
        for target in node.targets or ():
            if target != COMPLETE and target not in manifest.nodes:
                yield _unknown_node(where, "targets", target, manifest)


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
    if any(_faulty(node, manifest) for node in manifest.nodes.values()):
        return  # the edges themselves are wrong: said above
    exits = [COMPLETE] if COMPLETE in {t for n in manifest.nodes.values() for t in n.targets or ()} else []
    exits += [node.name for node in manifest.nodes.values() if node.terminal]
    exits += [node.name for node in manifest.nodes.values() if node.routed and node.targets is None]
    for name in sorted(stuck(exact_edges(manifest), exits)):
        yield Fault(
            f"node {name!r}",
            "can never come to an end: every way from it leads in a circle",
            f"Let one node of the circle be terminal, or let its route return {COMPLETE!r}",
        )


_CHECKS = (_names, _entrypoint, _edges, _unreachable, _endless)


def exact_edges(manifest: GraphManifest) -> dict[str, set[str]]:
    """All edges that are declared; COMPLETE may be a target."""
    return {
        name: set(node.targets or ()) | ({node.next_node} if node.next_node else set())
        for name, node in manifest.nodes.items()
    }


def _faulty(node: NodeSpec, manifest: GraphManifest) -> bool:
    targets = {*(node.targets or ()), *([node.next_node] if node.next_node else [])}
    return not (node.terminal or node.next_node or node.routed) or bool(targets - set(manifest.nodes) - {COMPLETE})


def _unknown_node(where: str, what: str, target: str, manifest: GraphManifest) -> Fault:
    return Fault(where, f"{what} names the unknown node {target!r}", f"Add it, or {hint(target, manifest.nodes)}")
