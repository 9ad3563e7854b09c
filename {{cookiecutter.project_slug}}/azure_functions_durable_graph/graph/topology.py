"""Pure graph theory over hashable names: who reaches whom.

Knows no node, no manifest and no error: its tests are dicts of letters.
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
    """The same edges, walked backwards."""
    backwards: dict[Name, list[Name]] = {}
    for source, targets in edges.items():
        for target in targets:
            backwards.setdefault(target, []).append(source)
    return backwards


def stuck(edges: Mapping[Name, Collection[Name]], exits: Collection[Name]) -> set[Name]:
    """The names of `edges` from which none of `exits` can be reached: a run that gets there never ends."""
    backwards = inverted(edges)
    free: set[Name] = set()
    for end in exits:
        free |= reachable(backwards, end)
    return set(edges) - free
