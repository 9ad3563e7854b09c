"""The orchestrator: a generator that reads a plan. No user code, no clock, no registry, no logging. Floor 7.

    1. after HISTORY_BUDGET turns, at a node boundary with no open wait, continue as new
    2. visit the node: VISITS says how, by its kind; a run whose version is not deployed parks there
    3. an error goes where `on_error` leads, or fails the run
    4. move: MOVES says how, by the decision's action

It is a function of its input and its history alone, so no deployment can make a replay diverge.

What Azure imposes: the extension awaits each action before it looks at the next, so every `yield` is one new task or
a compound of new ones; a run continues as new only while no wait is open, so no event can be dropped.
"""

from __future__ import annotations

from collections.abc import Callable

from .cursor import HISTORY_BUDGET, Cursor, Steps, failed
from .decisions import RouteAction, RouteDecision, decision_after
from .fanout import visit_map, visit_parallel
from .messages import ErrorRecord, NodeResult, RunInput
from .ports import OrchestrationContext
from .subgraphs import visit_subgraph
from .waiting import await_events, rest, visit_wait


def orchestrate(context: OrchestrationContext, start: RunInput) -> Steps:
    """Drive one run. Returns its final state; returns None where it continues as new.

    Raises GraphRunFailed when a node fails for good or the run takes more than `max_steps` steps.
    """
    return travel(Cursor(context, start))


def travel(cursor: Cursor) -> Steps:
    """The same for a cursor that the caller keeps, to see afterwards how far the run has come."""
    while True:
        if cursor.run["step"] >= cursor.run["plan"]["max_steps"]:
            return cursor.fail(_endless(cursor))
        if cursor.turns >= HISTORY_BUDGET:
            cursor.continue_as_new()
            return None
        kind = cursor.plan_node.get("kind", "task")
        if kind in _NEEDS_SETTLED and not cursor.settled:
            answer = yield from settle(cursor)
        else:
            answer = yield from VISITS[kind](cursor)
        if answer is None:  # parked, to be tried again, or the history is full: the same node comes next
            continue
        if isinstance(answer, dict):
            if not cursor.divert(answer):  # type: ignore[arg-type]
                return cursor.fail(answer)
            continue
        if answer.action is RouteAction.COMPLETE:
            if not cursor.settled:
                lost = yield from settle(cursor)
                if lost is not None:
                    return cursor.fail(lost)
            cursor.leave(answer)
            return cursor.complete(answer.note)
        yield from MOVES[answer.action](cursor, answer)


def visit_task(cursor: Cursor) -> Steps:
    """Run the node in one activity. The decision that follows, an error, or None where it is to be run again."""
    cursor.publish()
    result: NodeResult = yield from cursor.run_activity(cursor.call())
    if result.get("missing"):
        yield from cursor.park()
        return None
    cursor.adopt(result)
    if "error" in result:
        return (yield from failed(cursor, result["error"]))
    cursor.merge(result)
    return decision_after(cursor.plan_node, result)


def settle(cursor: Cursor) -> Steps:
    """Apply an event, or updates that need a reducer, in an activity of their own. An error record, or None.

    Needed only where no task follows that could do it on the way: before many branches, a wait, or the end.
    """
    while True:
        result: NodeResult = yield from cursor.run_activity(cursor.call(settle=True))
        if not result.get("missing"):
            break
        yield from cursor.park()
    cursor.adopt(result)
    if "error" in result:
        return result["error"]
    cursor.merge(result)
    return None


def go_on(cursor: Cursor, decision: RouteDecision) -> Steps:
    """Move to the next node at once."""
    cursor.leave(decision)
    cursor.run["node"] = str(decision.next_node)
    return
    yield


def _endless(cursor: Cursor) -> ErrorRecord:
    limit = cursor.run["plan"]["max_steps"]
    message = f"the run took {limit} steps, the max_steps of its graph, and has not completed"
    return {"type": "MaxStepsExceeded", "bases": ["Exception"], "message": message, "where": "max_steps"}


_NEEDS_SETTLED = frozenset({"parallel", "map", "wait"})
"""Kinds that start from a state in which nothing is left to be applied."""

VISITS: dict[str, Callable[[Cursor], Steps]] = {
    "task": visit_task,
    "parallel": visit_parallel,
    "map": visit_map,
    "subgraph": visit_subgraph,
    "wait": visit_wait,
}
"""How a node of each kind is visited: the decision that follows, an error record, or None to visit it again."""

MOVES: dict[RouteAction, Callable[[Cursor, RouteDecision], Steps]] = {
    RouteAction.NEXT: go_on,
    RouteAction.WAIT_FOR_EVENT: await_events,
    RouteAction.WAIT_FOR_ANY: await_events,
    RouteAction.SLEEP: rest,
}
"""How a run moves after a decision."""
