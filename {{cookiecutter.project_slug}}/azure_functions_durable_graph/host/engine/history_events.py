"""History events, as the Durable extension writes them for the SDK and shows them over HTTP.

An event is a dict with PascalCase keys. The SDK needs integer `EventType`s and certain keys; the management API shows
names instead (`render_events`). Time is always an argument.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Mapping
from datetime import datetime, timezone
from typing import Any

Event = dict[str, Any]

EXECUTION_STARTED, EXECUTION_COMPLETED, EXECUTION_TERMINATED = 0, 1, 3
TASK_SCHEDULED, TASK_COMPLETED, TASK_FAILED = 4, 5, 6
CHILD_CREATED, CHILD_COMPLETED, CHILD_FAILED = 7, 8, 9
TIMER_CREATED, TIMER_FIRED = 10, 11
ORCHESTRATOR_STARTED, ORCHESTRATOR_COMPLETED = 12, 13
EVENT_SENT, EVENT_RAISED = 14, 15
EXECUTION_REWOUND = 21

NAMES = {
    EXECUTION_STARTED: "ExecutionStarted",
    EXECUTION_COMPLETED: "ExecutionCompleted",
    EXECUTION_TERMINATED: "ExecutionTerminated",
    TASK_SCHEDULED: "TaskScheduled",
    TASK_COMPLETED: "TaskCompleted",
    TASK_FAILED: "TaskFailed",
    CHILD_CREATED: "SubOrchestrationInstanceCreated",
    CHILD_COMPLETED: "SubOrchestrationInstanceCompleted",
    CHILD_FAILED: "SubOrchestrationInstanceFailed",
    TIMER_CREATED: "TimerCreated",
    TIMER_FIRED: "TimerFired",
    ORCHESTRATOR_STARTED: "OrchestratorStarted",
    ORCHESTRATOR_COMPLETED: "OrchestratorCompleted",
    EVENT_SENT: "EventSent",
    EVENT_RAISED: "EventRaised",
    EXECUTION_REWOUND: "ExecutionRewound",
}

_SCHEDULING = {TASK_SCHEDULED, CHILD_CREATED}
_ANSWERING = {TASK_COMPLETED, TASK_FAILED, CHILD_COMPLETED, CHILD_FAILED}
_HIDDEN = {ORCHESTRATOR_STARTED, ORCHESTRATOR_COMPLETED}
_PRIVATE = {"EventId", "IsPlayed", "TaskScheduledId", "TimerId"}


@functools.lru_cache(maxsize=64)
def timestamp(moment: datetime) -> str:
    """UTC with 'Z'. The SDK's arithmetic fails on a naive time in a history."""
    return moment.astimezone(timezone.utc).isoformat(timespec="microseconds")[:-6] + "Z"


def event(kind: int, now: datetime, event_id: int = -1, **members: Any) -> Event:
    """An event with the four keys that the SDK's constructor requires."""
    return {"EventType": kind, "EventId": event_id, "IsPlayed": False, "Timestamp": timestamp(now), **members}


def execution_started(
    now: datetime, name: str, instance_id: str, execution_id: str, input_: str | None, parent: Mapping[str, Any] | None
) -> Event:
    """The event that starts a generation. The SDK reads `Version`, which may be null."""
    return event(
        EXECUTION_STARTED,
        now,
        OrchestrationInstance={"InstanceId": instance_id, "ExecutionId": execution_id},
        ParentInstance=parent,
        Name=name,
        Version=None,
        Input=input_,
        Tags=None,
    )


def answered_id(event_: Event) -> int:
    """The id of the task or timer that the event answers, or -1."""
    found = event_.get("TaskScheduledId", event_.get("TimerId"))
    return -1 if found is None else int(found)


def mark_played(event_: Event) -> Event:
    """The event as later episodes get it. The extension never marks OrchestratorStarted as played."""
    return event_ if event_["EventType"] == ORCHESTRATOR_STARTED else {**event_, "IsPlayed": True}


def render_events(events: Iterable[Event], outputs: bool) -> list[dict[str, Any]]:
    """`historyEvents` of the management API.

    Names instead of numbers; a scheduling event is merged into its completion; results, decoded, only with `outputs`.
    """
    listed = list(events)
    scheduled = {e["EventId"]: e for e in listed if e["EventType"] in _SCHEDULING}
    answered = {e["TaskScheduledId"] for e in listed if e["EventType"] in _ANSWERING}
    answer = []
    for item in listed:
        kind = item["EventType"]
        if kind in _HIDDEN or (kind in _SCHEDULING and item["EventId"] in answered):
            continue
        answer.append(_render(item, scheduled.get(item.get("TaskScheduledId", -1)), outputs))
    return answer


def _render(item: Event, scheduling: Event | None, outputs: bool) -> dict[str, Any]:
    view = {k: v for k, v in item.items() if k not in _PRIVATE}
    view["EventType"] = NAMES[item["EventType"]]
    if item["EventType"] == EXECUTION_STARTED:
        view["FunctionName"] = view.pop("Name")
        for key in ("OrchestrationInstance", "ParentInstance", "Version", "Tags", "Input"):
            view.pop(key, None)
    if scheduling is not None:
        view["FunctionName"] = scheduling["Name"]
        view["ScheduledTime"] = scheduling["Timestamp"]
    result = view.pop("Result", None)
    if outputs and result is not None:
        view["Result"] = decode(result)
    return view


def decode(text: str | None) -> Any:
    """Stored text as a value: decoded if it is JSON (outputs), else the text itself (failures, reasons)."""
    if text is None:
        return None
    try:
        return json.loads(text)
    except ValueError:
        return text
