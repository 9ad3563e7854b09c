"""One orchestration instance, as it is stored.

Everything here is text, numbers and lists: a store can keep it in rows.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from .history_events import Event

TERMINAL = frozenset({"Completed", "Failed", "Terminated"})


@dataclass
class Leaf:
    """An action that the host has carried out or is carrying out.

    `task_id` is the id whose answer is awaited now; a call with retry takes a new one for each pause and attempt.
    `first_id` is the one with which it began, `request_id` the name of the event that answers a call of an entity.
    """

    kind: int
    name: str
    task_id: int | None = None
    first_id: int | None = None
    state: str = "open"
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
        """Whether the host awaits it no longer."""
        return self.state != "open"


@dataclass
class Parent:
    """Where a child's result goes."""

    instance_id: str
    execution_id: str
    name: str
    task_id: int

    def shown(self) -> dict[str, Any]:
        """The `ParentInstance` of the child's history."""
        return {
            "Name": self.name,
            "OrchestrationInstance": {"InstanceId": self.instance_id, "ExecutionId": self.execution_id},
            "TaskScheduleId": self.task_id,
        }


@dataclass
class Instance:
    """An instance with the current generation of its history.

    `history` holds JSON text, one event an item, as the SDK gets it in later episodes; it grows at its end; `stored`
    says how much of it a store has already (0 after it was rewritten). `inbox` holds events that no episode has taken
    yet, `batch` those of the episode that is at work. `held` is the finished result that waits for open tasks to drain.
    """

    id: str
    name: str
    execution_id: str
    input: str | None
    created: datetime
    updated: datetime
    parent: Parent | None = None
    status: str = "Pending"
    output: str | None = None
    custom_status: str | None = None
    inbox: list[Event] = field(default_factory=list)
    batch: list[Event] | None = None
    leaves: list[Leaf] = field(default_factory=list)
    next_id: int = 0
    buffered: dict[str, int] = field(default_factory=dict)
    held: dict[str, Any] | None = None
    stalled_on: str | None = None
    history: list[str] = field(default_factory=list)
    stored: int = 0

    @property
    def terminal(self) -> bool:
        """Whether the instance is over."""
        return self.status in TERMINAL

    def to_text(self) -> str:
        """The JSON that a store keeps, without the input and the history, which are long and rarely new."""
        data = {
            **vars(self),
            "created": self.created.isoformat(),
            "updated": self.updated.isoformat(),
            "leaves": [vars(leaf) for leaf in self.leaves],
            "parent": self.parent and vars(self.parent),
        }
        del data["input"], data["history"], data["stored"]
        return json.dumps(data)

    @classmethod
    def from_text(cls, text: str, given: str | None, history: list[str]) -> Instance:
        """Read `to_text`'s form."""
        data = json.loads(text)
        for key in ("created", "updated"):
            data[key] = datetime.fromisoformat(data[key])
        data["leaves"] = [Leaf(**leaf) for leaf in data["leaves"]]
        data["parent"] = Parent(**data["parent"]) if data["parent"] else None
        return cls(**data, input=given, history=history, stored=len(history))

    def awaiting(self, task_id: int) -> Leaf | None:
        """The open leaf that awaits this id. Late and stray answers find none, and are dropped."""
        return next((leaf for leaf in self.leaves if leaf.task_id == task_id and not leaf.finished), None)
