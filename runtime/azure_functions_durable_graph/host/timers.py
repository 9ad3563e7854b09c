"""The pending timers, in order of their due time."""

from __future__ import annotations

import heapq
from datetime import datetime
from itertools import count

from .engine.messages import CancelTimer, SetTimer

SLACK = 64
"""Cancelled timers that may stay in the heap before it is rebuilt, so that distant deadlines do not pile up."""


class Timers:
    """A heap of timers, which skips those that were cancelled."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, SetTimer]] = []
        self._live: set[tuple[str, int]] = set()
        self._order = count()

    def set(self, timer: SetTimer) -> None:
        """Add a timer; one that is already set is left unchanged."""
        if _key(timer) not in self._live:
            self._live.add(_key(timer))
            heapq.heappush(self._heap, (timer.fire_at, next(self._order), timer))

    def cancel(self, timer: CancelTimer) -> None:
        """Forget a timer; a timer that has fired or was never set is ignored."""
        self._live.discard(_key(timer))
        if len(self._heap) > 2 * len(self._live) + SLACK:
            self._heap = [item for item in self._heap if _key(item[2]) in self._live]
            heapq.heapify(self._heap)

    def next_due(self) -> datetime | None:
        """When the next timer is due."""
        while self._heap and _key(self._heap[0][2]) not in self._live:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    def due(self, now: datetime) -> bool:
        """Whether a timer is due."""
        first = self.next_due()
        return first is not None and first <= now

    def take_due(self, now: datetime) -> list[SetTimer]:
        """Remove and return the timers that are due, earliest first."""
        taken = []
        while self.due(now):
            timer = heapq.heappop(self._heap)[2]
            self._live.discard(_key(timer))
            taken.append(timer)
        return taken

    def __len__(self) -> int:
        return len(self._live)


def _key(timer: SetTimer | CancelTimer) -> tuple[str, int]:
    return timer.execution_id, timer.task_id
