"""How the engine carries out an orchestrator's actions: ids, leaves, waits and retries.

Ids follow the SDK's own counter: an activity, child, timer, entity operation or HTTP call takes the next integer when
it is carried out; a wait or a compound takes none; a call with retry takes one more for each pause and each attempt,
while the event that causes it is handled.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

from . import actions as act
from . import history_events as hist
from .actions import Action, Outcome
from .history_events import Event, answered_id
from .instance import Instance, Leaf, Parent
from .messages import CancelTimer, Consequence, EntityCalled, RunActivity, SetTimer, StartInstance

RETRYING = frozenset({act.ACTIVITY_RETRY, act.CHILD_RETRY})
CHILDREN = frozenset({act.CHILD, act.CHILD_RETRY})
FAILURES = frozenset({hist.TASK_FAILED, hist.CHILD_FAILED})

UNCOUNTED = frozenset({act.WAIT, act.CALL_ENTITY})
"""Leaves that may be open when an instance completes: they wait for an event."""


def advance(instance: Instance, now: datetime, outcome: Outcome) -> list[Consequence]:
    """Carry out top-level actions one by one, each awaited before the next is considered."""
    effects: list[Consequence] = []
    known, position = len(instance.leaves), 0
    instance.stalled_on = None
    for index, action in enumerate(outcome.actions):
        leaves = list(action.leaves())
        for offset, leaf in enumerate(leaves):
            if position + offset >= known:
                effects += _carry_out(instance, now, leaf)
            else:
                effects += _cancel(instance, instance.leaves[position + offset], leaf)
        mine = instance.leaves[position : position + len(leaves)]
        position += len(leaves)
        known = max(known, position)
        if not _is_complete(action, iter(mine)):
            if outcome.done or index + 1 < len(outcome.actions):
                instance.stalled_on = f"the host still awaits action {index}, {action}; so would Azure"
            return effects
    return effects


def _is_complete(action: Action, leaves: Iterable[Leaf]) -> bool:
    """Whether .NET's await of this action would return. WhenAll waits for every child, even after a failure."""
    remaining = iter(leaves)

    def walk(action: Action) -> bool:
        if action.kind not in (act.WHEN_ANY, act.WHEN_ALL):
            return next(remaining).finished
        states = [walk(child) for child in action.children]
        return all(states) if action.kind == act.WHEN_ALL else any(states) or not states

    return walk(action)


def _carry_out(instance: Instance, now: datetime, action: Action) -> list[Consequence]:
    leaf = Leaf(action.kind, action.name, input=action.data.get("input"))
    options = action.data.get("retryOptions") or {}
    leaf.max_attempts = options.get("maxNumberOfAttempts", 1)
    leaf.interval_ms = options.get("firstRetryIntervalInMilliseconds", 0)
    leaf.child_id = action.data.get("instanceId")
    instance.leaves.append(leaf)
    return _CARRY_OUT[action.kind](instance, now, leaf, action)


def _finish_at_once(instance: Instance, now: datetime, leaf: Leaf, action: Action) -> list[Consequence]:
    leaf.state = "done"
    return []


def _open_wait(instance: Instance, now: datetime, leaf: Leaf, action: Action) -> list[Consequence]:
    key = leaf.name.lower()  # the extension ignores the case of event names
    if instance.buffered.get(key, 0):
        instance.buffered[key] -= 1
        leaf.state = "done"
    return []


def _start_timer(instance: Instance, now: datetime, leaf: Leaf, action: Action) -> list[Consequence]:
    fire_at = datetime.fromisoformat(action.data["fireAt"].replace("Z", "+00:00"))
    effects = _create_timer(instance, now, leaf, fire_at)
    if action.data.get("isCanceled"):  # cancelled before the host saw it; DTFx creates it nevertheless
        leaf.state = "cancelled"
    return effects


def _http(instance: Instance, now: datetime, leaf: Leaf, action: Action) -> list[Consequence]:
    leaf.input = json.dumps(action.data["httpRequest"])
    return schedule(instance, now, leaf)


def _entity(instance: Instance, now: datetime, leaf: Leaf, action: Action) -> list[Consequence]:
    """Send the operation. A call is answered by an event whose name is the request's id; a signal is not answered."""
    task_id = _take_id(instance)
    leaf.task_id = leaf.first_id = task_id
    request_id = str(uuid.UUID(derive_id(instance.execution_id, str(task_id))))
    entity_id, operation = action.data["instanceId"], action.data["operation"]
    given = json.dumps(leaf.input)
    sent = {"op": operation, "id": request_id, "input": given, "signal": action.kind == act.SIGNAL_ENTITY}
    event = hist.event(hist.EVENT_SENT, now, task_id, InstanceId=entity_id, Name="op", Input=json.dumps(sent))
    instance.record(event)
    if action.kind == act.SIGNAL_ENTITY:
        leaf.state = "done"
        return [EntityCalled(entity_id, operation, given)]
    leaf.request_id = request_id
    return [EntityCalled(entity_id, operation, given, request_id, instance.id, instance.execution_id)]


def _call(instance: Instance, now: datetime, leaf: Leaf, action: Action) -> list[Consequence]:
    return schedule(instance, now, leaf)


def schedule(instance: Instance, now: datetime, leaf: Leaf) -> list[Consequence]:
    """Schedule the next attempt of an activity or a child."""
    leaf.task_id, leaf.pausing = _take_id(instance), False
    leaf.first_id = leaf.task_id if leaf.first_id is None else leaf.first_id
    if leaf.kind not in CHILDREN:
        event = hist.event(hist.TASK_SCHEDULED, now, leaf.task_id, Name=leaf.name, Version=None, Input=None)
    else:
        event = hist.event(
            hist.CHILD_CREATED,
            now,
            leaf.task_id,
            Name=leaf.name,
            InstanceId=child_id_of(instance, leaf),
            Input=leaf.input,
        )
    instance.record(event)
    return [dispatch(instance, leaf)]


def dispatch(instance: Instance, leaf: Leaf) -> RunActivity | StartInstance:
    """The effect that runs an activity or starts a child."""
    task_id = int(leaf.task_id or 0)
    if leaf.kind not in CHILDREN:
        return RunActivity(instance.id, instance.execution_id, task_id, leaf.name, leaf.input or "null")
    child_id = child_id_of(instance, leaf)
    parent = Parent(instance.id, instance.execution_id, instance.name, task_id)
    execution_id = derive_id(child_id, f"{instance.execution_id}:{task_id}")
    return StartInstance(child_id, leaf.name, execution_id, json.dumps(leaf.input), parent)


def effects_to_repeat(instance: Instance) -> list[Consequence]:
    """After a crash, set the timers and rerun the activities that an instance waits for.

    Activities run at least once, so one may be repeated, but not if its answer is already queued. Children and entities
    are recovered on their own.
    """
    effects: list[Consequence] = []
    answered = {answered_id(event) for event in instance.inbox}
    for leaf in instance.leaves:
        if leaf.finished or leaf.task_id is None or leaf.task_id in answered:
            continue
        if leaf.pausing or leaf.kind == act.TIMER:
            fire_at = datetime.fromisoformat(str(leaf.fire_at))
            effects.append(SetTimer(instance.id, instance.execution_id, leaf.task_id, fire_at))
        elif leaf.kind in (act.ACTIVITY, act.ACTIVITY_RETRY, act.CALL_HTTP):
            effects.append(dispatch(instance, leaf))
    return effects


def child_id_of(instance: Instance, leaf: Leaf) -> str:
    """The id that the orchestrator gave, or the extension's own form."""
    return leaf.child_id or f"{instance.execution_id}:{leaf.task_id}"


def _create_timer(instance: Instance, now: datetime, leaf: Leaf, fire_at: datetime) -> list[Consequence]:
    leaf.task_id, leaf.fire_at = _take_id(instance), fire_at.isoformat()
    event = hist.event(hist.TIMER_CREATED, now, leaf.task_id, FireAt=hist.timestamp(fire_at))
    instance.record(event)
    return [SetTimer(instance.id, instance.execution_id, leaf.task_id, fire_at)]


def _cancel(instance: Instance, leaf: Leaf, action: Action) -> list[Consequence]:
    """Cancel a timer: its action is restated with `isCanceled`. It no longer keeps the instance open."""
    if leaf.finished or not action.data.get("isCanceled") or leaf.task_id is None:
        return []
    leaf.state = "cancelled"
    return [CancelTimer(instance.id, instance.execution_id, leaf.task_id)]


def record_completion(instance: Instance, now: datetime, event: Event) -> list[Consequence]:
    """Finish the leaf that an event answers, or advance its retry."""
    if event["EventType"] == hist.EVENT_RAISED:
        _deliver_event(instance, str(event["Name"]))
        return []
    leaf = instance.awaiting(answered_id(event))
    if leaf is None:
        return []
    failed = event["EventType"] in FAILURES
    if failed and leaf.kind in RETRYING:
        leaf.pausing = True
        last = leaf.attempts >= leaf.max_attempts
        pause = timedelta(0) if last else timedelta(milliseconds=leaf.interval_ms)
        return _create_timer(
            instance, now, leaf, now + pause
        )  # DTFx creates one more timer even after the last failure
    if leaf.pausing and leaf.attempts < leaf.max_attempts:
        leaf.attempts += 1
        return schedule(instance, now, leaf)
    leaf.state = "failed" if failed or leaf.pausing else "done"
    if leaf.state == "done":
        leaf.input = None  # needed only by what may run again
    return []


def _deliver_event(instance: Instance, name: str) -> None:
    """Give the event to the newest open wait of that name, or keep it for the next such wait."""
    key = name.lower()
    for leaf in reversed(instance.leaves):
        if leaf.request_id == name or (leaf.kind == act.WAIT and not leaf.finished and leaf.name.lower() == key):
            leaf.state = "done"
            return
    instance.buffered[key] = instance.buffered.get(key, 0) + 1


def _take_id(instance: Instance) -> int:
    instance.next_id += 1
    return instance.next_id - 1


def derive_id(instance_id: str, execution_id: str) -> str:
    """An execution id derived from the previous one: the engine generates no ids of its own."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{instance_id}\n{execution_id}").hex


_CARRY_OUT: dict[int, Callable[[Instance, datetime, Leaf, Action], list[Consequence]]] = {
    act.ACTIVITY: _call,
    act.ACTIVITY_RETRY: _call,
    act.CHILD: _call,
    act.CHILD_RETRY: _call,
    act.CONTINUE_AS_NEW: _finish_at_once,
    act.TIMER: _start_timer,
    act.WAIT: _open_wait,
    act.CALL_ENTITY: _entity,
    act.CALL_HTTP: _http,
    act.SIGNAL_ENTITY: _entity,
}

KNOWN = frozenset(_CARRY_OUT)
"""The kinds of action that the host can carry out."""
