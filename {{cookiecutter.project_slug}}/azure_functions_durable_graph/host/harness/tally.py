"""What runs make the engine do, counted from all that passes between the two: no model of what they ought to do.

The last call of an orchestrator in a generation has the generation's whole history, and its answer every action. A
message is counted as one call of an orchestrator; messages that arrive together share a call.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...history.arrivals import moment
from ..engine import actions as act
from ..engine import history_events as hist
from ..engine.actions import Action, Outcome
from ..engine.history_events import Event, answered_id

RESULTS = frozenset({hist.TASK_COMPLETED, hist.TASK_FAILED})
WAKING = RESULTS | {
    hist.CHILD_COMPLETED,
    hist.CHILD_FAILED,
    hist.EXECUTION_STARTED,
    hist.TIMER_FIRED,
    hist.EVENT_RAISED,
}
"""Events that come as messages, each of which makes the engine call the orchestrator."""

KINDS = ("start", "child", "activity", "timer", "cancelled timer", "event", "generation")
"""What is counted. A start is one by a client, a child a run that a run has started, with its answer to that, and a
generation one that follows on another."""

LARGE_MESSAGE, LARGE_ROW = 45 * 1024, 60 * 1024
"""Bytes above which DurableTask.AzureStorage keeps a message (UTF-8) or a row's text (UTF-16) as a blob."""

_LEAVES = {act.ACTIVITY: "activity", act.CHILD: "child", act.TIMER: "timer"}
"""The actions that the runtime asks for and that cost something. They are numbered in their order."""


@dataclass
class _Generation:
    """One history as far as it is known. `rows` are its texts that are kept as blobs, which every call reads again."""

    first: bool
    child: bool
    history: list[Event] = field(default_factory=list)
    leaves: list[Action] = field(default_factory=list)
    asked: dict[int, datetime | None] = field(default_factory=dict)
    rows: int = 0


class Tally:
    """The generations of all instances whose orchestrators were called; times are in seconds.

    `calls` are those of orchestrators, `activities` those of activities, and `waited` the times from a call of an
    activity to its result, as the histories have them. `blobs` counts large messages and rows, and how often rows are
    read.
    """

    def __init__(self) -> None:
        self.calls: list[float] = []
        self.activities: list[float] = []
        self.waited: list[float] = []
        self.blobs: Counter[str] = Counter()
        self._generations: dict[tuple[str, str], _Generation] = {}

    def called(self, context: str, outcome: Outcome, seconds: float, child: bool | None = None) -> None:
        """An orchestrator was called with `context` (JSON); `child` says whether a run has started it, if not that."""
        given = json.loads(context)
        self.calls.append(seconds)
        generation = self._generation(given, child)
        news = given["history"][len(generation.history) :]
        generation.history = given["history"]
        for event in news:
            self._take(generation, event)
        self._ask(generation, outcome, moment(given["history"][-1]["Timestamp"]))

    def counts(self) -> Counter[str]:
        """How often each of KINDS has happened."""
        found: Counter[str] = Counter(dict.fromkeys(KINDS, 0))
        for generation in self._generations.values():
            found["start"] += generation.first and not generation.child
            found["generation"] += not generation.first
            found["event"] += sum(event["EventType"] == hist.EVENT_RAISED for event in generation.history)
            found.update(filter(None, map(_kind, generation.leaves)))
        return found

    def _generation(self, given: Mapping[str, Any], child: bool | None) -> _Generation:
        instance = str(given["instanceId"])
        started = next(event for event in given["history"] if event["EventType"] == hist.EXECUTION_STARTED)
        key = (instance, str(started["OrchestrationInstance"]["ExecutionId"]))
        if key not in self._generations:
            first = all(known != instance for known, _ in self._generations)
            below = given.get("parentInstanceId") is not None if child is None else child
            self._generations[key] = _Generation(first, below)
        return self._generations[key]

    def _take(self, generation: _Generation, event: Event) -> None:
        """A new event: whoever is called for it reads the history, and then it is a row of that."""
        if event["EventType"] not in WAKING:
            return
        self.blobs["read"] += generation.rows
        text = str(event.get("Result") or event.get("Input") or event.get("Details") or "")
        self.blobs["message"] += _is_message(text) and (
            generation.first or event["EventType"] != hist.EXECUTION_STARTED
        )
        is_row = len(text.encode("utf-16-le", "surrogatepass")) > LARGE_ROW
        self.blobs["row"] += is_row
        generation.rows += is_row
        asked, now = generation.asked.pop(answered_id(event), None), moment(event["Timestamp"])
        if asked is not None and now is not None and event["EventType"] in RESULTS:
            self.waited.append((now - asked).total_seconds())

    def _ask(self, generation: _Generation, outcome: Outcome, now: datetime | None) -> None:
        """The actions of an answer: the new ones are messages. Of an old one the answer may leave out the input."""
        leaves = list(_leaves(outcome)) or generation.leaves  # an orchestrator that cannot be called asks for nothing
        for number, leaf in list(enumerate(_numbered(leaves)))[len(list(_numbered(generation.leaves))) :]:
            generation.asked[number] = now
            self.blobs["message"] += _is_message(str(leaf.data.get("input") or ""))
        generation.leaves = leaves


def _leaves(outcome: Outcome) -> Iterator[Action]:
    return (leaf for action in outcome.actions for leaf in action.leaves())


def _numbered(leaves: list[Action]) -> Iterator[Action]:
    return (leaf for leaf in leaves if leaf.kind in _LEAVES)


def _kind(leaf: Action) -> str | None:
    return "cancelled timer" if leaf.kind == act.TIMER and leaf.data.get("isCanceled") else _LEAVES.get(leaf.kind)


def _is_message(text: str) -> bool:
    return len(json.dumps(text, ensure_ascii=False).encode("utf-8", "surrogatepass")) > LARGE_MESSAGE
