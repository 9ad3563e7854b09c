"""How the items of a map are dealt out to parts, which run at once or one after the other. Pure arithmetic."""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

from ..graph.plan import PlanNode

MOST_PARTS = 20
"""Parts of one run that are open at once: its status names them all."""

MOST_CHUNKS = 100
"""Parts of one run that are handed out as others end: they bound its history."""

WINDOW, CHUNK = 40, 5
"""Items that one run takes as others end; those of a part that is handed out as others end, where that is enough for
all that may run at once."""


class Dealt(NamedTuple):
    """A part: where its items begin, how many they are, and how many of them may run at once."""

    first: int
    size: int
    limit: int


def deal(items: int, limit: int, plan: PlanNode) -> list[Dealt]:
    """The parts of so many items; none where they run in the run itself.

    Parts that run at once share the items and the limit. Where one item runs at a time, parts of a `group` at least
    follow each other. Plans of an earlier release have no `group`: there all items run in the run itself, in rounds.
    """
    group = plan.get("group")
    if group is None or items <= 1:
        return []
    watched = "stop_when" in plan or "deadline" in plan
    if limit == 1 and not watched:
        return _slices(items, 1, min(MOST_PARTS, -(-items // group))) if items > group else []
    if watched or "graph" in plan:
        return _to_be_handed_out(items, limit)
    return _slices(items, limit, min(limit, MOST_PARTS)) if items > limit else []


def _to_be_handed_out(items: int, limit: int) -> list[Dealt]:
    """Parts of items that may never end: one after the other in each, and the next part for whoever is done."""
    if items <= WINDOW:
        return [] if min(items, limit) <= MOST_PARTS else _slices(items, limit, -(-items // MOST_PARTS))
    if limit > MOST_PARTS:
        return _slices(items, limit, MOST_PARTS)
    return _slices(items, 1, min(MOST_CHUNKS, max(limit, -(-items // CHUNK))))


def _slices(items: int, limit: int, parts: int) -> list[Dealt]:
    """Slices as equal as possible, each with its share of the limit, at least one, and no fewer items than that."""
    places, others = min(items, limit), max(items - limit, 0)
    if parts > places:
        places, others = 0, items
    bounds = [places * number // parts + others * number // parts for number in range(parts + 1)]
    limits = [places * number // parts for number in range(parts + 1)]
    return [
        Dealt(first, after - first, max(1, limits[number + 1] - limits[number]))
        for number, (first, after) in enumerate(pairwise(bounds))
    ]
