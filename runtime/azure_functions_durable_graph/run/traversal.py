"""The progress of a run: its input, updated step by step, and the durable turns it has taken.

The only mutable object inside the orchestrator. It lives as long as one call of the generator, and everything in it is
derived from the orchestration's input and history.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, cast

from ..errors import GraphRunFailed
from ..graph.decisions import RouteDecision, decision_after
from ..graph.plan import PlanNode, nodes_of
from ..graph.policies import error_target, may_retry, pause_after
from ..graph.states import apply_patch
from . import limits
from .inputs import for_next_generation
from .messages import ErrorRecord, NodeResult, RunInput, TrailEntry
from .outcomes import Failed, NodeOutcome, Revisit
from .ports import DurableTask, DurableTimer, OrchestrationContext, Steps
from .raised import discarded_events
from .status import SURE_ANSWERS, run_status
from .written import noted


class Traversal:
    """One run, traversing its graph."""

    def __init__(self, context: OrchestrationContext, start: RunInput) -> None:
        self.context = context
        self.run = cast(RunInput, {**start, "trail": list(start["trail"])})
        self.turns = 0
        self.answers = 0
        self.called_off: DurableTask | None = None
        self._before = start["state"]
        self._times = set[datetime]()

    @property
    def plan_node(self) -> PlanNode:
        """The plan of the current node."""
        return nodes_of(self.run["plan"])[self.run["node"]]

    @property
    def budget(self) -> int:
        """Durable turns after which the run continues as new."""
        return limits.PART_BUDGET if "share" in self.run else limits.HISTORY_BUDGET

    @property
    def attempt(self) -> int:
        """The attempt at the current node, from 1."""
        return self.run.get("attempt", 1)

    @property
    def has_pending_updates(self) -> bool:
        """Whether an event or a branch's update still has to be applied to the state."""
        return "event" in self.run or "writes" in self.run

    @property
    def has_joined(self) -> bool:
        """Whether the run is a branch that has come to where the branches join."""
        return "branch" in self.run and self.run["node"] == self.run["branch"].get("join")

    def now(self) -> datetime:
        """The replay-safe time."""
        return self.context.current_utc_datetime

    def publish(self, **details: Any) -> None:
        """Set the custom status; replays must set it again, so it is never skipped."""
        self.context.set_custom_status(run_status(self.run, **details))

    def sleep(self, seconds: float) -> Steps[None]:
        """Sleep, in segments that can be cancelled."""
        until = self.now() + timedelta(seconds=seconds)
        while True:
            self.turns += 1
            segment = min(until, self.now() + limits.LONGEST_TIMER)
            yield self.timer_at(segment)
            if segment >= until:
                return

    def timer_at(self, moment: datetime) -> DurableTimer:
        """A timer; where this generation has one of that time already, a microsecond earlier.

        A history without ids says which timer has fired by its time alone.
        """
        while moment in self._times:
            moment -= timedelta(microseconds=1)
        self._times.add(moment)
        return self.context.create_timer(moment)

    def park(self, missing_graph: str | None = None) -> Steps[None]:
        """Publish that the run's version, or the subgraph `missing_graph`, is not deployed; then sleep."""
        plan, pause = self.run["plan"], self.run.get("pause", limits.PARK_FIRST)
        if missing_graph is None:
            self.publish(parked=f"no deployed graph {plan['graph']!r} has the hash {plan['hash']}")
        else:
            self.publish(parked=f"no graph {missing_graph!r} is deployed, but node {self.run['node']!r} runs it")
        self.run["pause"] = min(pause * 2, limits.PARK_LONGEST)
        yield from self.sleep(pause)

    def adopt(self, result: Mapping[str, Any]) -> None:
        """Continue with the plan of a compatible newer version, if one has served the call."""
        self.run.pop("pause", None)
        if "plan" in result:
            self.run["plan"] = result["plan"]

    def apply_result(self, result: NodeResult) -> None:
        """Apply a result's patch, and drop everything that the call has consumed."""
        self.run["state"] = apply_patch(self.run["state"], result.get("patch", {}), result.get("unset"))
        if "written" in self.run:
            self.run["written"] = noted(self.run["written"], result)
        for key in ("event", "error", "writes", "attempt", "fan_out"):
            self.run.pop(key, None)  # type: ignore[misc]

    def apply_patch(self, patch: Mapping[str, Any], unset: Sequence[str] = ()) -> None:
        """Merge changes that the orchestrator itself has made; `unset` are keys that go."""
        self.apply_result(cast(NodeResult, {"patch": patch, "unset": list(unset)}))

    def go_on_to(self, node: str) -> None:
        """Move to the node that ran next in the same activity."""
        self.run["node"] = node

    def came_back(self, key: str, member: Any, result: Mapping[str, Any]) -> None:
        """One of several at once has given its result: nothing to do here, but somebody may watch."""

    def take_answers(self, step: int, ids: Iterable[str]) -> None:
        """Remember which answers a step accepted, so that senders can be informed and none counts twice.

        More than the status is sure to show (a child hands up all of its own) go into the input of a new generation
        before the next wait: whoever sees an open wait sees every answer that was accepted before.
        """
        new = [[step, one] for one in ids]
        if new:
            self.run["taken"] = [*self.run.get("taken", []), *new][-limits.ANSWER_LIMIT :]
            self.answers += len(new)
        if self.answers > SURE_ANSWERS:
            self.turns = max(self.turns, limits.HISTORY_BUDGET)

    def static_edge(self) -> RouteDecision:
        """Where the current node leads without a route: to its next node, or to the end."""
        return decision_after(self.plan_node, {})

    def record_step(self, decision: RouteDecision, *, error: str | None = None) -> None:
        """Add the finished step to the trail, and count it."""
        run, items = self.run, self._mapped()
        entry: dict[str, Any] = {"step": run["step"], "node": run["node"], "at": self.now().isoformat()}
        more = {"to": decision.targets, "events": list(decision.awaited), "note": decision.note, "error": error}
        entry |= {key: value for key, value in {**more, "items": items}.items() if value not in (None, [])}
        run["trail"] = [*run["trail"][1 - limits.TRAIL_LIMIT :], cast(TrailEntry, entry)]
        run["step"] += 1

    def _mapped(self) -> int | None:
        """How many items the current node has run, if it is a map."""
        if self.plan_node.get("kind") != "map" or "share" in self.run:
            return None
        held = self.run["state"].get(self.plan_node["over"])
        return len(held) if isinstance(held, (list, dict)) else None

    def follow_error_edge(self, error: ErrorRecord) -> bool:
        """Move to the node that `on_error` names for this error. False if it names none, and in a part of a map."""
        target = None if "share" in self.run else error_target(self.plan_node.get("on_error"), error)
        if target is None:
            return False
        known = self._with_place(error)
        self.apply_patch({})
        self.record_step(RouteDecision.next(target), error=error["type"])
        self.run["node"], self.run["error"] = target, known
        return True

    def retry_or_fail(self, error: ErrorRecord) -> Steps[NodeOutcome]:
        """Pause before the next attempt, or give up if the node's policy allows none."""
        policy = self.plan_node.get("retry")
        if policy is None or not may_retry(policy, error, self.attempt):
            return Failed(error)
        pause = pause_after(policy, self.attempt)
        self.publish(retry={"attempt": self.attempt, "error": error["type"], "pause": pause})
        self.run["attempt"] = self.attempt + 1
        yield from self.sleep(pause)
        return Revisit()

    def fail(self, error: ErrorRecord) -> dict[str, Any]:
        """End the run as failed: raises GraphRunFailed, or returns the error if a parent waits for it."""
        known = self._with_place(error)
        self.publish(error=known)
        if self.run.get("child"):
            return self._child_answer({"error": known})
        place = f"{error['where']} of node {self.run['node']!r}"
        raise GraphRunFailed(f"{place}, attempt {self.attempt}: {error['type']}: {error['message']}")

    def complete(self, note: str | None) -> dict[str, Any]:
        """End the run; its state is its output, for a parent within an answer."""
        self.publish(note=note)
        if not self.run.get("child"):
            return self.run["state"]
        whole = {} if "share" in self.run else self.run["state"]
        given: dict[str, Any] = {key: self.run[key] for key in ("written", "results") if key in self.run}
        return self._child_answer({"state": whole, **given})

    def continue_as_new(self) -> None:
        """Begin a new generation at the current node. What was discarded in this one would not be known in the next."""
        discarded = discarded_events(self.context.raised_events(), self.run.get("taken", ()))
        if discarded:
            self.run["discarded"] = [*self.run.get("discarded", []), *discarded][-limits.DISCARDED_LIMIT :]
        self.context.continue_as_new(for_next_generation(self.run, self._before))

    def _child_answer(self, answer: dict[str, Any]) -> dict[str, Any]:
        """The child's result for its parent: the outcome, and the answers that the child has accepted.

        Where a parent may have several children open, it names the child.
        """
        taken = [one for _, one in self.run.get("taken", [])]
        if not {"branch", "share", "item"}.isdisjoint(self.run):
            answer = {**answer, "id": self.context.instance_id}
        return {**answer, "taken": taken} if taken else answer

    def _with_place(self, error: ErrorRecord) -> dict[str, Any]:
        """The error, and where it happened: node, step and attempts."""
        return {**error, "node": self.run["node"], "step": self.run["step"], "attempts": self.attempt}
