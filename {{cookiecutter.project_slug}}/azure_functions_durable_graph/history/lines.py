"""What a walk sees the orchestrator do at each step: what it wrote, whom it started, what it waited for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

from ..graph.decisions import RouteAction, RouteDecision
from ..run.messages import ErrorRecord, RunInput
from ..run.traversal import Traversal


@dataclass
class Waited:
    """A wait for events after a step: since when, until when at the latest, and how it ended."""

    events: list[str]
    since: datetime
    deadline: str | None = None
    until: datetime | None = None
    outcome: Literal["open", "answered", "timed out"] = "open"
    answered_by: str | None = None


@dataclass
class Came:
    """What a branch that is a run of its own has come to: its id, and when it gave which result."""

    child: str
    since: datetime
    until: datetime | None = None
    result: Mapping[str, Any] = field(default_factory=dict)


@dataclass
class Line:
    """What the orchestrator itself did at one step; what activities did stands in their results."""

    node: str
    entered: datetime
    branches: list[str] = field(default_factory=list)
    patch: dict[str, Any] = field(default_factory=dict)
    child: str | None = None
    came: dict[str, Came] = field(default_factory=dict)
    items: int = 0
    error: Mapping[str, Any] | None = None
    left: datetime | None = None
    sleeps_until: str | None = None
    waited: Waited | None = None


class SeenTraversal(Traversal):
    """A traversal that notes what the orchestrator does, step by step.

    `between` has the run as it stood before each node that ran in the activity of the one before it: no history event
    stands there.
    """

    def __init__(self, context: Any, start: RunInput) -> None:
        super().__init__(context, start)
        self.lines: dict[int, Line] = {}
        self.between: list[RunInput] = []
        self._left: tuple[Line, RouteDecision] | None = None
        self._waited: Waited | None = None

    @property
    def line(self) -> Line:
        """The line of the current step."""
        step, node = self.run["step"], self.run["node"]
        if step not in self.lines:
            self.lines[step] = Line(node, self.now(), list(self.plan_node.get("branches", ())))
        return self.lines[step]

    def publish(self, **details: Any) -> None:
        """As in a run; and note the child that is started, the waits that open, the sleep that begins."""
        super().publish(**details)
        left, self._left = self._left, None
        if left is not None and left[1].action in (RouteAction.WAIT_FOR_EVENT, RouteAction.WAIT_FOR_ANY):
            line, decision = left
            self._waited = line.waited = Waited(list(decision.awaited), self.now(), details["waits"][0].get("deadline"))
        elif left is not None and left[1].action is RouteAction.SLEEP:
            left[0].sleeps_until = details["sleeps_until"]
        elif left is None or left[1].action is not RouteAction.COMPLETE:
            line = self.line
            for child in details.get("children", ()):
                kind = self.plan_node.get("kind")
                if kind == "subgraph":
                    line.child = child["id"]
                elif kind == "parallel":
                    line.came.setdefault(child["node"], Came(child["id"], self.now()))

    def go_on_to(self, node: str) -> None:
        """As in a run; and note how it stands."""
        super().go_on_to(node)
        self.between.append({**self.run})

    def came_back(self, key: str, member: Any, result: Mapping[str, Any]) -> None:
        """Note what a branch that is a run of its own has given, and how many items a part of a map."""
        self.line.items += len(result.get("results", ())) if self.plan_node.get("kind") == "map" else 0
        came = self.line.came.get(key)
        if came is not None:
            came.until, came.result = self.now(), result

    def apply_patch(self, patch: Mapping[str, Any], unset: Sequence[str] = ()) -> None:
        """As in a run; and note what the orchestrator has written."""
        self.line.patch.update(patch)
        super().apply_patch(patch, unset)

    def record_step(self, decision: RouteDecision, **details: Any) -> None:
        """As in a run; and note when the step was left."""
        line = self.line
        line.left, self._left = self.now(), (line, decision)
        super().record_step(decision, **details)

    def follow_error_edge(self, error: ErrorRecord) -> bool:
        """As in a run; and note the error, of which the trail keeps the type alone."""
        self.line.error = error
        return super().follow_error_edge(error)

    def fail(self, error: ErrorRecord) -> dict[str, Any]:
        """As in a run; and note when."""
        line = self.lines.get(self.run["step"])
        if line is not None:  # else the run has taken too many steps, and has not come to this one
            line.error, line.left = error, self.now()
        return super().fail(error)

    def end_wait(self, answered_by: str | None) -> None:
        """Note that the run goes on after a wait: with an event, or at the deadline."""
        if self._waited is not None:
            self._waited.until, self._waited.answered_by = self.now(), answered_by
            self._waited.outcome = "timed out" if answered_by is None else "answered"

    def reopen_wait(self) -> None:
        """Note that it does not yet."""
        if self._waited is not None:
            self._waited.until, self._waited.answered_by, self._waited.outcome = None, None, "open"
