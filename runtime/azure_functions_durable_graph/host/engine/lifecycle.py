"""Management of an instance: terminate, suspend, resume, rewind."""

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
    """End it immediately; running activities finish, but their results are ignored."""
    event = hist.event(hist.EXECUTION_TERMINATED, now, Input=message.reason)
    instance.history.append(json.dumps(event))
    return close(instance, now, "Terminated", message.reason)


def suspend(instance: Instance, now: datetime, message: Suspend) -> list[Consequence]:
    """Stop calling the orchestrator; queue what arrives."""
    instance.status, instance.updated = "Suspended", now
    return []


def resume(instance: Instance, now: datetime, message: Resume) -> list[Consequence]:
    """Continue with what is queued."""
    instance.status, instance.updated = "Running", now
    return []


def rewind_problem(instance: Instance) -> str | None:
    """Why a failed instance cannot be rewound, or None.

    A replay assigns ids anew. If the orchestrator continued after a failure, what it did then has ids that a replay
    without the failure would assign to something else.
    """
    cutoff = _find_cutoff(instance)
    for leaf in instance.leaves:
        if leaf.state != "failed" and leaf.task_id is not None and leaf.task_id >= cutoff:
            return f"it continued after a failure (with {leaf.name or 'a timer'}); restart it instead"
    return None


def rewind(instance: Instance, now: datetime, message: Rewind) -> list[Consequence]:
    """Remove the failures from the history, and repeat the failed calls under the same ids."""
    if instance.status != "Failed" or rewind_problem(instance) is not None:
        return []
    cutoff, failed = _find_cutoff(instance), _find_failures(instance)
    instance.history = [text for text in instance.history if _is_kept(json.loads(text), cutoff, failed)]
    instance.stored, instance.next_id = 0, min(cutoff, instance.next_id)
    instance.status, instance.output, instance.updated = "Running", None, now
    instance.inbox.append(hist.event(hist.EXECUTION_REWOUND, now, Reason=message.reason))
    effects: list[Consequence] = []
    for leaf in failed.values():
        leaf.state, leaf.task_id, leaf.attempts, leaf.pausing = "open", leaf.first_id, 1, False
        effects.append(_retry(instance, leaf, message.reason))
    return effects


def _retry(instance: Instance, leaf: Leaf, reason: str) -> Consequence:
    """Repeat a failed call. A failed child is rewound, or restarted by the engine if it cannot be."""
    if leaf.kind in CHILDREN:
        return Rewind(child_id_of(instance, leaf), reason)
    return dispatch(instance, leaf)


def _find_failures(instance: Instance) -> dict[int, Leaf]:
    """The calls that have failed without further retries, by their first id."""
    return {leaf.first_id: leaf for leaf in instance.leaves if leaf.state == "failed" and leaf.first_id is not None}


def _find_cutoff(instance: Instance) -> int:
    """The first id that was assigned after the first of these failures."""
    failed = _find_failures(instance)
    following = 0
    for text in instance.history:
        event = json.loads(text)
        if event["EventType"] in _SCHEDULING:
            following = max(following, event["EventId"] + 1)
        elif event["EventType"] in FAILURES and answered_id(event) in failed:
            return following
    return instance.next_id


def _is_kept(event: Event, cutoff: int, failed: Mapping[int, Leaf]) -> bool:
    kind = event["EventType"]
    if kind == hist.EXECUTION_COMPLETED or (kind in FAILURES and answered_id(event) in failed):
        return False
    return max(answered_id(event), int(event["EventId"])) < cutoff
