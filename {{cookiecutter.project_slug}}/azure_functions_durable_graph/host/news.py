"""Tells those who wait for instances when one has come to rest, so that they need not look again and again."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection

from .engine.instance import Instance

REMEMBERED = 1000
"""Instances of which the news is kept for those who looked just before. Who looks later than that looks again."""


class News:
    """Counts each time that an instance has come to rest. All methods run on one event loop."""

    def __init__(self) -> None:
        self.now = 0
        self._rested: OrderedDict[str, int] = OrderedDict()
        self._waiting: dict[str, set[asyncio.Future[None]]] = {}

    def tell(self, instance: Instance) -> None:
        """An instance was committed."""
        if not instance.at_rest:
            return
        self.now += 1
        self._rested[instance.id] = self.now
        self._rested.move_to_end(instance.id)
        if len(self._rested) > REMEMBERED:
            self._rested.popitem(last=False)
        for waiter in self._waiting.get(instance.id, ()):
            if not waiter.done():
                waiter.set_result(None)

    async def rest(self, instance_ids: Collection[str], since: int, seconds: float) -> None:
        """Return when one of the instances has come to rest after the moment `since`, or after so many seconds."""
        if any(self._rested.get(instance_id, 0) > since for instance_id in instance_ids):
            return
        told = asyncio.get_running_loop().create_future()
        for instance_id in instance_ids:
            self._waiting.setdefault(instance_id, set()).add(told)
        try:
            await asyncio.wait([told], timeout=seconds)
        finally:
            for instance_id in set(instance_ids):
                waiting = self._waiting[instance_id]
                waiting.discard(told)
                if not waiting:
                    del self._waiting[instance_id]
