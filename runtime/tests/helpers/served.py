"""An app behind the real server on a free port, with the system's clock."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterator
from typing import Any

from azure_functions_durable_graph.host.app.loader import index_app
from azure_functions_durable_graph.host.app.loops import LoopThread
from azure_functions_durable_graph.host.app.settings import Settings
from azure_functions_durable_graph.host.app.worker import Worker
from azure_functions_durable_graph.host.clock import SystemClock
from azure_functions_durable_graph.host.local_host import LocalHost
from azure_functions_durable_graph.host.web.server import Server

_LOOP = LoopThread("test-server")


@contextlib.contextmanager
def served(function_app: Any, settings: Settings | None = None) -> Iterator[tuple[str, LocalHost]]:
    """Serve an app; yields the base URL without a path, and the host."""
    app = index_app(function_app)

    async def start() -> tuple[LocalHost, contextlib.AsyncExitStack, str]:
        host = LocalHost(Worker(app), SystemClock(), settings or Settings())
        stack = contextlib.AsyncExitStack()
        url = await stack.enter_async_context(Server(host, app, 0).running())
        return host, stack, url

    host, stack, url = _LOOP.submit(start()).result(30)
    try:
        yield url, host
    finally:
        _LOOP.submit(stack.aclose()).result(30)
        _LOOP.submit(asyncio.sleep(0)).result(30)
