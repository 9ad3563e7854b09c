"""The orchestrator: a generator that reads a plan. No user code, no clock, no registry, no logging.

    1. after HISTORY_BUDGET turns, at a node boundary with no open wait, continue as new
    2. visit the node, with the runner of its kind (NODE_RUNNERS); a run whose version is not deployed parks there
    3. after an error, continue at the node that `on_error` names, or fail the run
    4. move on, by the decision's action (TRANSITIONS); a run that is a branch ends where the branches join

It depends on its input and its history only, so no deployment of new graphs can make a replay diverge.

Constraints of Azure: the extension awaits each action before it processes the next, so every `yield` is one new task
or a compound of new ones; a run continues as new only while no wait is open, so no event can be lost.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ..graph.decisions import RouteAction, RouteDecision, decision_after
from .activities import node_call, run_activity
from .maps import run_map
from .merging import merge, take_step
from .messages import ErrorRecord, RunInput
from .outcomes import Failed, Moved, NodeOutcome, Revisit
from .parallels import run_parallel
from .ports import OrchestrationContext, Steps
from .subgraphs import run_subgraph
from .traversal import Traversal
from .waiting import await_events, run_wait, sleep_for


def orchestrate(context: OrchestrationContext, start: RunInput) -> Steps[dict[str, Any] | None]:
    """Drive one run. Returns its final state, or None if it continues as new.

    Raises GraphRunFailed if a node fails permanently or the run takes more than `max_steps` steps.
    """
    return drive(Traversal(context, start))


def drive(traversal: Traversal) -> Steps[dict[str, Any] | None]:
    """The same for a traversal that the caller keeps, to see afterwards how far the run got."""
    while True:
        if traversal.has_joined:
            return (yield from _join(traversal))
        if traversal.run["step"] >= traversal.run["plan"]["max_steps"]:
            return traversal.fail(_too_many_steps(traversal))
        if traversal.turns >= traversal.budget:
            traversal.continue_as_new()
            return None
        outcome = yield from _visit(traversal)
        if isinstance(outcome, Revisit):
            continue
        if isinstance(outcome, Failed):
            if not traversal.follow_error_edge(outcome.error):
                return traversal.fail(outcome.error)
            continue
        decision = outcome.decision
        if decision.action is RouteAction.COMPLETE:
            traversal.record_step(decision)
            return traversal.complete(decision.note)
        yield from TRANSITIONS[decision.action](traversal, decision)


def _join(traversal: Traversal) -> Steps[dict[str, Any]]:
    """End a branch. What is pending is applied by its own run, so that a failure is its own."""
    if traversal.has_pending_updates:
        pending = yield from apply_pending(traversal)
        if isinstance(pending, Failed):
            return traversal.fail(pending.error)
    return traversal.complete(None)


def _visit(traversal: Traversal) -> Steps[NodeOutcome]:
    """Visit the current node once. Pending updates are applied first if its kind needs that, and before the end."""
    kind = traversal.plan_node.get("kind", "task")
    if kind in _NEEDS_WHOLE_STATE and traversal.has_pending_updates:
        return (yield from apply_pending(traversal))
    outcome = yield from NODE_RUNNERS[kind](traversal)
    ends = isinstance(outcome, Moved) and outcome.decision.action is RouteAction.COMPLETE
    if ends and traversal.has_pending_updates:
        pending = yield from apply_pending(traversal)
        return pending if isinstance(pending, Failed) else outcome
    return outcome


def run_task(traversal: Traversal) -> Steps[NodeOutcome]:
    """Run the node in one activity, and with it those that follow it without a checkpoint."""
    traversal.publish()
    result = yield from run_activity(traversal, node_call(traversal))
    if result.get("missing"):
        yield from traversal.park()
        return Revisit()
    traversal.adopt(result)
    for following in result.get("then", ()):
        traversal.apply_result(result)
        traversal.record_step(decision_after(traversal.plan_node, result))
        traversal.go_on_to(following["node"])
        result = following
    if "error" in result:
        return (yield from traversal.retry_or_fail(result["error"]))
    return take_step(traversal, result) or Moved(decision_after(traversal.plan_node, result))


def apply_pending(traversal: Traversal) -> Steps[Revisit | Failed]:
    """Apply an event, or updates that need a reducer, in an activity of their own.

    Needed only if no task follows whose activity could do it: before a fan-out, a wait, or the end.
    """
    failed = yield from merge(traversal, {}, traversal.run.get("writes", []))
    return failed or Revisit()


def move_to_next(traversal: Traversal, decision: RouteDecision) -> Steps[None]:
    """Move to the next node immediately."""
    traversal.record_step(decision)
    traversal.run["node"] = str(decision.next_node)
    return
    yield


def _too_many_steps(traversal: Traversal) -> ErrorRecord:
    limit = traversal.run["plan"]["max_steps"]
    message = f"the run took {limit} steps, the max_steps of its graph, without completing"
    return {"type": "MaxStepsExceeded", "bases": ["Exception"], "message": message, "where": "max_steps"}


_NEEDS_WHOLE_STATE = frozenset({"parallel", "map", "wait"})
"""Kinds that need all pending updates applied to the state first."""

NODE_RUNNERS: dict[str, Callable[[Traversal], Steps[NodeOutcome]]] = {
    "task": run_task,
    "parallel": run_parallel,
    "map": run_map,
    "subgraph": run_subgraph,
    "wait": run_wait,
}
"""How a node of each kind is visited."""

TRANSITIONS: dict[RouteAction, Callable[[Traversal, RouteDecision], Steps[None]]] = {
    RouteAction.NEXT: move_to_next,
    RouteAction.WAIT_FOR_EVENT: await_events,
    RouteAction.WAIT_FOR_ANY: await_events,
    RouteAction.SLEEP: sleep_for,
}
"""How the run continues after a decision; COMPLETE ends it."""
