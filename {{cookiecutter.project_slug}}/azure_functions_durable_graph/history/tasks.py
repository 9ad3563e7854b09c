"""Durable tasks by the SDK's rules, for a walk that replays a run without the SDK.

The rules are those of azure-functions-durable 1.7, `models/Task.py`. A property test holds the two together.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

Kind = Literal["activity", "child", "timer", "event", "all", "any"]


class Task:
    """Something that the orchestrator has asked for, or a compound of such things.

    `wanted` is what tells one task from another: the call of an activity, the address of an event, the time at which a
    timer fires. `result` is the value, or the exception where the task has failed; of an `any` it is the first task
    that was done.
    """

    def __init__(self, kind: Kind, wanted: Any = None, children: Sequence[Task] = ()) -> None:
        self.kind, self.wanted, self.children = kind, wanted, tuple(children)
        self.id: int | None = None
        self.state: Literal["running", "succeeded", "failed"] = "running"
        self.result: Any = None
        self.opened = self.cancelled = False
        self._parent: Task | None = None
        for child in self.children:
            child._parent = self
        if kind in ("all", "any") and not self.children:
            self.state = "succeeded"
        for child in self.children:
            if child.is_completed:
                self._child_settled(child)

    @property
    def is_completed(self) -> bool:
        """Whether the task is done, well or badly."""
        return self.state != "running"

    def cancel(self) -> None:
        """A timer that is no longer needed. It may still fire, which then has no effect."""
        if self.is_completed:
            raise ValueError("Cannot cancel a completed task.")
        self.cancelled = True

    def settle(self, result: Any, *, failed: bool = False) -> None:
        """Take the outcome over, and tell the compound of which this task is part."""
        self.state, self.result = "failed" if failed else "succeeded", result
        if self._parent is not None:
            self._parent._child_settled(self)

    def leaves(self) -> Iterator[Task]:
        """The tasks that events complete: the task itself, or those of the compound, in order."""
        if self.kind not in ("all", "any"):
            yield self
        for child in self.children:
            yield from child.leaves()

    def _child_settled(self, child: Task) -> None:
        """An `any` is its first child. An `all` fails with its first failure, while the other children go on.

        As in the SDK, an `all` that has failed succeeds after all when its last child does.
        """
        if self.kind == "any":
            if not self.is_completed:
                self.settle(child)
        elif child.state == "failed":
            if not self.is_completed:
                self.settle(child.result, failed=True)
        elif all(other.is_completed for other in self.children):
            self.settle([other.result for other in self.children])
