"""Pure graph theory over hashable names: which can reach which.

It knows nothing about nodes, manifests or errors: its tests use dicts of letters.
"""

from __future__ import annotations

from collections.abc import Collection, Hashable, Mapping
from typing import TypeVar

Name = TypeVar("Name", bound=Hashable)


def reachable(edges: Mapping[Name, Collection[Name]], start: Name) -> set[Name]:
    """All names that can be reached from `start`, itself included. Unknown names have no edges."""
    seen = {start}
    frontier = [start]
    while frontier:
        for target in edges.get(frontier.pop(), ()):
            if target not in seen:
                seen.add(target)
                frontier.append(target)
    return seen


def inverted(edges: Mapping[Name, Collection[Name]]) -> dict[Name, list[Name]]:
    """The same edges, reversed."""
    backwards: dict[Name, list[Name]] = {}
    for source, targets in edges.items():
        for target in targets:
            backwards.setdefault(target, []).append(source)
    return backwards


def stuck(edges: Mapping[Name, Collection[Name]], exits: Collection[Name]) -> set[Name]:
    """The names of `edges` from which none of `exits` can be reached: a run that gets there never ends."""
    backwards = inverted(edges)
    can_exit: set[Name] = set()
    for end in exits:
        can_exit |= reachable(backwards, end)
    return set(edges) - can_exit
