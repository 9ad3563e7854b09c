"""Episodes: what an orchestrator gets in one call, and what follows from its result.

An instance completes, fails or continues as new only when no activity, child or uncancelled timer is open.
"""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime

from . import actions as act
from . import history_events as hist
from .actions import Outcome
from .execution import FAILURES, KNOWN, RETRYING, UNCOUNTED, advance, derive_id, record_completion
from .history_events import Event, answered_id
from .instance import Held, Instance, Status
from .messages import Consequence, EpisodeContext, EpisodeFinished, RunEpisode, TaskAnswered

STATUS_LIMIT = 16 * 1024
"""Bytes of UTF-16 that the Durable extension allows a custom status."""


def begin(instance: Instance, now: datetime) -> None:
    """Put the event that starts a generation into the inbox."""
    parent = instance.parent
    parent_instance = None if parent is None else parent.to_history()
    started = hist.execution_started(
        now, instance.name, instance.id, instance.execution_id, instance.input, parent_instance
    )
    instance.inbox.insert(0, started)


def receive(instance: Instance, now: datetime, event: Event) -> list[Consequence]:
    """Queue a completion. If the result is already known and only waits for open tasks, record it at once."""
    if instance.held is None:
        instance.inbox.append(event)
        return []
    effects = record_completion(instance, now, event)
    instance.record(event)
    return [*effects, *finish(instance, now)]


def start_episode(instance: Instance, now: datetime) -> list[Consequence]:
    """Start an episode, if there are new events and the instance is free to run."""
    busy = instance.batch is not None or instance.held is not None
    if busy or instance.terminal or instance.status == "Suspended" or not instance.inbox:
        return []
    instance.batch = [hist.event(hist.ORCHESTRATOR_STARTED, now), *_take_batch(instance)]
    return [RunEpisode(instance.id, instance.execution_id, instance.name, _render_context(instance))]


def requeue_batch(instance: Instance) -> None:
    """Queue the events of an episode again that was running when its host died."""
    if instance.batch is not None:
        instance.inbox = [*instance.batch[1:], *instance.inbox]
        instance.batch = None


def _take_batch(instance: Instance) -> list[Event]:
    """The next events, together; but an event that makes a retry take an id is delivered alone.

    The SDK assigns that id while it handles the event, before any user code that follows.
    """
    taken: list[Event] = []
    while instance.inbox:
        if _advances_retry(instance, instance.inbox[0]):
            return taken or [instance.inbox.pop(0)]
        taken.append(instance.inbox.pop(0))
    return taken


def _advances_retry(instance: Instance, event: Event) -> bool:
    leaf = instance.awaiting(answered_id(event))
    if leaf is None or leaf.kind not in RETRYING:
        return False
    return event["EventType"] in (*FAILURES, hist.TIMER_FIRED)


def _render_context(instance: Instance) -> EpisodeContext:
    """The orchestration trigger's JSON. Old events and the input are kept as text, and are not encoded again."""
    new = [json.dumps(event) for event in instance.batch or ()]
    rest = {
        "instanceId": instance.id,
        "isReplaying": bool(instance.history),
        "parentInstanceId": instance.parent and instance.parent.instance_id,
        "upperSchemaVersion": 1,
        "upperSchemaVersionNew": 2,
        "maximumShortTimerDuration": "6.00:00:00",
        "longRunningTimerIntervalDuration": "3.00:00:00",
        "defaultHttpAsyncRequestSleepTimeMillseconds": 30000,
    }
    history = ",".join([*instance.history, *new])
    text = f'{{"history":[{history}],"input":{instance.input or "null"},{json.dumps(rest)[1:]}'
    return EpisodeContext.of(text, instance.id, instance.execution_id, len(instance.history), instance.batch or ())


def finish_episode(instance: Instance, now: datetime, message: EpisodeFinished) -> list[Consequence]:
    """Record the episode: its events, what it scheduled, and its result."""
    if instance.batch is None:
        return []
    batch, instance.batch = instance.batch, None
    outcome = message.outcome
    instance.updated = now
    if instance.status == "Pending":
        instance.status = "Running"
    effects: list[Consequence] = []
    instance.record(*batch)
    for event in batch:
        effects += record_completion(instance, now, event)
    if outcome.error is None or outcome.actions:
        rejection = _rejection(instance, outcome)
        if rejection is not None:
            outcome = replace(outcome, actions=(), done=False, error=rejection)
        else:
            effects += advance(instance, now, outcome)
    instance.custom_status = outcome.custom_status
    if outcome.error is not None:
        instance.held = Held("Failed", f"Orchestrator function '{instance.name}' failed: {outcome.error}")
    elif outcome.done and instance.stalled_on is None:
        instance.held = _read_result(outcome)
    instance.record(hist.event(hist.ORCHESTRATOR_COMPLETED, now))
    return [*effects, *finish(instance, now)]


def _rejection(instance: Instance, outcome: Outcome) -> str | None:
    """Why the extension would reject what the orchestrator returned, or None."""
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
        if leaf.kind not in KNOWN:
            return f"the local host does not know the action {leaf}; is azure-functions-durable newer than 1.x?"
    for leaf in leaves[len(instance.leaves) :]:
        if (reason := act.unusable(leaf)) is not None:
            return reason
    if outcome.custom_status is not None:
        size = len(json.dumps(json.loads(outcome.custom_status), ensure_ascii=False).encode("utf-16-le", "replace"))
        if size > STATUS_LIMIT:
            return f"the custom status takes {size} bytes of UTF-16; the Durable extension allows {STATUS_LIMIT}"
    return None


def _read_result(outcome: Outcome) -> Held:
    last = outcome.actions[-1] if outcome.actions else None
    if last is not None and last.kind == act.CONTINUE_AS_NEW:
        return Held("ContinuedAsNew", json.dumps(last.data["input"]))
    return Held("Completed", outcome.output if outcome.output is not None else "null")


def finish(instance: Instance, now: datetime) -> list[Consequence]:
    """Close the instance if its result is known and no task is open."""
    if instance.held is None or any(not leaf.finished and leaf.kind not in UNCOUNTED for leaf in instance.leaves):
        return []
    held, instance.held = instance.held, None
    if held.status == "ContinuedAsNew":
        _continue_as_new(instance, now, held.output)
        return []
    event = hist.event(
        hist.EXECUTION_COMPLETED, now, instance.next_id, OrchestrationStatus=held.status, Result=held.output
    )
    instance.record(event)
    return close(instance, now, held.status, held.output)


def _continue_as_new(instance: Instance, now: datetime, input_: str) -> None:
    """Start a new generation under the same id. It keeps the events that no episode has taken yet."""
    instance.execution_id = derive_id(instance.id, instance.execution_id)
    instance.input, instance.created, instance.updated = input_, now, now
    instance.history, instance.stored, instance.leaves, instance.next_id = [], 0, [], 0
    instance.buffered, instance.stalled_on = {}, None
    instance.inbox = [event for event in instance.inbox if event["EventType"] == hist.EVENT_RAISED]
    begin(instance, now)


def close(instance: Instance, now: datetime, status: Status, output: str) -> list[Consequence]:
    """End the instance; a child reports its result to its parent."""
    instance.status, instance.output, instance.updated = status, output, now
    instance.inbox, instance.batch, instance.held, instance.stalled_on = [], None, None, None
    parent = instance.parent
    if parent is None:
        return []
    place = (parent.instance_id, parent.execution_id, parent.task_id)
    if status == "Completed":
        return [TaskAnswered(*place, result=output)]
    return [TaskAnswered(*place, reason=output)]
