"""Follow a run through its history: the orchestrator itself, fed with what came from outside.

The Durable engine keeps no state of a run but its history. To show how a run stands, the same generator that the SDK
replays is replayed here over the events that the management API shows; nothing about the run is inferred.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from ..errors import GraphRunFailed
from ..run.messages import RunInput
from ..run.orchestrator import drive
from ..run.traversal import Traversal

_COMPLETIONS = {
    "TaskCompleted": "activity",
    "TaskFailed": "activity",
    "TimerFired": "timer",
    "EventRaised": "event",
    "SubOrchestrationInstanceCompleted": "child",
    "SubOrchestrationInstanceFailed": "child",
}


@dataclass
class Task:
    """Something that the orchestrator has asked for."""

    kind: str
    key: Any = None
    done: bool = False
    result: Any = None
    failure: Exception | None = None
    cancelled: bool = False
    children: tuple[Task, ...] = ()

    def cancel(self) -> None:
        """A timer that is no longer needed."""
        self.cancelled = True

    def is_done(self) -> bool:
        """Whether it is done; a compound looks at its children."""
        if self.kind == "all" and all(child.is_done() for child in self.children):
            self.done, self.result = True, [child.result for child in self.children]
        if self.kind == "any" and not self.done:
            self.result = next((child for child in self.children if child.is_done()), None)
            self.done = self.result is not None
        return self.done

    def awaits(self, other: Task) -> bool:
        """Whether `other` being done would move this task on."""
        return self is other or any(child is other for child in self.children)


@dataclass
class Followed:
    """How far a run has come: where it stands, each result with its event, each event and whether it was applied."""

    traversal: Traversal
    results: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = field(default_factory=list)
    events: list[tuple[Mapping[str, Any], bool]] = field(default_factory=list)


class _History:
    """A context that hands out tasks and takes its time from the events."""

    def __init__(self, instance_id: str, now: datetime) -> None:
        self.instance_id = instance_id
        self.current_utc_datetime = now
        self.open: list[Task] = []

    def call_activity(self, name: str, input_: Any) -> Task:
        return self._add(Task("activity", identity(input_)))

    def call_sub_orchestrator(self, name: str, input_: Any, instance_id: str) -> Task:
        return self._add(Task("child"))

    def wait_for_external_event(self, name: str) -> Task:
        return self._add(Task("event", name))

    def create_timer(self, fire_at: datetime) -> Task:
        return self._add(Task("timer"))

    def task_all(self, tasks: Any) -> Task:
        return Task("all", children=tuple(tasks))

    def task_any(self, tasks: Any) -> Task:
        return Task("any", children=tuple(tasks))

    def set_custom_status(self, status: Any) -> None:
        pass

    def continue_as_new(self, input_: Any) -> None:
        pass

    def _add(self, task: Task) -> Task:
        self.open.append(task)
        return task

    def answered(self, kind: str, event: Mapping[str, Any]) -> Task | None:
        """The open task that an event completes."""
        key = identity(event["Result"]) if event["EventType"] == "TaskCompleted" else event.get("Name")
        for task in self.open:
            wanted = task.key == key if kind in ("activity", "event") and event["EventType"] != "TaskFailed" else True
            if task.kind == kind and wanted and not task.cancelled:
                self.open.remove(task)
                return task
        return None


def follow(run_id: str, run: RunInput, history: Iterable[Mapping[str, Any]]) -> Followed:
    """Replay a run over the events of one generation. An event that nobody waits for has no effect, as in the SDK."""
    context = _History(run_id, _moment(run["started_at"]))
    followed = Followed(Traversal(context, run))
    steps = drive(followed.traversal)
    try:
        waiting: Any = next(steps)
        for event in history:
            kind = _COMPLETIONS.get(str(event.get("EventType")))
            if kind is None or not _is_ours(event):
                continue
            task = context.answered(kind, event)
            if kind == "event":
                followed.events.append((event, task is not None and waiting.awaits(task) and not waiting.done))
            if task is None:
                continue
            if event["EventType"] == "TaskCompleted":
                followed.results.append((event, event["Result"]))
            _complete(task, event)
            context.current_utc_datetime = _moment(str(event["Timestamp"]))
            while waiting.is_done():
                failure = waiting.failure
                waiting = steps.throw(failure) if failure else steps.send(waiting.result)
    except (StopIteration, GraphRunFailed):
        pass
    return followed


def _is_ours(event: Mapping[str, Any]) -> bool:
    return event["EventType"] != "TaskCompleted" or (
        isinstance(event.get("Result"), dict) and "node" in event["Result"]
    )


def identity(call: Mapping[str, Any]) -> tuple[Any, ...]:
    """What a call of the node activity and its result have in common."""
    return call["node"], call["step"], call.get("branch"), call.get("item"), call.get("apply_only", False)


def _complete(task: Task, event: Mapping[str, Any]) -> None:
    task.done = True
    if str(event["EventType"]).endswith("Failed"):
        task.failure = RuntimeError(str(event.get("Reason")))
    else:
        task.result = event.get("Input") if task.kind == "event" else event.get("Result")
        if task.kind == "event":
            task.result = _decoded(task.result)


def _decoded(text: Any) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return text


def _moment(text: str) -> datetime:
    """A timestamp of .NET (up to seven digits, 'Z') or of Python."""
    head, dot, tail = text.replace("Z", "+00:00").partition(".")
    if not dot:
        return datetime.fromisoformat(head)
    digits, plus, zone = tail.partition("+")
    return datetime.fromisoformat(f"{head}+{zone}" if plus else head) + timedelta(seconds=float(f"0.{digits}"))
