"""Everything that depends on the insides of azure-functions-durable 1.x: the seam at which another SDK is fitted.

The rest of the package knows the SDK's public names only (`DFApp`, `DurableOrchestrationClient`).
"""

from __future__ import annotations

import functools
import importlib
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

REMEMBERED = 4096
"""Timestamps that `remember_times` keeps."""

Transport = Callable[[str, str, bytes], Awaitable[list[Any]]]
"""(method, URL, body) -> [status, decoded JSON]."""


def management_url(client: Any) -> str:
    """The base URL of the management API that a durable client calls, with a slash at the end."""
    return str(client._orchestration_bindings.rpc_base_url)


def read_status(item: Mapping[str, Any]) -> Any:
    """An instance of a list, as the client's `get_status` would give it."""
    from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

    return DurableOrchestrationStatus.from_json(item)


def history_of(status: Any) -> Sequence[Mapping[str, Any]]:
    """The history events of a status.

    SDK 1.7 reads "history", the extension sends "historyEvents" (azure-functions-durable-python#345).
    """
    return getattr(status, "historyEvents", None) or ()


def episode_runner(orchestrator: Callable[[Any], Any]) -> Callable[[str], str]:
    """The function that the worker calls for an orchestrator: context JSON in, state JSON out."""
    from azure.durable_functions.orchestrator import Orchestrator

    runner: Callable[[str], str] = Orchestrator.create(orchestrator)
    return runner


def client_over(transport: Transport, binding: str) -> Any:
    """A durable client whose three request functions call `transport` instead of the network."""
    from azure.durable_functions import DurableOrchestrationClient

    client = DurableOrchestrationClient(binding)

    async def post(url: str, data: Any = None, *_: Any, **__: Any) -> list[Any]:
        return await transport("POST", url, b"" if data is None else json.dumps(data).encode())

    async def get(url: str, *_: Any, **__: Any) -> list[Any]:
        return await transport("GET", url, b"")

    async def delete(url: str, *_: Any, **__: Any) -> list[Any]:
        return await transport("DELETE", url, b"")

    client._post_async_request, client._get_async_request, client._delete_async_request = post, get, delete
    return client


def remember_times() -> None:
    """Let the SDK remember the timestamps that it has parsed.

    On every replay it parses the timestamp of every event in the history again, with dateutil: more than a third of
    what a replay costs. The same text gives the same (immutable) value, so it may be remembered.
    """
    module = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")
    parse = getattr(module, "dt_parse", None)
    if parse is not None and not hasattr(parse, "cache_info"):
        module.dt_parse = functools.lru_cache(REMEMBERED)(parse)  # type: ignore[attr-defined]
