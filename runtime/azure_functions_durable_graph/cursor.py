"""Where a run stands: its input, carried forward step by step, and the turns it has taken. Floor 5.

The one mutable thing inside the orchestrator. It lives as long as one call of the generator, and everything in it
follows from the orchestration's input and history.
"""

from __future__ import annotations

from collections.abc import Generator, Mapping
from datetime import datetime, timedelta
from typing import Any, cast

from .decisions import RouteDecision, decision_after
from .errors import GraphRunFailed
from .messages import ErrorRecord, NodeCall, NodeResult, PlanNode, RunInput, TrailEntry
from .names import ACTIVITY
from .policies import error_target, may_retry, pause_after
from .ports import OrchestrationContext
from .states import patched
from .status import run_status

HISTORY_BUDGET = 12
"""Durable turns after which a run continues as new: replay costs grow with the square of the history."""

TRAIL_LIMIT = 25
"""Steps that a run carries along so that its path can still be shown."""

LONGEST_TIMER = timedelta(days=3)
"""SDK 1.7 splits timers of more than six days, and a split timer cannot be cancelled: longer waits go in hops."""

PARK_FIRST, PARK_LONGEST = 15.0, 600.0
"""Seconds that a run whose version is not deployed waits before it looks again; doubles up to the longest."""

Steps = Generator[Any, Any, Any]


class Cursor:
    """One run on its way."""

    def __init__(self, context: OrchestrationContext, start: RunInput) -> None:
        self.context = context
        self.run = cast(RunInput, {**start, "trail": list(start["trail"])})
        self.turns = 0

    @property
    def plan_node(self) -> PlanNode:
        """The plan of the current node."""
        return self.run["plan"]["nodes"][self.run["node"]]

    @property
    def attempt(self) -> int:
        """The attempt at the current node, from 1."""
        return self.run.get("attempt", 1)

    @property
    def settled(self) -> bool:
        """Whether the state is complete: no event and no update waits to be applied to it."""
        return "event" not in self.run and "writes" not in self.run

    def publish(self, **details: Any) -> None:
        """Set the custom status; it must be set again on every replay, so it is never skipped."""
        self.context.set_custom_status(run_status(self.run, **details))

    def call(self, **details: Any) -> NodeCall:
        """The activity's input for the current node."""
        run = self.run
        call: dict[str, Any] = {
            "run_id": self.context.instance_id,
            "graph": run["plan"]["graph"],
            "hash": run["plan"]["hash"],
            "node": run["node"],
            "step": run["step"],
            "state": run["state"],
        }
        if run["metadata"]:
            call["metadata"] = run["metadata"]
        if self.attempt > 1:
            call["attempt"] = self.attempt
        for key in ("event", "error", "writes"):
            if key in run:
                call[key] = run[key]
        return cast(NodeCall, {**call, **details})

    def run_activity(self, call: NodeCall) -> Steps:
        """Run the node activity; its result."""
        self.turns += 1
        return (yield self.context.call_activity(ACTIVITY, call))

    def sleep(self, seconds: float) -> Steps:
        """Rest, in hops that can be cancelled."""
        until = self.context.current_utc_datetime + timedelta(seconds=seconds)
        while True:
            self.turns += 1
            hop = min(until, self.context.current_utc_datetime + LONGEST_TIMER)
            yield self.context.create_timer(hop)
            if hop >= until:
                return

    def park(self) -> Steps:
        """The run's version is not deployed: say so, rest, and look again."""
        plan, pause = self.run["plan"], self.run.get("pause", PARK_FIRST)
        self.publish(parked=f"no deployed graph {plan['graph']!r} has the hash {plan['hash']}")
        self.run["pause"] = min(pause * 2, PARK_LONGEST)
        yield from self.sleep(pause)

    def adopt(self, result: Mapping[str, Any]) -> None:
        """Go on with the plan of a compatible newer version, if one has served the call."""
        self.run.pop("pause", None)
        if "plan" in result:
            self.run["plan"] = result["plan"]

    def merge(self, result: NodeResult) -> None:
        """Take a result's patch over, and with it all that the call has used up."""
        self.run["state"] = patched(self.run["state"], result.get("patch", {}), result.get("unset"))
        for key in ("event", "error", "writes", "attempt", "fan_out"):
            self.run.pop(key, None)  # type: ignore[misc]

    def take(self, patch: Mapping[str, Any]) -> None:
        """Merge changes that the orchestrator itself has put together."""
        self.merge(cast(NodeResult, {"patch": patch}))

    def onward(self) -> RouteDecision:
        """The static edge of the current node, or the end."""
        return decision_after(self.plan_node, {})

    def leave(self, decision: RouteDecision, *, error: str | None = None, items: int | None = None) -> None:
        """Note the finished step in the trail, and count it."""
        entry: dict[str, Any] = {
            "step": self.run["step"],
            "node": self.run["node"],
            "at": self.context.current_utc_datetime.isoformat(),
            "to": decision.targets,
            "events": list(decision.awaited),
            "note": decision.note,
            "error": error,
            "items": items,
        }
        kept = cast(TrailEntry, {key: value for key, value in entry.items() if value not in (None, [])})
        self.run["trail"] = [*self.run["trail"], kept][-TRAIL_LIMIT:]
        self.run["step"] += 1

    def divert(self, error: ErrorRecord) -> bool:
        """Go where `on_error` leads. False where it leads nowhere."""
        target = error_target(self.plan_node.get("on_error"), error)
        if target is None:
            return False
        known = {**error, "node": self.run["node"], "step": self.run["step"], "attempts": self.attempt}
        self.take({})
        self.leave(RouteDecision.next(target), error=error["type"])
        self.run["node"], self.run["error"] = target, known
        return True

    def fail(self, error: Mapping[str, Any]) -> Any:
        """End the run as failed: raises GraphRunFailed, or returns the error where a parent waits for it."""
        known = {**error, "node": self.run["node"], "step": self.run["step"], "attempts": self.attempt}
        self.publish(error=known)
        if self.run.get("child"):
            return {"error": known}
        place = f"{error['where']} of node {self.run['node']!r}"
        raise GraphRunFailed(f"{place}, attempt {self.attempt}: {error['type']}: {error['message']}")

    def complete(self, note: str | None) -> Any:
        """End the run; its state is its output."""
        self.publish(note=note)
        return {"state": self.run["state"]} if self.run.get("child") else self.run["state"]

    def continue_as_new(self) -> None:
        """Begin a new generation where the run stands."""
        self.context.continue_as_new(self.run)

    def now(self) -> datetime:
        """The replay-safe time."""
        return self.context.current_utc_datetime


def failed(cursor: Cursor, error: ErrorRecord) -> Steps:
    """Pause before the next attempt, and None; or the error, if there is none to come."""
    policy = cursor.plan_node.get("retry")
    if policy is None or not may_retry(policy, error, cursor.attempt):
        return error
    pause = pause_after(policy, cursor.attempt)
    cursor.publish(retry={"attempt": cursor.attempt, "error": error["type"], "pause": pause})
    cursor.run["attempt"] = cursor.attempt + 1
    yield from cursor.sleep(pause)
    return None
