"""One durable entity, as it is stored: its state and its queued operations."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass
class Operation:
    """One operation. `input` is JSON text of JSON text; a signal has no `request_id`, because nothing waits for it."""

    name: str
    input: str | None
    request_id: str | None = None
    instance_id: str | None = None
    execution_id: str | None = None


@dataclass
class Entity:
    """An entity; `id` is "@name@key". `at_work` is how many operations at the head of the queue are running."""

    id: str
    updated: datetime
    exists: bool = False
    state: str | None = None
    queue: list[Operation] = field(default_factory=list)
    at_work: int = 0

    @property
    def name(self) -> str:
        """The entity's name, in lower case."""
        return self.id.split("@", 2)[1]

    @property
    def key(self) -> str:
        """Its key, which is case-sensitive."""
        return self.id.split("@", 2)[2]

    def to_text(self) -> str:
        """The JSON that a store keeps."""
        queue = [vars(operation) for operation in self.queue]
        return json.dumps({**vars(self), "updated": self.updated.isoformat(), "queue": queue})

    @classmethod
    def from_text(cls, text: str) -> Entity:
        """Read `to_text`'s form."""
        data = json.loads(text)
        data["updated"] = datetime.fromisoformat(data["updated"])
        data["queue"] = [Operation(**operation) for operation in data["queue"]]
        return cls(**data)

    def context(self) -> dict[str, Any]:
        """The entity trigger's value: exactly these keys, or the SDK rejects it."""
        batch = [
            {"name": operation.name, "input": operation.input, "isSignal": operation.request_id is None}
            for operation in self.queue[: self.at_work]
        ]
        return {
            "self": {"name": self.name, "key": self.key},
            "exists": self.exists,
            "state": self.state,
            "batch": batch,
        }


def entity_id(name: str, key: str) -> str:
    """The id of an entity. Names are not case-sensitive, keys are."""
    return f"@{name.lower()}@{key}"
