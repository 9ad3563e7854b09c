"""Reports of a running node: cheap to make, lossy, throttled, never in the history, and never an error of the node."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Protocol

from ..graph.progress import ProgressValue
from .node_facts import as_text

PATIENCE = 5.0
"""Seconds that the end of a node waits for a report that is on its way, and for the removal of what was reported."""

logger = logging.getLogger(__name__)


class Channel(Protocol):
    """Where reports go. `place` has the run's id, node, step, attempt and, where there is one, branch or item."""

    async def send(self, place: Mapping[str, Any], value: ProgressValue) -> None:
        """Show this value instead of the one before."""
        ...

    async def forget(self, place: Mapping[str, Any]) -> None:
        """The node, branch or item has ended: show nothing for it."""
        ...


class Reporter(Protocol):
    """Takes the reports of one call of a node."""

    def report(self, value: ProgressValue) -> None:
        """Take a value, on any thread, without waiting."""
        ...

    async def close(self) -> None:
        """The node has ended."""
        ...


class Throttled:
    """Sends the first report at once, and after that the newest one, not more often than every `pause` seconds.

    Made on the event loop on which it sends. `monotonic` and `sleep` are its clock.
    """

    def __init__(
        self,
        place: Mapping[str, Any],
        channel: Channel,
        *,
        pause: float,
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._place, self._channel, self._pause = place, channel, pause
        self._monotonic, self._sleep = monotonic, sleep
        self._loop = asyncio.get_running_loop()
        self._newest: deque[ProgressValue] = deque(maxlen=1)
        self._due = monotonic()
        self._woken = self._closed = self._sending = self._sent = self._complained = False
        self._task: asyncio.Task[None] | None = None

    def report(self, value: ProgressValue) -> None:
        """Replace the value that waits to be sent. After the end of the node it is ignored."""
        self._newest.append(value)
        if not (self._woken or self._closed):
            self._woken = True
            with contextlib.suppress(RuntimeError):  # the loop is closed: the process ends
                self._loop.call_soon_threadsafe(self._begin)

    def _begin(self) -> None:
        if not self._closed and (self._task is None or self._task.done()):
            self._task = self._loop.create_task(self._send_newest())

    async def _send_newest(self) -> None:
        while True:
            self._woken = False  # before the look: what comes later wakes again
            if self._closed or not self._newest:
                return
            left = self._due - self._monotonic()
            if left > 0:
                await self._sleep(left)
            self._due = self._monotonic() + self._pause
            self._sending = self._sent = True
            await self._harmless(self._channel.send(self._place, self._newest.pop()))
            self._sending = False

    async def close(self) -> None:
        """Send nothing more. What was reported is removed after what is on its way has arrived."""
        self._closed = True
        if self._task is not None and not self._task.done():
            if not self._sending:
                self._task.cancel()
            await asyncio.wait({self._task}, timeout=PATIENCE)
        if self._sent:
            await self._harmless(asyncio.wait_for(self._channel.forget(self._place), PATIENCE))

    async def _harmless(self, work: Coroutine[Any, Any, None]) -> None:
        """Await it; an error is logged, once, and nothing else."""
        try:
            await work
        except Exception as error:
            if not self._complained:
                self._complained = True
                text = "a progress report could not be sent (%s: %s): %s"
                logger.warning(text, type(error).__name__, error, as_text(self._place))


class Ignoring:
    """Takes reports where nobody asked for them."""

    def report(self, value: ProgressValue) -> None:
        """Ignore the value; the log says so once."""
        _say_that_it_is_off()

    async def close(self) -> None:
        """Nothing is left to do."""


@functools.cache
def _say_that_it_is_off() -> None:
    logger.warning("context.progress(…) does nothing here: DurableGraphApp(progress=True) turns it on")
