"""How the items of a map are dealt out to parts, which run at once or one after the other. Pure arithmetic."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from ..graph.plan import PlanNode

MOST_PARTS = 20
"""Parts of one run: they bound its history, and its status names them all."""


class Dealt(NamedTuple):
    """A part: where its items begin, how many they are, and how many of them may run at once."""

    first: int
    size: int
    limit: int


def deal(items: int, limit: int, plan: PlanNode) -> list[Dealt]:
    """The parts of so many items; none where they run in the run itself.

    At once, parts share the items and the limit. Where one item runs at a time, parts of a `group` at least follow each
    other. Plans of an earlier release have no `group`: there all items run in the run itself, in rounds.
    """
    group = plan.get("group")
    if group is None or items <= 1:
        return []
    if limit == 1:
        return _slices(items, 1, min(MOST_PARTS, -(-items // group))) if items > group else []
    if "graph" not in plan:
        return _slices(items, limit, min(limit, MOST_PARTS)) if items > limit else []
    if items <= min(limit, MOST_PARTS) and "retry" not in plan:
        return []
    if items <= limit and "retry" not in plan:
        return _slices(items, limit, min(MOST_PARTS, -(-items // MOST_PARTS)))
    return _slices(items, limit, min(limit, MOST_PARTS, items))


def _slices(items: int, limit: int, parts: int) -> list[Dealt]:
    """Slices as equal as possible, each with its share of the limit, at least one."""
    bounds = [items * number // parts for number in range(parts + 1)]
    limits = bounds if items <= limit else [limit * number // parts for number in range(parts + 1)]
    return [
        Dealt(first, after - first, max(1, limits[number + 1] - limits[number]))
        for number, (first, after) in enumerate(pairwise(bounds))
    ]
