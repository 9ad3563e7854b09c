"""How the engine carries out what an orchestrator asks for: ids, leaves, waits, retries.

Ids follow the SDK's own counter: an activity, child or timer takes the next integer when it is carried out; a wait or
a compound takes none; a call with retry takes one more for each pause and attempt, while the event that causes it is
handled.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable
from datetime import datetime, timedelta

from . import actions as act
from . import history as hist
from .actions import Action, Outcome
from .history import Event, answered_id
from .instance import Instance, Leaf, Parent
from .messages import CancelTimer, Effect, RunActivity, SetTimer, StartInstance


def advance(instance: Instance, now: datetime, outcome: Outcome) -> list[Effect]:
    """Carry out top-level actions one by one, each awaited before the next is looked at."""
    effects: list[Effect] = []
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
        if not _complete(action, iter(mine)):
            if outcome.done or index + 1 < len(outcome.actions):
                instance.stalled_on = f"the host still awaits action {index}, {action}; Azure would, too"
            return effects
    return effects


def _complete(action: Action, leaves: Iterable[Leaf]) -> bool:
    """Whether .NET's await of this action would return. WhenAll waits for every child, also after a failure."""
    remaining = iter(leaves)

    def walk(action: Action) -> bool:
        if action.kind not in (act.WHEN_ANY, act.WHEN_ALL):
            return next(remaining).finished
        states = [walk(child) for child in action.children]
        return all(states) if action.kind == act.WHEN_ALL else any(states) or not states

    return walk(action)


def _carry_out(instance: Instance, now: datetime, action: Action) -> list[Effect]:
    leaf = Leaf(action.kind, action.name, input=action.data.get("input"))
    options = action.data.get("retryOptions") or {}
    leaf.max_attempts = options.get("maxNumberOfAttempts", 1)
    leaf.interval_ms = options.get("firstRetryIntervalInMilliseconds", 0)
    leaf.child_id = action.data.get("instanceId")
    instance.leaves.append(leaf)
    if action.kind == act.CONTINUE_AS_NEW:
        leaf.state = "done"
        return []
    if action.kind == act.WAIT:
        return _open_wait(instance, leaf)
    if action.kind == act.TIMER:
        fire_at = datetime.fromisoformat(action.data["fireAt"].replace("Z", "+00:00"))
        effects = _create_timer(instance, now, leaf, fire_at)
        if action.data.get("isCanceled"):  # cancelled before the host saw it: DTFx creates it all the same
            leaf.state = "cancelled"
        return effects
    return _schedule(instance, now, leaf)


def _open_wait(instance: Instance, leaf: Leaf) -> list[Effect]:
    key = leaf.name.lower()  # the extension compares event names without case
    if instance.buffered.get(key, 0):
        instance.buffered[key] -= 1
        leaf.state = "done"
    return []


def _schedule(instance: Instance, now: datetime, leaf: Leaf) -> list[Effect]:
    """Schedule the next attempt of an activity or a child."""
    leaf.task_id, leaf.pausing = _new_id(instance), False
    if leaf.kind in (act.ACTIVITY, act.ACTIVITY_RETRY):
        event = hist.event(hist.TASK_SCHEDULED, now, leaf.task_id, Name=leaf.name, Version=None, Input=None)
        instance.history.append(json.dumps(hist.played(event)))
        return [RunActivity(instance.id, instance.execution_id, leaf.task_id, leaf.name, leaf.input or "null")]
    child_id = _child_id(instance, leaf)
    event = hist.event(hist.CHILD_CREATED, now, leaf.task_id, Name=leaf.name, InstanceId=child_id, Input=leaf.input)
    instance.history.append(json.dumps(hist.played(event)))
    return [_start_of_child(instance, leaf)]


def under_way(instance: Instance) -> list[Effect]:
    """What an instance still waits for, as the effects that bring it: after a crash nothing else is needed to go on.

    An activity that was at work runs again; that is what at-least-once means.
    """
    effects: list[Effect] = []
    for leaf in instance.leaves:
        if leaf.finished or leaf.task_id is None:
            continue
        place = (instance.id, instance.execution_id, leaf.task_id)
        if leaf.pausing or leaf.kind == act.TIMER:
            effects.append(SetTimer(*place, datetime.fromisoformat(str(leaf.fire_at))))
        elif leaf.kind in (act.ACTIVITY, act.ACTIVITY_RETRY):
            effects.append(RunActivity(*place, leaf.name, leaf.input or "null"))
        else:
            effects.append(_start_of_child(instance, leaf))
    return effects


def _start_of_child(instance: Instance, leaf: Leaf) -> StartInstance:
    child_id = _child_id(instance, leaf)
    parent = Parent(instance.id, instance.execution_id, instance.name, int(leaf.task_id or 0))
    execution_id = derived_id(child_id, f"{instance.execution_id}:{leaf.task_id}")
    return StartInstance(child_id, leaf.name, execution_id, json.dumps(leaf.input), parent)


def _child_id(instance: Instance, leaf: Leaf) -> str:
    return leaf.child_id or f"{instance.execution_id}:{leaf.task_id}"


def _create_timer(instance: Instance, now: datetime, leaf: Leaf, fire_at: datetime) -> list[Effect]:
    leaf.task_id, leaf.fire_at = _new_id(instance), fire_at.isoformat()
    event = hist.event(hist.TIMER_CREATED, now, leaf.task_id, FireAt=hist.timestamp(fire_at))
    instance.history.append(json.dumps(hist.played(event)))
    return [SetTimer(instance.id, instance.execution_id, leaf.task_id, fire_at)]


def _cancel(instance: Instance, leaf: Leaf, action: Action) -> list[Effect]:
    """A cancelled timer shows as `isCanceled` on the old leaf; it no longer keeps the instance open."""
    if leaf.finished or not action.data.get("isCanceled") or leaf.task_id is None:
        return []
    leaf.state = "cancelled"
    return [CancelTimer(instance.id, instance.execution_id, leaf.task_id)]


def settle(instance: Instance, now: datetime, event: Event) -> list[Effect]:
    """Let an event that an episode has taken finish its leaf, or move its retry on."""
    if event["EventType"] == hist.EVENT_RAISED:
        return _settle_wait(instance, str(event["Name"]).lower())
    leaf = instance.awaiting(answered_id(event))
    if leaf is None:
        return []
    if event["EventType"] in (hist.TASK_FAILED, hist.CHILD_FAILED) and leaf.max_attempts and _retries(leaf):
        leaf.pausing = True
        last = leaf.attempts >= leaf.max_attempts
        pause = timedelta(0) if last else timedelta(milliseconds=leaf.interval_ms)
        return _create_timer(instance, now, leaf, now + pause)  # DTFx: one more timer even after the last failure
    if leaf.pausing and leaf.attempts < leaf.max_attempts:
        leaf.attempts += 1
        return _schedule(instance, now, leaf)
    leaf.state = "done"
    return []


def _retries(leaf: Leaf) -> bool:
    return leaf.kind in (act.ACTIVITY_RETRY, act.CHILD_RETRY)


def _settle_wait(instance: Instance, key: str) -> list[Effect]:
    """The newest open wait of that name gets the event; without one it is kept for the next wait."""
    for leaf in reversed(instance.leaves):
        if leaf.kind == act.WAIT and not leaf.finished and leaf.name.lower() == key:
            leaf.state = "done"
            return []
    instance.buffered[key] = instance.buffered.get(key, 0) + 1
    return []


def _new_id(instance: Instance) -> int:
    instance.next_id += 1
    return instance.next_id - 1


def derived_id(instance_id: str, execution_id: str) -> str:
    """An execution id that follows from the one before: the machine makes no ids of its own."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"{instance_id}\n{execution_id}").hex
