"""A recorded run: what happened to it, as a file that a test can replay.

    {"format": 1, "id": …, "runtime_status": …, "input": RunInput, "custom_status": …, "output": …,
     "events": [{"kind": "activity" | "event" | "timer" | "child", "at": …, …}]}

Only what came from outside is kept: results, events and timers, in the order in which they reached the run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..errors import HistoryError
from ..graph.names import ORCHESTRATOR
from ..run.messages import RunInput

FORMAT = 1


@dataclass(frozen=True)
class RecordedRun:
    """One generation of one run, as it was recorded."""

    id: str
    runtime_status: str
    input: RunInput
    custom_status: Any
    output: Any
    events: tuple[Mapping[str, Any], ...]

    def to_text(self) -> str:
        """The file's text."""
        data = {
            "format": FORMAT,
            "id": self.id,
            "runtime_status": self.runtime_status,
            "input": self.input,
            "custom_status": self.custom_status,
            "output": self.output,
            "events": [dict(event) for event in self.events],
        }
        return json.dumps(data, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_text(cls, text: str, name: str) -> RecordedRun:
        """Read a file. Raises HistoryError that begins with its name."""
        try:
            data = json.loads(text)
            if data["format"] != FORMAT:
                raise HistoryError(f"{name}: this release reads recordings of format {FORMAT}")
            return cls(
                data["id"],
                data["runtime_status"],
                data["input"],
                data["custom_status"],
                data["output"],
                tuple(data["events"]),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise HistoryError(f"{name} is no recording of a run ({type(error).__name__}: {error})") from None


def recorded_run(status: Mapping[str, Any]) -> RecordedRun:
    """Read what the management API says of an instance with `showHistory` and `showHistoryOutput`.

    Raises HistoryError for an instance that is no run of a graph.
    """
    if status.get("name") != ORCHESTRATOR:
        raise HistoryError(f"{status.get('instanceId')!r} is no run of a graph, but of {status.get('name')!r}")
    events = (_event(item) for item in status.get("historyEvents") or ())
    return RecordedRun(
        id=str(status["instanceId"]),
        runtime_status=str(status["runtimeStatus"]),
        input=_decoded(status["input"]),
        custom_status=_decoded(status.get("customStatus")),
        output=status.get("output"),
        events=tuple(event for event in events if event is not None),
    )


def _event(item: Mapping[str, Any]) -> dict[str, Any] | None:
    kind, at = item.get("EventType"), item.get("Timestamp")
    if kind == "TaskCompleted":
        return {"kind": "activity", "at": at, "result": _decoded(item.get("Result"))}
    if kind == "EventRaised":
        return {"kind": "event", "at": at, "name": item["Name"], "input": item.get("Input")}
    if kind == "TimerFired":
        return {"kind": "timer", "at": at}
    if kind == "SubOrchestrationInstanceCompleted":
        return {"kind": "child", "at": at, "result": _decoded(item.get("Result"))}
    if kind == "SubOrchestrationInstanceFailed":
        return {"kind": "child", "at": at, "reason": str(item.get("Reason"))}
    return None


def _decoded(value: Any) -> Any:
    """The management API decodes JSON once; what the SDK's client sent is text inside of that."""
    return json.loads(value) if isinstance(value, str) else value
