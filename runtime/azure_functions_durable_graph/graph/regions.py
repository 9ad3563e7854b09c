"""The branches of a parallel as regions of its graph: which nodes belong to a branch, and where the branch ends.

A branch begins at the node that the parallel names and goes on along edges. It ends where the branches join, the
parallel's `next_node`, or at any end of the graph: a node without an edge, a terminal one, a route that completes.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from .names import COMPLETE
from .topology import reachable

if TYPE_CHECKING:
    from .nodes import NodeSpec


def regions(nodes: Mapping[str, NodeSpec], parallel: NodeSpec) -> dict[str, frozenset[str]]:
    """The nodes of each branch of a parallel, by the branch's first node. Names without a node are left out."""
    ends = {parallel.next_node, COMPLETE}
    edges = {name: node.onward - ends for name, node in nodes.items()}
    return {name: frozenset(reachable(edges, name) & set(nodes)) for name in parallel.branches or ()}


def inside(nodes: Mapping[str, NodeSpec]) -> frozenset[str]:
    """Every node that belongs to a branch."""
    found = (region for node in nodes.values() if node.branches for region in regions(nodes, node).values())
    return frozenset().union(*found)


def joins(nodes: Mapping[str, NodeSpec]) -> dict[str, str | None]:
    """Where the branch of each node inside of one ends: the innermost parallel's `next_node`, or None."""
    found: dict[str, tuple[int, str | None]] = {}
    for node in nodes.values():
        for region in regions(nodes, node).values():
            for name in region:
                found[name] = min(found.get(name, (len(nodes) + 1, None)), (len(region), node.next_node), key=_size)
    return {name: join for name, (_, join) in found.items()}


def _size(found: tuple[int, str | None]) -> int:
    return found[0]


def entries(nodes: Mapping[str, NodeSpec], region: frozenset[str], first: str) -> Iterator[tuple[str, str]]:
    """The edges that lead into a branch from outside, (from, to), besides those of a parallel that begins it."""
    for name, node in sorted(nodes.items()):
        if name in region:
            continue
        begun = {first} if first in (node.branches or ()) and first not in node.own_edges else set()
        for target in sorted((node.onward & region) - begun):
            yield name, target


def is_single(node: Mapping[str, Any], join: str | None) -> bool:
    """Whether a branch, by its node in the plan, is one task and nothing else: then it takes one activity."""
    if node.get("kind", "task") != "task" or node.get("routed") or node.get("on_error"):
        return False
    return node.get("next") in (None, join)
