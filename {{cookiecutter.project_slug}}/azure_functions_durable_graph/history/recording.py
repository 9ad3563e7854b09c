"""A recorded run: what happened to it, as a file that a test can replay.

    {"format": 1, "id": …, "runtime_status": …, "input": RunInput, "custom_status": …, "output": …,
     "events": [{"kind": "activity" | "event" | "timer" | "child", "at": …, …}]}

Only what came from outside is kept: results, events and timers, in the order in which they reached the run.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from ..errors import HistoryError, PayloadError
from ..graph.documents import parse_object, read_text
from ..graph.names import ORCHESTRATOR
from ..graph.plan import nodes_of
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
        """Read a file. Raises HistoryError, whatever the text is: the file's name, and the place in it."""
        try:
            data = parse_object(text)
            if data.get("format") != FORMAT:
                raise HistoryError(f"{name} is not of format {FORMAT}, the only one that this release reads")
            _require(data, _RECORDING, "")
            _require(data["input"], _INPUT, "input.")
            _require(data["input"]["plan"], _PLAN, "input.plan.")
            nodes_of(data["input"]["plan"])
            for number, event in enumerate(data["events"]):
                _check_event(event, f"events[{number}]")
        except PayloadError as error:
            raise HistoryError(f"{name} is not a recording of a run: {error}") from None
        return cls(
            data["id"],
            data["runtime_status"],
            cast(RunInput, data["input"]),
            data.get("custom_status"),
            data.get("output"),
            tuple(data["events"]),
        )

    @classmethod
    def read(cls, path: Path) -> RecordedRun:
        """Read a file like `from_text`. Raises HistoryError for one that cannot be read, too."""
        try:
            return cls.from_text(read_text(path), path.name)
        except FileNotFoundError:
            raise HistoryError(f"{path} does not exist") from None
        except PayloadError as error:
            raise HistoryError(f"{path.name}: {error}") from None


_RECORDING = {"id": str, "runtime_status": str, "input": dict, "events": list}
_INPUT = {"plan": dict, "state": dict, "input": dict, "metadata": dict, "node": str, "step": int, "trail": list}
_INPUT |= {"started_at": str}
_PLAN = {"graph": str, "version": str, "hash": str, "max_steps": int, "nodes": dict}
_EVENTS: dict[str, dict[str, type]] = {
    "activity": {"at": str, "result": dict},
    "event": {"at": str, "name": str},
    "timer": {"at": str},
    "child": {"at": str},
}
"""What must be there, and its type, by the kind of a recorded event."""


def _check_event(event: Any, where: str) -> None:
    if not isinstance(event, dict) or not isinstance(event.get("kind"), str) or event["kind"] not in _EVENTS:
        raise PayloadError(f"{where} is not one of {', '.join(_EVENTS)}")
    _require(event, _EVENTS[event["kind"]], f"{where}.")
    if event["kind"] == "activity":
        _require(event["result"], {"node": str, "step": int}, f"{where}.result.")


def _require(data: Mapping[str, Any], kinds: Mapping[str, type], where: str) -> None:
    for key, kind in kinds.items():
        value = data.get(key)
        if not isinstance(value, kind) or isinstance(value, bool):
            found = type(value).__name__ if key in data else "nothing"
            raise PayloadError(f"{where}{key} must be a {kind.__name__}, not {found}")


def recorded_run(status: Mapping[str, Any]) -> RecordedRun:
    """Read what the management API says of an instance with `showHistory` and `showHistoryOutput`.

    Raises HistoryError for an instance that is no run of a graph, and for an answer that cannot be read.
    """
    if status.get("name") != ORCHESTRATOR:
        found = f"an instance of {status.get('name')!r}"
        raise HistoryError(f"{status.get('instanceId')!r} is not a run of a graph, but {found}")
    try:
        events = [_event(item) for item in status.get("historyEvents") or ()]
        run = RecordedRun(
            id=str(status["instanceId"]),
            runtime_status=str(status["runtimeStatus"]),
            input=_decoded(status["input"]),
            custom_status=_decoded(status.get("customStatus")),
            output=status.get("output"),
            events=tuple(event for event in events if event is not None),
        )
        return RecordedRun.from_text(run.to_text(), f"the response about run {run.id!r}")  # what a test could not read
    except HistoryError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        place = f"{type(error).__name__}: {error}"
        raise HistoryError(f"the response about run {status.get('instanceId')!r} cannot be read ({place})") from None


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
