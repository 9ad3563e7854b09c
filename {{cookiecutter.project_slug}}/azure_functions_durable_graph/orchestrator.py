"""The orchestrator: a generator that reads a plan. No user code, no clock, no registry, no logging. Floor 3.

    1. publish the custom status
    2. run the node in one activity; while this deployment lacks the run's version, park and try again
    3. adopt the plan that served the call, if it was a newer one; merge the patch; an error record fails the run
    4. move: to the next node, into a wait, or to the end
    5. after HISTORY_BUDGET turns, at a node boundary with no open wait, continue as new

It is a function of its input and its history alone, so no deployment can make a replay diverge.

What Azure imposes: the extension awaits each action before it looks at the next, so every `yield` here is one new
task, awaited to its end; a run continues as new only while no wait is open, so no event can be dropped.
"""

from __future__ import annotations

import json
from collections.abc import Generator
from datetime import timedelta
from typing import Any, cast

from .decisions import RouteAction, RouteDecision, decision_after
from .errors import GraphRunFailed
from .messages import EventInput, NodeCall, NodeResult, OpenWait, RunInput, TrailEntry
from .names import ACTIVITY, wait_address
from .ports import OrchestrationContext
from .states import patched
from .status import run_status

HISTORY_BUDGET = 20
"""Durable turns after which a run continues as new: replay costs grow with the square of the history."""

TRAIL_LIMIT = 50
"""Steps that a run carries along so that its path can still be shown."""

PARK_FIRST, PARK_LONGEST = timedelta(seconds=15), timedelta(minutes=10)
"""How long a run whose version is not deployed waits before it looks again; doubles up to the longest."""

Steps = Generator[Any, Any, Any]


def orchestrate(context: OrchestrationContext, start: RunInput) -> Steps:
    """Drive one run. Returns its final state; returns None where it continues as new.

    Raises GraphRunFailed when a node fails or the run takes more than `max_steps` steps.
    """
    run = cast(RunInput, {**start, "trail": list(start["trail"])})
    turns = 0
    while True:
        _refuse_endless_runs(context, run)
        if turns >= HISTORY_BUDGET:
            context.continue_as_new(run)
            return None
        result = yield from _visit(context, run)
        if result is None:  # parked for so long that the history is full
            context.continue_as_new(run)
            return None
        turns += 1
        _apply(context, run, result)
        decision = decision_after(run["plan"]["nodes"][run["node"]], result)
        wait = _leave(context, run, decision)
        if wait is not None:
            run["event"] = yield from _await_event(context, run, wait)
            turns += 1
        elif decision.action is RouteAction.COMPLETE:
            context.set_custom_status(run_status(run, note=decision.note))
            return run["state"]


def _visit(context: OrchestrationContext, run: RunInput) -> Steps:
    """Run the current node. While its version is not deployed: park. None when parking has filled the history."""
    pause = PARK_FIRST
    for _ in range(HISTORY_BUDGET):
        context.set_custom_status(run_status(run))
        result: NodeResult = yield context.call_activity(ACTIVITY, _call(context, run))
        if not result.get("missing"):
            run.pop("event", None)
            return result
        plan = run["plan"]
        context.set_custom_status(
            run_status(run, parked=f"no deployed graph {plan['graph']!r} has the hash {plan['hash']}")
        )
        yield context.create_timer(context.current_utc_datetime + pause)
        pause = min(pause * 2, PARK_LONGEST)
    return None


def _call(context: OrchestrationContext, run: RunInput) -> NodeCall:
    call: NodeCall = {
        "run_id": context.instance_id,
        "graph": run["plan"]["graph"],
        "hash": run["plan"]["hash"],
        "node": run["node"],
        "step": run["step"],
        "state": run["state"],
    }
    if "event" in run:
        call["event"] = run["event"]
    return call


def _apply(context: OrchestrationContext, run: RunInput, result: NodeResult) -> None:
    """Merge the node's patch, or fail the run with the node's error. A newer plan is adopted first."""
    if "plan" in result:
        run["plan"] = result["plan"]
    if "error" in result:
        record = result["error"]
        error = {**record, "node": run["node"], "step": run["step"]}
        context.set_custom_status(run_status(run, error=error))
        raise GraphRunFailed(f"{record['where']} of node {run['node']!r}: {record['type']}: {record['message']}")
    run["state"] = patched(run["state"], result["patch"], result.get("unset"))


def _leave(context: OrchestrationContext, run: RunInput, decision: RouteDecision) -> OpenWait | None:
    """Note the step in the trail and move on. Returns the wait that opens, if one does."""
    entry: TrailEntry = {"step": run["step"], "node": run["node"], "at": context.current_utc_datetime.isoformat()}
    wait: OpenWait | None = None
    if decision.action is RouteAction.WAIT_FOR_EVENT:
        event, resume = cast(str, decision.event_name), cast(str, decision.resume_node)
        wait = {"event": event, "address": wait_address(event, run["step"]), "resume_node": resume}
        entry["event"] = event
    if decision.note:
        entry["note"] = decision.note
    if decision.target is not None:
        entry["to"] = decision.target
        run["node"] = decision.target
    run["trail"] = [*run["trail"], entry][-TRAIL_LIMIT:]
    run["step"] += 1
    return wait


def _await_event(context: OrchestrationContext, run: RunInput, wait: OpenWait) -> Steps:
    """Publish the open wait and stay until an event is raised under its address."""
    context.set_custom_status(run_status(run, waits=[wait]))
    raised = yield context.wait_for_external_event(wait["address"])
    event: EventInput = {"name": wait["event"], "payload": _payload(raised)}
    return event


def _payload(raised: Any) -> Any:
    """What was posted. The SDK's client delivers JSON text, a raw management call the value itself."""
    if isinstance(raised, str):
        try:
            raised = json.loads(raised)
        except ValueError:
            return raised
    if isinstance(raised, dict) and set(raised) == {"payload"}:
        return raised["payload"]
    return raised


def _refuse_endless_runs(context: OrchestrationContext, run: RunInput) -> None:
    limit = run["plan"]["max_steps"]
    if run["step"] >= limit:
        message = f"the run took {limit} steps, the max_steps of its graph, and has not completed"
        error = {"type": "MaxStepsExceeded", "message": message, "node": run["node"], "step": run["step"]}
        context.set_custom_status(run_status(run, error=error))
        raise GraphRunFailed(message)
