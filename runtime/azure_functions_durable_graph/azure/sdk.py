"""Everything that depends on the insides of azure-functions-durable 1.x: the seam at which another SDK is fitted.

The rest of the package knows the SDK's public names only (`DFApp`, `DurableOrchestrationClient`).
"""

from __future__ import annotations

import functools
import importlib
import json
import re
import weakref
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, cast

from ..graph.sizes import MOST_BYTES, check_text, check_value

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


class SparingContext:
    """An orchestration context that sends the input of an activity or a child only until its result is in the history.

    The SDK returns all actions of a run in every episode, each with its input. The extension needs an input once:
    DurableTask.Core knows an action that is in the history by its number, type and name, and drops it with its input
    (`TaskOrchestrationContext.HandleTaskScheduledEvent`). A rewind removes failed calls from the history first.
    An input that is not sent is not encoded, either, so it must not be changed in place after the call.

    An SDK whose tasks and actions look different is left alone.
    """

    def __init__(self, context: Any, most_bytes: int = MOST_BYTES) -> None:
        """More than `most_bytes` at once is not sent: PayloadTooLarge ends the run, before the engine would."""
        self._context = context
        self._most_bytes = most_bytes

    def raised_events(self) -> list[tuple[str, Any, str]]:
        """Name, input and time of each external event in the history of this generation, in order."""
        from azure.durable_functions.models.history import HistoryEventType

        raised = [event for event in self._context.histories if event.event_type == HistoryEventType.EVENT_RAISED]
        return [(str(event.Name), event.Input, event.timestamp.isoformat()) for event in raised]

    def __getattr__(self, name: str) -> Any:
        return getattr(self._context, name)

    def call_activity(self, name: str, input_: Any = None) -> Any:
        """Schedule an activity, as the SDK's context does. Raises PayloadTooLarge."""
        what = f"the call to {_named(input_)}"
        task = self._context.call_activity(name, None)
        if not _is_known(task, {"function_name": name, "input_": "null"}):
            return self._checked(self._context.call_activity(name, input_), "input_", what, input_)
        return self._sparing(task, "input_", lambda action: type(action)(name, input_), what, input_)

    def call_sub_orchestrator(self, name: str, input_: Any = None, instance_id: str | None = None) -> Any:
        """Start a child, as the SDK's context does. A child is known again by its number and name, too.

        Raises PayloadTooLarge.
        """
        what = f"the start of the run {instance_id!r}{_place(input_, 'at')}"
        task = self._context.call_sub_orchestrator(name, None, instance_id)
        shape = {"function_name": name, "_input": "null", "instance_id": instance_id, "version": None}
        if not _is_known(task, shape):
            task = self._context.call_sub_orchestrator(name, input_, instance_id)
            return self._checked(task, "_input", what, input_)
        return self._sparing(task, "_input", lambda action: type(action)(name, input_, instance_id), what, input_)

    def continue_as_new(self, input_: Any) -> None:
        """Begin a new generation, as the SDK's context does. Raises PayloadTooLarge."""
        check_value(input_, self._most_bytes, f"what the run carries{_place(input_, 'to')}", _parts(input_))
        self._context.continue_as_new(input_)

    def check_output(self, output: Any) -> None:
        """Raise PayloadTooLarge for an output that is not to be sent."""
        if output is not None:
            check_value(output, self._most_bytes, "the output of the run", output)

    @property
    def _is_replaying(self) -> bool:
        """Whether what is asked for now was asked for before, and was small enough then."""
        return bool(getattr(self._context, "is_replaying", True))

    def _checked(self, task: Any, field: str, what: str, given: Any) -> Any:
        """A new task, whose action has its input encoded. What is raised here ends the run with its actions so far."""
        text = getattr(getattr(task, "action_repr", None), field, None)
        if not self._is_replaying and isinstance(text, str):
            check_text(text, self._most_bytes, what, _parts(given))
        return task

    def _sparing(self, task: Any, field: str, whole: Callable[[Any], Any], what: str, given: Any) -> Any:
        """A task whose action has its input encoded when it is sent, and only until the task is done."""
        _spare(task, field, whole)
        if not self._is_replaying:
            setattr(task.action_repr, field, getattr(whole(task.action_repr), field))
        return self._checked(task, field, what, given)


def _named(call: Any) -> str:
    """The node that a call is for."""
    return _place(call, "").strip() or "an activity"


def _place(given: Any, before: str) -> str:
    """The node that something is sent to."""
    return f" {before} node {given['node']!r}" if isinstance(given, dict) and "node" in given else ""


def _parts(given: Any) -> dict[str, Any]:
    """What is sent, by what it consists of: the state by its fields."""
    if not isinstance(given, dict):
        return {}
    state = given.get("state")
    fields = {f"state.{name}": value for name, value in state.items()} if isinstance(state, dict) else {}
    return {**{name: value for name, value in given.items() if name != "state"}, **fields}


def _is_known(task: Any, shape: dict[str, Any]) -> bool:
    """Whether a task and its action look as those of SDK 1.7 do."""
    action = getattr(task, "action_repr", None)
    return getattr(action, "__dict__", None) == shape and hasattr(task, "is_completed")


def _spare(task: Any, field: str, whole: Callable[[Any], Any]) -> None:
    """Let the action of a task encode its input when it is sent, and send it only until the task is done."""
    action = task.action_repr
    spent = getattr(action, field)
    of_action, of_task = weakref.ref(action), weakref.ref(task)  # the action refers to this function

    def to_json() -> Any:
        action, task = cast(Any, of_action()), of_task()
        if task is None or task.is_completed:
            setattr(action, field, spent)
        elif getattr(action, field) == spent:
            setattr(action, field, getattr(whole(action), field))
        return type(action).to_json(action)

    action.to_json = to_json


@functools.cache
def speed_up_replays() -> None:
    """Replace what makes the SDK's replays slow, for the life of the process; what it gives stays the same.

    An SDK that has no such function, or another one in its place, is left alone.
    """
    for module_name, attribute, expected, faster in (
        ("history.HistoryEvent", "dt_parse", "dateutil.parser", _time_reader),
        ("TaskOrchestrationExecutor", "namedtuple", "collections", _remembering),
    ):
        try:
            module = importlib.import_module(f"azure.durable_functions.models.{module_name}")
        except ImportError:
            continue
        slow = getattr(module, attribute, None)
        if callable(slow) and str(getattr(slow, "__module__", "")).startswith(expected):
            setattr(module, attribute, faster(slow))


def _remembering(make: Callable[..., Any]) -> Callable[..., Any]:
    """Makes each named tuple once: the SDK makes the same class again in each replay, by compiling code."""
    made = functools.cache(make)

    @functools.wraps(make)
    def get(*args: Any, **options: Any) -> Any:
        try:
            return made(*args, **options)
        except TypeError:  # not hashable
            return make(*args, **options)

    return get


_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d)(?:\.(\d{1,7}))?Z", re.ASCII)
"""A UTC DateTime as .NET writes it: up to seven digits of a second, without zeros at their end."""


def _time_reader(parse: Callable[..., datetime]) -> Callable[..., datetime]:
    """Reads the timestamps of a history at once, and leaves every other text to `parse`.

    The SDK parses the timestamp of every event with dateutil, on every replay: two thirds of what a replay costs.
    dateutil drops the seventh digit, too.
    """

    @functools.wraps(parse)
    def read(text: Any, *args: Any, **options: Any) -> datetime:
        found = _TIMESTAMP.fullmatch(text) if isinstance(text, str) and not (args or options) else None
        if found is not None:
            try:
                second, fraction = found.groups(default="")
                return datetime.fromisoformat(f"{second}.{fraction:0<6.6}+00:00")
            except ValueError:  # such as 30 February: `parse` says so
                pass
        return parse(text, *args, **options)

    return read
