"""One call of the node activity: what it is given, and what comes back, whatever has become of it."""

from __future__ import annotations

from typing import Any, cast

from ..graph.names import ACTIVITY
from .lost import lost_activity
from .messages import NodeCall, NodeResult
from .ports import DurableTask, Steps
from .traversal import Traversal


def node_call(traversal: Traversal, **details: Any) -> NodeCall:
    """The activity's input for the current node."""
    run = traversal.run
    call: dict[str, Any] = {
        "run_id": traversal.context.instance_id,
        "graph": run["plan"]["graph"],
        "hash": run["plan"]["hash"],
        "node": run["node"],
        "step": run["step"],
        "state": run["state"],
    }
    if run["metadata"]:
        call["metadata"] = run["metadata"]
    if traversal.attempt > 1:
        call["attempt"] = traversal.attempt
    if "branch" in run:
        call["branched"] = True
        call |= {"join": run["branch"]["join"]} if "join" in run["branch"] else {}
    for key in ("event", "error", "writes", "trace"):
        if key in run:
            call[key] = run[key]
    return cast(NodeCall, {**call, **details})


def run_activity(traversal: Traversal, call: NodeCall) -> Steps[NodeResult]:
    """Run the node activity. Its result has an error record if the activity failed as a whole."""
    traversal.turns += 1
    return (yield from activity_result(traversal.context.call_activity(ACTIVITY, call), call))


def activity_result(task: DurableTask, call: NodeCall) -> Steps[NodeResult]:
    """Await one call of the node activity.

    The extension reports an activity as failed if it timed out (functionTimeout), its worker died, or its answer
    cannot be read; the SDK raises that as an Exception with a text.
    """
    try:
        result = yield task
    except Exception as error:
        return lost_activity(call, str(error))
    if not isinstance(result, dict) or "node" not in result:
        return lost_activity(call, f"it returned {type(result).__name__}, which is not a node's result")
    return cast(NodeResult, result)
