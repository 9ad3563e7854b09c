"""What reached a run from outside, read from one event of its history, and which open task it answers.

The management API shows events by name and leaves their ids out; where a history has ids, they decide. Without them an
answer is recognised by what it says: a result by its node, step and attempt, an event by its address, a timer by its
time. A failed activity says nothing of itself: it is one of those that no later result answers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any, Literal

from ..run.raised import decoded
from .tasks import Task

_KINDS: dict[str, tuple[Literal["activity", "child", "timer", "event", "clock"], bool]] = {
    "TaskCompleted": ("activity", False),
    "TaskFailed": ("activity", True),
    "TimerFired": ("timer", False),
    "EventRaised": ("event", False),
    "SubOrchestrationInstanceCompleted": ("child", False),
    "SubOrchestrationInstanceFailed": ("child", True),
    "OrchestratorStarted": ("clock", False),
    "ExecutionStarted": ("clock", False),
}

DRIFT = timedelta(minutes=1)
"""How far the walk's clock may be behind the run's: the API does not show when an episode began."""


@dataclass(frozen=True)
class Arrival:
    """One event that moves a run on. `value` is what it brings, an exception where it `failed`."""

    event: Mapping[str, Any]
    kind: Literal["activity", "child", "timer", "event", "clock"]
    failed: bool
    at: datetime | None
    value: Any = None

    @property
    def id(self) -> Any:
        """What the SDK knows the answered task by, where the history has it: an id, or an event's name."""
        if self.kind == "event":
            return str(self.event.get("Name"))
        found = self.event.get("TimerId" if self.kind == "timer" else "TaskScheduledId")
        return found if isinstance(found, int) else None

    @property
    def sets_clock(self) -> bool:
        """Whether the SDK takes the time from it."""
        return self.event.get("EventType") == "OrchestratorStarted"

    @property
    def call(self) -> tuple[Any, ...] | None:
        """The call that a node's result answers, or the child whose answer names it; None for what says neither."""
        if self.failed or self.kind not in ("activity", "child"):
            return None
        return call_key(self.value) if self.kind == "activity" else child_key(self.value)

    def __str__(self) -> str:
        text = str(self.event.get("EventType"))
        return f"{text} of node {self.call[0]!r} at step {self.call[1]}" if self.call and self.kind != "child" else text


def arrival(event: Any) -> Arrival | None:
    """The event as an arrival; None for one that means nothing to a run."""
    if not isinstance(event, Mapping) or str(event.get("EventType")) not in _KINDS:
        return None
    kind, failed = _KINDS[str(event.get("EventType"))]
    times = [moment(event.get("Timestamp")), moment(event.get("FireAt")) if kind == "timer" else None]
    at = max((time for time in times if time is not None), default=None)  # Azure stamps a firing when it is set
    value: Any = None
    if failed:
        value = Exception(f"{event.get('Reason')} \n {event.get('Details')}")
    elif kind in ("activity", "child", "event"):
        value = decoded(event.get("Input" if kind == "event" else "Result"))
    return Arrival(event, kind, failed, at, value)


def identity(call: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a call of the node activity and its result have in common."""
    return call["node"], call["step"], call.get("branch"), call.get("item"), call.get("apply_only", False)


def call_key(call: Any) -> tuple[Any, ...] | None:
    """The identity with the attempt; None for what is no call and no result of the node activity."""
    if not isinstance(call, Mapping):
        return None
    if not all(isinstance(call.get(key, default), kind) for key, (kind, default) in _CALL.items()):
        return None
    return (*identity(call), call.get("attempt", 1))


def child_key(answer: Any) -> tuple[Any, ...] | None:
    """What an answer of a child says of itself, where several may be open: its id."""
    if isinstance(answer, Mapping) and isinstance(answer.get("id"), str):
        return ("child", answer["id"])
    return None


_CALL: dict[str, tuple[Any, Any]] = {
    "node": (str, None),
    "step": (int, None),
    "branch": ((str, type(None)), None),
    "item": ((int, type(None)), None),
    "apply_only": (bool, False),
    "attempt": (int, 1),
}
"""The types and defaults of what is in a call's key."""

CALL_KEYS = tuple(_CALL)
"""What a call and its result have in common."""


def answered(arrival: Arrival, open_tasks: Sequence[Task], later: Counter[Any]) -> Task | None:
    """The open task that an arrival answers. `later` counts the results that are still to come, by their calls."""
    if arrival.kind == "event":  # of several waits for one name the newest
        return next((task for task in reversed(open_tasks) if (task.kind, task.wanted) == ("event", arrival.id)), None)
    if arrival.id is not None:
        return next((task for task in open_tasks if task.id == arrival.id), None)
    return _PICK[arrival.kind](arrival, [task for task in open_tasks if task.kind == arrival.kind], later)


def _activity(arrival: Arrival, found: Sequence[Task], later: Counter[Any]) -> Task | None:
    if arrival.call is not None:
        return next((task for task in found if call_key(task.wanted) == arrival.call), None)
    silent = [task for task in found if not later[call_key(task.wanted)]]
    return next(iter([*silent, *found]), None)


def _timer(arrival: Arrival, found: Sequence[Task], later: Counter[Any]) -> Task | None:
    """The timer whose time this is. One that was cancelled may fire all the same, where the host was at it already."""
    fired = moment(arrival.event.get("FireAt"))
    set_ = [task for task in found if not task.cancelled]
    if fired is None:
        return next(iter([*set_, *found]), None)
    near = [task for task in found if abs(task.wanted - fired) <= DRIFT]
    near.sort(key=lambda task: (task.wanted != fired, task.cancelled))
    return next(iter([*near, *set_]), None)


def _child(arrival: Arrival, found: Sequence[Task], later: Counter[Any]) -> Task | None:
    """The child that an answer names. One that was lost says nothing: it is one of those that give no answer later."""
    if arrival.call is not None:
        return next((task for task in found if ("child", task.wanted) == arrival.call), None)
    silent = [task for task in found if not later["child", task.wanted]]
    return next(iter([*silent, *found]), None)


_PICK: dict[str, Callable[[Arrival, Sequence[Task], Counter[Any]], Task | None]] = {
    "activity": _activity,
    "timer": _timer,
    "child": _child,
}


def moment(text: Any) -> datetime | None:
    """A timestamp of .NET (up to seven digits, 'Z') or of Python; UTC where it names no zone. None for what is none."""
    if not isinstance(text, str):
        return None
    six_digits = re.sub(r"\.(\d+)", lambda found: f".{found[1][:6]:0<6}", text.strip().replace("Z", "+00:00"))
    try:
        found = datetime.fromisoformat(six_digits)  # Python 3.10 reads three digits or six, and no 'Z'
        return (found if found.tzinfo else found.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
