"""A graph within a graph: a run of its own, as a sub-orchestration.

The activity of the node maps the parent's fields into the child's input, validates it, and pins the child to the
version that is deployed; the orchestrator starts it, waits, and maps the child's fields back. A child reports failure
as a value.
"""

from __future__ import annotations

import uuid
from typing import Any

from ..graph.names import ORCHESTRATOR
from ..graph.plan import MAX_DEPTH
from .messages import ErrorRecord
from .outcomes import Failed, Moved, NodeOutcome, Revisit
from .ports import Steps
from .traversal import Traversal

TOO_DEEP = "RecursionLimitExceeded"
"""The type of the error with which a run ends that would start a child below the plan's `max_depth`."""


def run_subgraph(traversal: Traversal) -> Steps[NodeOutcome]:
    """Start the child run and wait for it."""
    depth = traversal.run.get("depth", 0) + 1
    if depth > traversal.run["plan"].get("max_depth", MAX_DEPTH):
        return Failed(_too_deep(traversal))
    traversal.publish()
    prepared = yield from traversal.run_activity(traversal.call(started_at=traversal.now().isoformat()))
    if prepared.get("missing"):
        yield from traversal.park(prepared.get("missing_graph"))
        return Revisit()
    traversal.adopt(prepared)
    if "error" in prepared:
        return (yield from traversal.retry_or_fail(prepared["error"]))
    attempt = traversal.attempt
    traversal.apply_result(prepared)  # what an event or earlier branches brought
    traversal.run["attempt"] = attempt
    child_id = _child_id(traversal, prepared["child"]["plan"]["graph"])
    traversal.publish(children=[{"id": child_id, "node": traversal.run["node"]}])
    traversal.turns += 1
    try:
        child = {**prepared["child"], "depth": depth}
        answer = yield traversal.context.call_sub_orchestrator(ORCHESTRATOR, child, child_id)
    except Exception as error:  # the child was terminated, or could not be started: only a text comes back
        return (yield from traversal.retry_or_fail(_lost(child_id, error)))
    if "error" in answer:
        return (yield from traversal.retry_or_fail(_of_child(answer["error"], child_id)))
    output = traversal.plan_node.get("output", {})
    patch = {mine: answer["state"].get(theirs) for mine, theirs in output.items()}
    traversal.apply_patch(patch)
    return Moved(traversal.static_edge())


def _child_id(traversal: Traversal, graph: str) -> str:
    """An id that follows from the parent's, its step and the attempt, and fits wherever ids have to fit."""
    name = f"{traversal.context.instance_id}\n{traversal.run['step']}\n{traversal.attempt}"
    return f"{graph}.{uuid.uuid5(uuid.NAMESPACE_URL, name).hex}"


def _too_deep(traversal: Traversal) -> ErrorRecord:
    """No base classes: an attempt more changes nothing, so only a policy that names the type retries it."""
    limit, graph = traversal.run["plan"].get("max_depth", MAX_DEPTH), traversal.run["plan"]["graph"]
    message = f"graphs run inside each other {limit} levels deep: does {graph!r} call itself without end?"
    return {"type": TOO_DEEP, "bases": [], "message": message, "where": "subgraph"}


def _of_child(error: dict[str, Any], child_id: str) -> ErrorRecord:
    if error["type"] == TOO_DEEP:  # handed up as it is: a tale of every level would outgrow the custom status
        return {"type": TOO_DEEP, "bases": [], "message": error["message"], "where": "subgraph"}
    return {
        "type": error["type"],
        "bases": error["bases"],
        "message": f"in run {child_id}, node {error['node']!r}: {error['message']}",
        "where": "subgraph",
        "errors": [error],
    }


def _lost(child_id: str, error: Exception) -> ErrorRecord:
    text = f"run {child_id} was ended from outside or could not be started: {str(error)[:500]}"
    return {"type": "ChildRunLost", "bases": ["Exception"], "message": text, "where": "subgraph"}
