"""The Durable engine of one machine, as a state machine: `apply(now, message) -> effects`.

No clock, no I/O, no threads, no ids of its own. A message says what happened; the effects say what is to be done.

It is as strict as Azure. The extension carries out an orchestrator's top-level actions one by one and awaits each
before it looks at the next; so does `execution.advance`. What would hang in Azure hangs here, and
`Instance.stalled_on` names the action. An instance completes, fails or continues as new only when no activity, child
or uncancelled timer is open.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from typing import Any, Protocol

from . import actions as act
from . import history as hist
from .actions import Outcome
from .execution import advance, derived_id, settle, under_way
from .history import Event, answered_id
from .instance import Instance
from .messages import (
    Effect,
    EpisodeFinished,
    Message,
    RaiseEvent,
    Resume,
    RunEpisode,
    StartInstance,
    Suspend,
    TaskAnswered,
    Terminate,
    TimerFired,
)

STATUS_LIMIT = 16 * 1024
"""Bytes of UTF-16 that the Durable extension allows a custom status."""


class Store(Protocol):
    """Where instances live."""

    def load(self, instance_id: str) -> Instance | None: ...

    def save(self, instance: Instance) -> None: ...

    def live(self) -> list[Instance]: ...


class Engine:
    """Applies messages to instances. One episode of an instance runs at a time; the rest waits in its inbox."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def apply(self, now: datetime, message: Message) -> list[Effect]:
        """What follows from a message. A message for an instance that is gone, over or replaced has no effect."""
        if isinstance(message, StartInstance):
            return self._start(now, message)
        instance = self.store.load(message.instance_id)
        if instance is None or instance.terminal:
            return []
        execution_id = getattr(message, "execution_id", instance.execution_id)
        if execution_id != instance.execution_id:
            return []
        effects: list[Effect] = _HANDLERS[type(message)](instance, now, message)
        effects += _next_episode(instance, now)
        self.store.save(instance)
        return effects

    def recover(self, now: datetime) -> list[Effect]:
        """What is to be done after a start on a store that another process has left, in whatever state."""
        effects: list[Effect] = []
        for instance in self.store.live():
            if instance.batch is not None:  # an episode was at work: its events come again
                instance.inbox = [*instance.batch[1:], *instance.inbox]
                instance.batch = None
            effects += under_way(instance)
            effects += _next_episode(instance, now)
            self.store.save(instance)
        return effects

    def _start(self, now: datetime, message: StartInstance) -> list[Effect]:
        instance = Instance(
            message.instance_id,
            message.name,
            message.execution_id,
            message.input,
            created=now,
            updated=now,
            parent=message.parent,
        )
        instance.inbox.append(_started(instance, now))
        effects = _next_episode(instance, now)
        self.store.save(instance)
        return effects


def _started(instance: Instance, now: datetime) -> Event:
    parent = instance.parent
    shown = None if parent is None else parent.shown()
    return hist.execution_started(now, instance.name, instance.id, instance.execution_id, instance.input, shown)


# --- messages -----------------------------------------------------------------------------------------------------


def _raise_event(instance: Instance, now: datetime, message: RaiseEvent) -> list[Effect]:
    instance.inbox.append(hist.event(hist.EVENT_RAISED, now, Name=message.name, Input=message.input))
    return []


def _terminate(instance: Instance, now: datetime, message: Terminate) -> list[Effect]:
    event = hist.event(hist.EXECUTION_TERMINATED, now, Input=message.reason)
    instance.history.append(json.dumps(event))
    return _close(instance, now, "Terminated", message.reason)


def _suspend(instance: Instance, now: datetime, message: Suspend) -> list[Effect]:
    instance.status, instance.updated = "Suspended", now
    return []


def _resume(instance: Instance, now: datetime, message: Resume) -> list[Effect]:
    instance.status, instance.updated = "Running", now
    return []


def _task_answered(instance: Instance, now: datetime, message: TaskAnswered) -> list[Effect]:
    leaf = instance.awaiting(message.task_id)
    if leaf is None:
        return []
    child = leaf.kind in (act.CHILD, act.CHILD_RETRY)
    if message.reason is None:
        kind = hist.CHILD_COMPLETED if child else hist.TASK_COMPLETED
        event = hist.event(kind, now, TaskScheduledId=message.task_id, Result=message.result)
    else:
        kind = hist.CHILD_FAILED if child else hist.TASK_FAILED
        event = hist.event(kind, now, TaskScheduledId=message.task_id, Reason=message.reason, Details=message.details)
    return _receive(instance, now, event)


def _timer_fired(instance: Instance, now: datetime, message: TimerFired) -> list[Effect]:
    if instance.awaiting(message.task_id) is None:
        return []
    event = hist.event(hist.TIMER_FIRED, now, TimerId=message.task_id, FireAt=hist.timestamp(message.fire_at))
    return _receive(instance, now, event)


def _receive(instance: Instance, now: datetime, event: Event) -> list[Effect]:
    """Queue a completion; where the result is already there and only tasks were open, let it drain."""
    if instance.held is None:
        instance.inbox.append(event)
        return []
    effects = settle(instance, now, event)
    instance.history.append(json.dumps(hist.played(event)))
    return [*effects, *_finish(instance, now)]


# --- episodes -----------------------------------------------------------------------------------------------------


def _next_episode(instance: Instance, now: datetime) -> list[Effect]:
    """Begin an episode, if there is something to tell the orchestrator and nothing keeps it."""
    busy = instance.batch is not None or instance.held is not None
    if busy or instance.terminal or instance.status == "Suspended" or not instance.inbox:
        return []
    instance.batch = [hist.event(hist.ORCHESTRATOR_STARTED, now), *_take_batch(instance)]
    return [RunEpisode(instance.id, instance.execution_id, instance.name, _context(instance))]


def _take_batch(instance: Instance) -> list[Event]:
    """The next events, together; but one that makes a retry take an id comes alone.

    The SDK gives that id out while it handles the event, before any user code that follows.
    """
    taken: list[Event] = []
    while instance.inbox:
        if _moves_a_retry(instance, instance.inbox[0]):
            return taken or [instance.inbox.pop(0)]
        taken.append(instance.inbox.pop(0))
    return taken


def _moves_a_retry(instance: Instance, event: Event) -> bool:
    leaf = instance.awaiting(answered_id(event))
    if leaf is None or leaf.kind not in (act.ACTIVITY_RETRY, act.CHILD_RETRY):
        return False
    return event["EventType"] in (hist.TASK_FAILED, hist.CHILD_FAILED, hist.TIMER_FIRED)


def _context(instance: Instance) -> str:
    """The orchestration trigger's JSON. Old events are kept as text, so that a long history is not encoded again."""
    new = [json.dumps(event) for event in instance.batch or ()]
    rest = {
        "input": hist.decoded(instance.input),
        "instanceId": instance.id,
        "isReplaying": bool(instance.history),
        "parentInstanceId": instance.parent and instance.parent.instance_id,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 2,
        "maximumShortTimerDuration": "6.00:00:00",
        "longRunningTimerIntervalDuration": "3.00:00:00",
        "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
    }
    return '{"history":[' + ",".join([*instance.history, *new]) + "]," + json.dumps(rest)[1:]


def _episode_finished(instance: Instance, now: datetime, message: EpisodeFinished) -> list[Effect]:
    """Write the episode down: its events, what it scheduled, and what it came to."""
    if instance.batch is None:
        return []
    batch, instance.batch = instance.batch, None
    outcome = message.outcome
    instance.updated = now
    if instance.status == "Pending":
        instance.status = "Running"
    effects: list[Effect] = []
    instance.history += [json.dumps(hist.played(event)) for event in batch]
    for event in batch:
        effects += settle(instance, now, event)
    if outcome.error is None or outcome.actions:
        fault = _fault(instance, outcome)
        if fault is not None:
            outcome = replace(outcome, actions=(), done=False, error=fault)
        else:
            effects += advance(instance, now, outcome)
    instance.custom_status = outcome.custom_status
    if outcome.error is not None:
        instance.held = {"status": "Failed", "output": _failure(instance.name, outcome.error)}
    elif outcome.done and instance.stalled_on is None:
        instance.held = _result(outcome)
    instance.history.append(json.dumps(hist.played(hist.event(hist.ORCHESTRATOR_COMPLETED, now))))
    return [*effects, *_finish(instance, now)]


def _fault(instance: Instance, outcome: Outcome) -> str | None:
    """Why the extension would refuse what the orchestrator returned."""
    leaves = [leaf for action in outcome.actions for leaf in action.leaves()]
    for index, old in enumerate(instance.leaves):
        new = leaves[index] if index < len(leaves) else None
        if new is None or (new.kind, new.name) != (old.kind, old.name):
            was = f"{act.NAMES[old.kind]}({old.name})"
            return (
                f"Non-Deterministic workflow detected: action {index} was {was} and is now "
                f"{new or 'missing'}. The orchestrator's code has changed, or depends on something that is not in "
                "its history (time, random numbers, environment, I/O)."
            )
    for leaf in leaves:
        if leaf.kind not in act.SUPPORTED:
            return f"the local host does not run {leaf} yet; use `func start` with Azurite for it"
    if outcome.custom_status is not None:
        size = len(json.dumps(json.loads(outcome.custom_status), ensure_ascii=False).encode("utf-16-le", "replace"))
        if size > STATUS_LIMIT:
            return f"the custom status takes {size} bytes of UTF-16; the Durable extension allows {STATUS_LIMIT}"
    return None


def _result(outcome: Outcome) -> dict[str, Any]:
    last = outcome.actions[-1] if outcome.actions else None
    if last is not None and last.kind == act.CONTINUE_AS_NEW:
        return {"status": "ContinuedAsNew", "output": json.dumps(last.data["input"])}
    return {"status": "Completed", "output": outcome.output if outcome.output is not None else "null"}


def _failure(name: str, error: str) -> str:
    return f"Orchestrator function '{name}' failed: {error}"


# --- ends ---------------------------------------------------------------------------------------------------------


def _finish(instance: Instance, now: datetime) -> list[Effect]:
    """Close the instance if its result is there and nothing is open any more."""
    if instance.held is None or any(not leaf.finished and leaf.kind != act.WAIT for leaf in instance.leaves):
        return []
    held, instance.held = instance.held, None
    if held["status"] == "ContinuedAsNew":
        return _continue_as_new(instance, now, held["output"])
    event = hist.event(
        hist.EXECUTION_COMPLETED, now, instance.next_id, OrchestrationStatus=held["status"], Result=held["output"]
    )
    instance.history.append(json.dumps(hist.played(event)))
    return _close(instance, now, held["status"], held["output"])


def _continue_as_new(instance: Instance, now: datetime, input_: str) -> list[Effect]:
    """A new generation under the same id. Events that no episode has taken yet go on with it."""
    instance.execution_id = derived_id(instance.id, instance.execution_id)
    instance.input, instance.created, instance.updated = input_, now, now
    instance.history, instance.leaves, instance.next_id = [], [], 0
    instance.buffered, instance.stalled_on = {}, None
    late = [event for event in instance.inbox if event["EventType"] == hist.EVENT_RAISED]
    instance.inbox = [_started(instance, now), *late]
    return []


def _close(instance: Instance, now: datetime, status: str, output: str) -> list[Effect]:
    instance.status, instance.output, instance.updated = status, output, now
    instance.inbox, instance.batch, instance.held, instance.stalled_on = [], None, None, None
    return answers(instance)


def answers(instance: Instance) -> list[Effect]:
    """What a child that is over tells its parent."""
    parent = instance.parent
    if parent is None or not instance.terminal:
        return []
    place = (parent.instance_id, parent.execution_id, parent.task_id)
    if instance.status == "Completed":
        return [TaskAnswered(*place, result=instance.output)]
    return [TaskAnswered(*place, reason=instance.output)]


_HANDLERS: dict[type, Callable[..., list[Effect]]] = {
    RaiseEvent: _raise_event,
    Terminate: _terminate,
    Suspend: _suspend,
    Resume: _resume,
    TaskAnswered: _task_answered,
    TimerFired: _timer_fired,
    EpisodeFinished: _episode_finished,
}
