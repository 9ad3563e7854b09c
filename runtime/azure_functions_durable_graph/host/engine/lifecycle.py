"""What people do to an instance: terminate, suspend, resume, rewind."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from . import history_events as hist
from .episodes import close
from .execution import CHILDREN, FAILURES, child_id_of, dispatch
from .history_events import Event, answered_id
from .instance import Instance, Leaf
from .messages import Consequence, Resume, Rewind, Suspend, Terminate

_SCHEDULING = frozenset({hist.TASK_SCHEDULED, hist.CHILD_CREATED, hist.TIMER_CREATED, hist.EVENT_SENT})


def terminate(instance: Instance, now: datetime, message: Terminate) -> list[Consequence]:
    """End it at once; activities that are at work end unheard."""
    event = hist.event(hist.EXECUTION_TERMINATED, now, Input=message.reason)
    instance.history.append(json.dumps(event))
    return close(instance, now, "Terminated", message.reason)


def suspend(instance: Instance, now: datetime, message: Suspend) -> list[Consequence]:
    """Call the orchestrator no more; what comes is queued."""
    instance.status, instance.updated = "Suspended", now
    return []


def resume(instance: Instance, now: datetime, message: Resume) -> list[Consequence]:
    """Go on with what is queued."""
    instance.status, instance.updated = "Running", now
    return []


def rewind_fault(instance: Instance) -> str | None:
    """Why a failed instance cannot be rewound, if so.

    A replay gives out the ids anew. Once the orchestrator has gone on after a failure, what it did then has ids that a
    replay without the failure would give to something else.
    """
    cutoff = _cutoff(instance)
    for leaf in instance.leaves:
        if leaf.state != "failed" and leaf.task_id is not None and leaf.task_id >= cutoff:
            return f"it went on after a failure (with {leaf.name or 'a timer'}); restart it instead"
    return None


def rewind(instance: Instance, now: datetime, message: Rewind) -> list[Consequence]:
    """Take the failures out of the history, and do again, under the same ids, what has failed."""
    if instance.status != "Failed" or rewind_fault(instance) is not None:
        return []
    cutoff, failed = _cutoff(instance), _failed(instance)
    instance.history = [text for text in instance.history if _stays(json.loads(text), cutoff, failed)]
    instance.stored, instance.next_id = 0, min(cutoff, instance.next_id)
    instance.status, instance.output, instance.updated = "Running", None, now
    instance.inbox.append(hist.event(hist.EXECUTION_REWOUND, now, Reason=message.reason))
    effects: list[Consequence] = []
    for leaf in failed.values():
        leaf.state, leaf.task_id, leaf.attempts, leaf.pausing = "open", leaf.first_id, 1, False
        effects.append(_again(instance, leaf, message.reason))
    return effects


def _again(instance: Instance, leaf: Leaf, reason: str) -> Consequence:
    """A failed child is rewound, too. The engine starts it anew where it cannot be."""
    if leaf.kind in CHILDREN:
        return Rewind(child_id_of(instance, leaf), reason)
    return dispatch(instance, leaf)


def _failed(instance: Instance) -> dict[int, Leaf]:
    """What has failed for good, by the id with which it began."""
    return {leaf.first_id: leaf for leaf in instance.leaves if leaf.state == "failed" and leaf.first_id is not None}


def _cutoff(instance: Instance) -> int:
    """The first id that was given out after the first failure that counts."""
    failed = _failed(instance)
    following = 0
    for text in instance.history:
        event = json.loads(text)
        if event["EventType"] in _SCHEDULING:
            following = max(following, event["EventId"] + 1)
        elif event["EventType"] in FAILURES and answered_id(event) in failed:
            return following
    return instance.next_id


def _stays(event: Event, cutoff: int, failed: Mapping[int, Leaf]) -> bool:
    kind = event["EventType"]
    if kind == hist.EXECUTION_COMPLETED or (kind in FAILURES and answered_id(event) in failed):
        return False
    return max(answered_id(event), int(event["EventId"])) < cutoff
