"""A whole function app in a test: real HTTP on a free port, and a clock that jumps."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Coroutine, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, TypeVar

from ..app.failures import FunctionFailed
from ..app.loader import index_app
from ..app.loops import LoopThread
from ..app.settings import read_settings
from ..app.worker import Worker
from ..clock import ManualClock
from ..local_host import LocalHost
from ..web.server import Server

T = TypeVar("T")


_LOOP = LoopThread("functions-app-host")
_LONGEST = 300.0
"""Seconds after which a test that hangs fails."""


class AppHost:
    """Serves an app while the `with` block runs, including hand-written functions, orchestrators and entities.

    `folder` contains host.json, which has the same effect as for `serve`: route prefix, functionTimeout (real seconds),
    concurrency. The environment is not changed (local.settings.json is not read).
    """

    def __init__(self, function_app: Any, folder: Path | None = None) -> None:
        self.clock = ManualClock()
        self.url = ""
        self._app = index_app(function_app)
        self._folder = folder or Path.cwd()
        self._settings = read_settings(self._folder, os.environ)
        self._stack = contextlib.AsyncExitStack()

    def __enter__(self) -> AppHost:
        self._do(self._start())
        return self

    def __exit__(self, *_: object) -> None:
        self._do(self._stack.aclose())
        self._host.close()

    @property
    def functions(self) -> set[str]:
        """The names of the app's functions, as Azure loads them."""
        return {function.name for function in self._app.functions} | {name for name, _ in self._app.not_served}

    def wait_until_idle(self) -> None:
        """Return when nothing is left to do until time passes or a request arrives."""
        self._do(self._host.quiet())

    def advance(self, span: timedelta) -> None:
        """Let time pass: every timer fires at its due time, and what it triggers finishes before the next fires."""
        self._do(self._pass(span))

    def trigger(
        self,
        function: str,
        message: Any = None,
        *,
        id: str | None = None,  # noqa: A002 - what a queue calls it
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        """Call a function as its trigger would, and let the runs that it starts go as far as they can.

        It can have a queue, Service Bus, Event Grid, blob or timer trigger. `message` is the message, the event or the
        blob's content: text, bytes, or anything that JSON can represent. A repeated `id` is the same message, delivered
        again. `properties` are other metadata, by the names that Azure gives them.

        Raises what the function raises, and HostError if there is no such function.
        """
        try:
            self._do(self._server.fire(function, message, id, properties))
        except FunctionFailed as failure:
            raise (failure.__cause__ if isinstance(failure.__cause__, Exception) else failure) from None
        finally:
            self.wait_until_idle()

    async def _start(self) -> None:
        worker = Worker(self._app, str(self._folder), timeout=self._settings.timeout, threads=self._settings.threads)
        self._host = LocalHost(worker, self.clock, self._settings)
        self._server = Server(self._host, self._app, 0, timers=False)
        self.url = await self._stack.enter_async_context(self._server.running())

    async def _pass(self, span: timedelta) -> None:
        target = self.clock.now() + span
        await self._host.quiet()
        while (due := self._host.next_timer) is not None and due <= target:
            self.clock.move_to(due)
            self._host.fire_due()
            await self._host.quiet()
        self.clock.move_to(target)
        self._host.wake()

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return _LOOP.submit(work).result(_LONGEST)
