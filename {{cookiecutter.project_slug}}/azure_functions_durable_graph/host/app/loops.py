"""Event loops in threads of their own."""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import Any, TypeVar

from ...azure.crossing import crossing_to

T = TypeVar("T")

logger = logging.getLogger("azure_functions_durable_graph.host")


class LoopThread:
    """An event loop in a daemon thread, started on first use and kept for the life of the process."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop, which runs."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                crossing_to(self._loop)
                threading.Thread(target=_run_for_ever, args=(self._loop,), name=self._name, daemon=True).start()
            return self._loop

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start `work` on the loop."""
        return asyncio.run_coroutine_threadsafe(work, self.loop)


def _run_for_ever(loop: asyncio.AbstractEventLoop) -> None:
    """Run the loop, even after a task or a callback of the app has raised SystemExit through it."""
    while not loop.is_closed():
        try:
            loop.run_forever()
        except BaseException:
            logger.exception("a task or callback of the app raised through its event loop, which keeps running")
