"""What depends on the insides of azure-functions-durable 1.x: the seam at which another SDK is fitted.

So do `sparing` and `faster_replays`. The rest of the package knows the SDK's public names only (`DFApp`,
`DurableOrchestrationClient`).
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any

Transport = Callable[[str, str, bytes], Awaitable[list[Any]]]
"""(method, URL, body) -> [status, decoded JSON]."""


def management_url(client: Any) -> str:
    """The base URL of the management API that a durable client calls, with a slash at the end."""
    return str(client._orchestration_bindings.rpc_base_url)


def read_status(item: Mapping[str, Any]) -> Any:
    """An instance of a list, as the client's `get_status` would give it."""
    from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

    return DurableOrchestrationStatus.from_json(item)


def entity_id(name: str, key: str) -> Any:
    """The id of an entity, as the client's methods take it."""
    from azure.durable_functions import EntityId

    return EntityId(name, key)


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


class Session:
    """A call of an orchestrator that is kept where it waits. `code` is the SDK's wrapper, `context` its JSON.

    The orchestrator must not call entities. Afterwards `over` says whether it has ended, or continues as new.
    """

    def __init__(self, code: Any, context: str) -> None:
        from azure.durable_functions.models import DurableOrchestrationContext
        from azure.durable_functions.orchestrator import Orchestrator

        self._context = DurableOrchestrationContext.from_json(context)
        self._context._input_expected_type = getattr(code, "_df_input_type", None)
        self._orchestrator = Orchestrator(code.orchestrator_function)

    def begin(self) -> str:
        """The state after the whole history, as the wrapper returns it. Raises what the wrapper raises."""
        return str(self._orchestrator.handle(self._context))

    def go_on(self, events: Iterable[Mapping[str, Any]]) -> str:
        """The state after these events as well."""
        from azure.durable_functions.models.history import HistoryEvent

        executor = self._orchestrator.task_orchestration_executor
        for event in (HistoryEvent(**one) for one in events):
            self._context.histories.append(event)
            if not self.over:
                executor.process_event(event)
        return str(executor.get_orchestrator_state_str())

    @property
    def over(self) -> bool:
        """Whether the orchestrator has come to an end."""
        return bool(self._orchestrator.task_orchestration_executor.has_execution_completed)


def client_over(transport: Transport, binding: str) -> Any:
    """A durable client whose three request functions call `transport` instead of the network."""
    from azure.durable_functions import DurableOrchestrationClient

    client = DurableOrchestrationClient(binding)
    carry(client, transport)
    return client


def carry(client: Any, transport: Transport) -> None:
    """Let a durable client call `transport` instead of the network."""

    async def post(url: str, data: Any = None, *_: Any, **__: Any) -> list[Any]:
        return await transport("POST", url, b"" if data is None else json.dumps(data).encode())

    async def get(url: str, *_: Any, **__: Any) -> list[Any]:
        return await transport("GET", url, b"")

    async def delete(url: str, *_: Any, **__: Any) -> list[Any]:
        return await transport("DELETE", url, b"")

    client._post_async_request, client._get_async_request, client._delete_async_request = post, get, delete
