"""An orchestration context that sends no more than it has to, and never more than an app allows."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, cast

from ..graph.sizes import MOST_BYTES, check_text, check_value


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
