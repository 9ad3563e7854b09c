"""What can be wrong with the branches of a parallel, each a part of the graph of its own, and with policies."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from ..errors import Fault
from ..graph.manifest import GraphManifest
from ..graph.nodes import NodeSpec
from ..graph.regions import entries, is_single, regions

MOST_CHAINS = 40
"""Branches of one parallel that may run as runs of their own: the status of the run has to name them all."""


def branch_faults(manifest: GraphManifest) -> Iterator[Fault]:
    """The faults of every parallel; one whose branches do not exist is reported by the check of edges."""
    for node in manifest.nodes.values():
        yield from _policies(node)
        if node.kind != "parallel":
            continue
        yield from _named(node)
        known = set(manifest.nodes)
        if known.issuperset(node.onward) and node.next_node not in (node.branches or ()):
            found = regions(manifest.nodes, node)
            back = [first for first, region in found.items() if node.name in region]
            yield from _leading_back(node, back)
            for first in () if back else found:
                yield from _closed(manifest, node, first, found)
            yield from () if back else _shared(manifest, found, node)
            yield from _many(manifest, node)


def _policies(node: NodeSpec) -> Iterator[Fault]:
    """What no run of a parallel or a map could fulfil."""
    if isinstance(node.stop_when, int) and (node.min_successful or 0) > node.stop_when:
        problem = f"stop_when is {node.stop_when}, but min_successful is {node.min_successful}"
        yield Fault(f"node {node.name!r}", problem, "Drop min_successful, or increase stop_when")


def _named(node: NodeSpec) -> Iterator[Fault]:
    where, branches = f"node {node.name!r}", node.branches or ()
    if not branches:
        yield Fault(where, "has no branches", "Name the nodes that run at once: branches=[…]")
    if len(set(branches)) < len(branches):
        yield Fault(where, "names a branch twice", "Name each branch once")
    if node.min_successful is not None and node.min_successful > len(branches):
        problem = f"min_successful is {node.min_successful}, but the number of branches is {len(branches)}"
        yield Fault(where, problem, "Use a smaller number")
    if node.next_node in branches:
        fix = "Name the node that follows when all branches are done, or drop next_node"
        yield Fault(where, f"its next_node {node.next_node!r} is one of its branches", fix)


def _leading_back(parallel: NodeSpec, branches: list[str]) -> Iterator[Fault]:
    fix = f"Let the branch end, or lead to {parallel.next_node!r}" if parallel.next_node else "Let the branch end"
    for first in branches:
        yield Fault(f"node {first!r}", f"is a branch of {parallel.name!r} and leads back to it", fix)


def _closed(
    manifest: GraphManifest, parallel: NodeSpec, first: str, found: Mapping[str, frozenset[str]]
) -> Iterator[Fault]:
    """A branch is entered at its first node only, does not lead out, and it is known where its routes lead."""
    region = found[first]
    branch = f"the branch {first!r} of {parallel.name!r}"
    if manifest.entrypoint in region:
        fix = f"Begin the graph at {parallel.name!r}, or at a node before it"
        yield Fault("entrypoint", f"names {manifest.entrypoint!r}, which is part of {branch}", fix)
    for source, target in entries(manifest.nodes, region, first):
        if not any(target in other for name, other in found.items() if name != first):
            fix = f"Lead to {parallel.name!r} or to what follows it, or give that path a node of its own"
            yield Fault(f"node {source!r}", f"leads to {target!r}, which is part of {branch}", fix)
    for name in sorted(region):
        if manifest.nodes[name].routed and manifest.nodes[name].targets is None:
            fix = "Add targets=[…], or annotate the route as Literal[…], so that the end of the branch is known"
            yield Fault(f"node {name!r}", f"is part of {branch}, and its route does not declare its targets", fix)


def _shared(manifest: GraphManifest, found: Mapping[str, frozenset[str]], node: NodeSpec) -> Iterator[Fault]:
    """Where two branches meet before they join: what is meant is most often the parallel's next_node."""
    names = list(found)
    for index, first in enumerate(names):
        for second in names[index + 1 :]:
            both = found[first] & found[second]
            if not both:
                continue
            meeting = min(both, key=lambda name: (name not in _entered(manifest, both), name))
            fix = f"Make it the next_node of {node.name!r}, where the branches join, or give each a node of its own"
            yield Fault(f"node {meeting!r}", f"is part of two branches of {node.name!r}, {first!r} and {second!r}", fix)


def _entered(manifest: GraphManifest, both: frozenset[str]) -> set[str]:
    """The nodes of a set to which a node outside of it leads."""
    return {name for other in manifest.nodes.values() if other.name not in both for name in other.onward & both}


def _many(manifest: GraphManifest, node: NodeSpec) -> Iterator[Fault]:
    chains = [name for name in node.branches or () if not is_single(manifest.nodes[name].to_plan(), node.next_node)]
    if len(chains) > MOST_CHAINS:
        problem = f"has {len(chains)} branches of more than one task, but at most {MOST_CHAINS} are possible"
        yield Fault(f"node {node.name!r}", problem, "Use a map over a list, or nest parallels")
