"""One client's methods through each of its doors: in the app, over HTTP in async code, over HTTP in other code."""

from __future__ import annotations

import contextlib
import functools
import inspect
from collections.abc import Iterator
from typing import Any

import azure.durable_functions as df
from served import served

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.client import AsyncGraphClient, GraphClient
from azure_functions_durable_graph.host.app.worker import USER_LOOP
from azure_functions_durable_graph.host.web.management import Management

DOORS = ("in the app", "async", "blocking")


class Awaited:
    """The methods of an async client, for a test that is not async."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._client, name)
        return functools.partial(self._follow if inspect.isasyncgenfunction(method) else self._call, method)

    def _call(self, method: Any, *words: Any, **options: Any) -> Any:
        return USER_LOOP.submit(method(*words, **options)).result(60)

    def _follow(self, method: Any, *words: Any, **options: Any) -> Any:
        async def collect() -> list[Any]:
            return [step async for step in method(*words, **options)]

        return iter(USER_LOOP.submit(collect()).result(60))


@contextlib.contextmanager
def client_through(door: str, *graphs: Any) -> Iterator[Any]:
    """An app with these graphs, served, and its client through one of the doors."""
    runtime = DurableGraphApp()
    for graph in graphs:
        runtime.register_registration(graph)
    with served(runtime.function_app) as (url, host):
        if door == "in the app":
            binding = Management(host, url).client_binding
            yield Awaited(runtime.client(df.DurableOrchestrationClient(binding)))
        elif door == "async":
            remote = AsyncGraphClient(url)
            yield Awaited(remote)
            USER_LOOP.submit(remote.close()).result(60)
        else:
            with GraphClient(url) as client:
                yield client
