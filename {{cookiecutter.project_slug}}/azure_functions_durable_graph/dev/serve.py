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

from .clock import SystemClock
from .host import LocalHost
from .loader import LoadedApp, load_app
from .server import Server
from .settings import Settings, apply_local_settings, read_settings
from .store import SqliteStore
from .worker import Worker

logger = logging.getLogger("azure_functions_durable_graph.dev")


def serve(folder: Path, port: int, store: Path | None, say: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM. Runs live in `store`, or in memory where it is None.

    Raises HostError with one sentence for whatever keeps it from starting.
    """
    apply_local_settings(folder)
    settings = read_settings(folder, os.environ)
    app = load_app(folder)
    asyncio.run(_serve(app, settings, folder, port, store, say))


async def _serve(
    app: LoadedApp, settings: Settings, folder: Path, port: int, store: Path | None, say: Callable[[str], None]
) -> None:
    kept = SqliteStore(None if store is None else folder / store)
    worker = Worker(app, str(folder), timeout=settings.timeout, threads=settings.threads)
    host = LocalHost(worker, SystemClock(), settings, kept)
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
    for timer in app.of_kind("timerTrigger"):
        lines.append(f"  timer  {timer.name} ({timer.trigger['schedule']})")
    for name, kind in app.not_served:
        lines.append(f"  not served: {name} ({kind}); use `func start` for it")
    return "\n".join(lines)
