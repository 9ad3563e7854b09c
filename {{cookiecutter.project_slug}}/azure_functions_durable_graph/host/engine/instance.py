"""One orchestration instance, as it is stored.

Its fields are plain text, numbers and lists, which a store can keep in rows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, NamedTuple

from .actions import ACTIVITY, ACTIVITY_RETRY, CALL_HTTP
from .history_events import Event, mark_played

Status = Literal["Pending", "Running", "Suspended", "Completed", "Failed", "Terminated"]
LeafState = Literal["open", "done", "failed", "cancelled"]

_WORK = frozenset({ACTIVITY, ACTIVITY_RETRY, CALL_HTTP})

TERMINAL: frozenset[Status] = frozenset({"Completed", "Failed", "Terminated"})


@dataclass
class Leaf:
    """An action that the host has carried out, or is carrying out.

    `task_id` is the id whose answer is awaited now; a call with retry takes a new one for each pause and attempt.
    `first_id` is the first of these, `request_id` the name of the event that answers a call of an entity.
    """

    kind: int
    name: str
    task_id: int | None = None
    first_id: int | None = None
    state: LeafState = "open"
    input: str | None = None
    attempts: int = 1
    max_attempts: int = 1
    interval_ms: int = 0
    pausing: bool = False
    child_id: str | None = None
    fire_at: str | None = None
    request_id: str | None = None

    @property
    def finished(self) -> bool:
        """Whether the host no longer awaits it."""
        return self.state != "open"

    def to_text(self) -> str:
        """The JSON that a store keeps, without what is as in any leaf. Made once for a leaf that has finished."""
        kept: str | None = self.__dict__.pop("_text", None)
        if kept is None or not self.finished:
            said = {key: value for key, value in vars(self).items() if value != _DEFAULTS[key]}
            kept = json.dumps(said)
        if self.finished:
            self.__dict__["_text"] = kept
        return kept


_DEFAULTS = {one.name: one.default for one in fields(Leaf)}


@dataclass
class Parent:
    """The parent that gets a child's result."""

    instance_id: str
    execution_id: str
    name: str
    task_id: int

    def to_history(self) -> dict[str, Any]:
        """The `ParentInstance` of the child's history."""
        return {
            "Name": self.name,
            "OrchestrationInstance": {"InstanceId": self.instance_id, "ExecutionId": self.execution_id},
            "TaskScheduleId": self.task_id,
        }


class Held(NamedTuple):
    """A result that is known while tasks are still open: the instance is closed with it once they have drained."""

    status: Literal["Completed", "Failed", "ContinuedAsNew"]
    output: str


@dataclass
class Instance:
    """An instance with the current generation of its history.

    `history` holds one event per item, as the JSON text that the SDK gets in later episodes; it only grows. `stored` is
    how many of them a store already has (0 after the history was rewritten). `inbox` holds events that no episode has
    taken yet, `batch` those of the running episode. `held` is the result that waits for open tasks to drain.
    """

    id: str
    name: str
    execution_id: str
    input: str | None
    created: datetime
    updated: datetime
    parent: Parent | None = None
    status: Status = "Pending"
    output: str | None = None
    custom_status: str | None = None
    inbox: list[Event] = field(default_factory=list)
    batch: list[Event] | None = None
    leaves: list[Leaf] = field(default_factory=list)
    next_id: int = 0
    buffered: dict[str, int] = field(default_factory=dict)
    held: Held | None = None
    stalled_on: str | None = None
    history: list[str] = field(default_factory=list)
    stored: int = 0

    @property
    def terminal(self) -> bool:
        """Whether the instance has ended."""
        return self.status in TERMINAL

    @property
    def at_rest(self) -> bool:
        """Whether it goes on only when time passes, somebody acts, or another instance or an entity answers."""
        if self.terminal or self.status == "Suspended":
            return True
        at_work = any(leaf.kind in _WORK and not leaf.finished for leaf in self.leaves)
        return self.batch is None and not self.inbox and not at_work

    def record(self, *events: Event) -> None:
        """Append events to the history."""
        self.history += [json.dumps(mark_played(event)) for event in events]

    def to_text(self) -> str:
        """The JSON that a store keeps, without the input and the history, which are long and rarely change."""
        data = {
            **vars(self),
            "created": self.created.isoformat(),
            "updated": self.updated.isoformat(),
            "parent": self.parent and vars(self.parent),
            "held": self.held and self.held._asdict(),
        }
        for key in ("input", "history", "stored", "leaves"):
            del data[key]
        return f'{json.dumps(data)[:-1]}, "leaves": [{", ".join(leaf.to_text() for leaf in self.leaves)}]}}'

    @classmethod
    def from_text(cls, text: str, given: str | None, history: list[str]) -> Instance:
        """Read `to_text`'s form."""
        data = json.loads(text)
        for key in ("created", "updated"):
            data[key] = datetime.fromisoformat(data[key])
        data["leaves"] = [Leaf(**leaf) for leaf in data["leaves"]]
        data["parent"] = Parent(**data["parent"]) if data["parent"] else None
        data["held"] = Held(**data["held"]) if data["held"] else None
        return cls(**data, input=given, history=history, stored=len(history))

    def awaiting(self, task_id: int) -> Leaf | None:
        """The open leaf that awaits this id, or None for a late or stray answer, which is dropped."""
        return next((leaf for leaf in self.leaves if leaf.task_id == task_id and not leaf.finished), None)


class Listed(NamedTuple):
    """What a list shows of an instance."""

    id: str
    name: str
    status: Status
    input: str | None
    output: str | None
    custom_status: str | None
    created: datetime
    updated: datetime

    @classmethod
    def from_text(cls, text: str, given: str | None) -> Listed:
        """Read what is needed of `Instance.to_text`'s form."""
        data = json.loads(text)
        created, updated = datetime.fromisoformat(data["created"]), datetime.fromisoformat(data["updated"])
        ends = given, data["output"], data["custom_status"]
        return cls(data["id"], data["name"], data["status"], *ends, created, updated)
