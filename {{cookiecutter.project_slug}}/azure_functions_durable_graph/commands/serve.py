"""`serve`: loads the app in a folder and runs it until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Iterable
from pathlib import Path
from typing import Any

from ..errors import HostError
from ..host.app.deliveries import BY_HAND
from ..host.app.loader import LoadedApp, load_app
from ..host.app.sessions import MOST as MOST_KEPT
from ..host.app.settings import Settings, apply_local_settings, read_settings
from ..host.app.worker import Worker
from ..host.clock import SkippingClock, SystemClock
from ..host.local_host import LocalHost
from ..host.store import SqliteStore
from ..host.web.by_hand import PATH
from ..host.web.server import Server

STUDIO = "studio/{*file}"
"""The route of the studio, as `azure.own_functions` declares it."""

GRACE = 5.0
"""Seconds that running functions have to finish after the signal to stop. A repeated signal does not wait."""


class Stopping:
    """Counts the signals to stop.

    Under a supervisor one press of Ctrl-C is several signals: the terminal sends SIGINT to all processes, then nox or
    `serve --reload` sends SIGTERM to its child. So only the same signal again means "at once".
    """

    def __init__(self) -> None:
        self.asked = asyncio.Event()
        self.at_once = asyncio.Event()
        self._seen: set[int] = set()

    def signal(self, number: int) -> None:
        """Handle a signal."""
        if number in self._seen:
            self.at_once.set()
        self._seen.add(number)
        self.asked.set()

    def listen(self) -> None:
        """Handle the process's signals here, on Windows as well, where event loops have no signal handlers."""
        loop = asyncio.get_running_loop()
        for number in filter(None, (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGBREAK", None))):
            try:
                loop.add_signal_handler(number, self.signal, number)
            except NotImplementedError:
                signal.signal(number, lambda given, _: loop.call_soon_threadsafe(self.signal, given))


def serve(
    folder: Path,
    port: int,
    store: Path | None,
    say: Callable[[str], None],
    *,
    skip_time: bool = False,
    allowed: Iterable[str] = (),
) -> None:
    """Serve until SIGINT or SIGTERM; then the process exits, with a code other than 0 if the host has failed.

    Runs are kept in `store`, or in memory if it is None. With `skip_time` durable timers are not waited for: when the
    host is idle, the clock jumps to the next one. `allowed` are host names that are accepted besides loopback names.

    Raises HostError with one sentence if it cannot start.
    """
    apply_local_settings(folder)
    settings = read_settings(folder, os.environ)
    app = load_app(folder)
    kept = SqliteStore(None if store is None else folder / store)
    worker = Worker(app, str(folder), timeout=settings.timeout, threads=settings.threads, kept_runs=MOST_KEPT)
    host = LocalHost(worker, SkippingClock() if skip_time else SystemClock(), settings, kept)
    server = Server(host, app, port, allowed=allowed)
    failure = asyncio.run(_serve(host, server, lambda url: banner(server, app, settings, url, store), say))
    if failure is None:
        _tell(say, "stopped")
    else:
        _tell(_complain, f"error: {failure}")
    os._exit(0 if failure is None else 1)  # a running thread must not keep the process alive


async def _serve(
    host: LocalHost, server: Server, greeting: Callable[[str], str], say: Callable[[str], None]
) -> HostError | None:
    """Serve until a signal arrives or the host fails. Returns why it failed, if it did."""
    stopping = Stopping()
    stopping.listen()
    gc.collect()
    gc.freeze()  # what the app has loaded is permanent: the collector need not scan it again
    gc.set_threshold(10_000, 10, 10)  # it finds little: requests and runs leave few cycles
    async with server.running() as url:
        say(greeting(url))
        await _wait_for_first(stopping.asked.wait(), host.failed())
        if host.failure is None and not host.idle:
            _tell(say, f"stopping: running functions have {GRACE:g} seconds to finish; interrupt again to stop at once")
        await _wait_for_first(host.shut_down(GRACE), stopping.at_once.wait(), host.failed())
    try:
        host.close()
    except HostError as failure:
        return failure
    return host.failure


def _tell(say: Callable[[str], None], text: str) -> None:
    """Say it if anybody still reads: a terminal that was closed does not keep the host from stopping in order."""
    with contextlib.suppress(OSError, ValueError):
        say(text)


def _complain(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


async def _wait_for_first(*waits: Coroutine[Any, Any, object]) -> None:
    tasks = [asyncio.create_task(wait) for wait in waits]
    await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def banner(server: Server, app: LoadedApp, settings: Settings, url: str, store: Path | None) -> str:
    """The greeting at the start: the studio's address, the app's, the routes, and what is not served."""
    prefix = f"/{settings.route_prefix}" if settings.route_prefix else ""
    kept = "in memory" if store is None else f"kept in {store}"
    lines = [f"Serving {url}{prefix} (task hub {settings.hub_name}, runs {kept}). Ctrl-C stops it.", ""]
    if any(endpoint.template == STUDIO for endpoint in server.endpoints):
        lines.insert(0, f"Studio  {url}{prefix}/studio")
    for endpoint in sorted(server.endpoints, key=lambda endpoint: endpoint.template):
        methods = ",".join(sorted(endpoint.methods)) or "ANY"
        lines.append(f"  {methods:6} {prefix}/{endpoint.template.strip('/')}")
    for graph in app.graphs:
        lines.append(f"  graph  {graph}")
    for timer in app.of_kind("timerTrigger"):
        lines.append(f"  timer  {timer.name} ({timer.trigger['schedule']})")
    for function in app.of_kind(*BY_HAND):
        if function.kind != "timerTrigger":
            lines.append(f"  by hand: POST /{PATH}{function.name} ({function.kind})")
    for name, kind in app.not_served:
        lines.append(f"  not served: {name} ({kind}); use `func start`")
    return "\n".join(lines)
