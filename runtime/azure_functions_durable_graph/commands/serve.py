"""`serve`: load the app in a folder and run it until it is stopped."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import Callable
from pathlib import Path

from ..host.app.loader import LoadedApp, load_app
from ..host.app.settings import Settings, apply_local_settings, read_settings
from ..host.app.worker import Worker
from ..host.clock import Clock, SkippingClock, SystemClock
from ..host.local_host import LocalHost
from ..host.store import SqliteStore
from ..host.web.server import Server

logger = logging.getLogger("azure_functions_durable_graph.host")


GRACE = 5.0
"""Seconds that functions at work have to end after the signal to stop. A second signal does not wait."""


def serve(folder: Path, port: int, store: Path | None, say: Callable[[str], None], *, skip_time: bool = False) -> None:
    """Serve until SIGINT or SIGTERM. Runs live in `store`, or in memory where it is None.

    With `skip_time` no durable timer is waited for: when all is quiet the clock goes to the next one.

    Raises HostError with one sentence for whatever keeps it from starting.
    """
    apply_local_settings(folder)
    settings = read_settings(folder, os.environ)
    app = load_app(folder)
    kept = SqliteStore(None if store is None else folder / store)
    worker = Worker(app, str(folder), timeout=settings.timeout, threads=settings.threads)
    asyncio.run(_serve(app, worker, SkippingClock() if skip_time else SystemClock(), settings, kept, port, store, say))
    os._exit(0)  # a function that is still at work in a thread must not keep the process; all that counts is committed


async def _serve(
    app: LoadedApp,
    worker: Worker,
    clock: Clock,
    settings: Settings,
    kept: SqliteStore,
    port: int,
    store: Path | None,
    say: Callable[[str], None],
) -> None:
    host = LocalHost(worker, clock, settings, kept)
    server = Server(host, app, port)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(NotImplementedError):  # Windows: Ctrl-C arrives as KeyboardInterrupt
            loop.add_signal_handler(number, stop.set)
    gc.collect()
    gc.freeze()  # what the app has loaded stays: the collector need not look at it again
    async with server.running() as url:
        say(banner(server, app, settings, url, store))
        await stop.wait()
        stop.clear()
        resting = asyncio.create_task(host.shut_down(GRACE))
        await asyncio.wait([resting, asyncio.create_task(stop.wait())], return_when=asyncio.FIRST_COMPLETED)
    kept.close()
    say("stopped")


def banner(server: Server, app: LoadedApp, settings: Settings, url: str, store: Path | None) -> str:
    """What a person wants to know at the start: where, which routes, and what is not served."""
    prefix = f"/{settings.route_prefix}" if settings.route_prefix else ""
    kept = "in memory" if store is None else f"kept in {store}"
    lines = [f"Serving {url}{prefix} (task hub {settings.hub_name}, runs {kept}). Ctrl-C stops it.", ""]
    for endpoint in sorted(server.endpoints, key=lambda endpoint: endpoint.template):
        methods = ",".join(sorted(endpoint.methods)) or "ANY"
        lines.append(f"  {methods:6} {prefix}/{endpoint.template.strip('/')}")
    for graph in app.graphs:
        lines.append(f"  graph  {graph}")
    for timer in app.of_kind("timerTrigger"):
        lines.append(f"  timer  {timer.name} ({timer.trigger['schedule']})")
    for name, kind in app.not_served:
        lines.append(f"  not served: {name} ({kind}); use `func start` for it")
    return "\n".join(lines)
