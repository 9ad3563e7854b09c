"""A graph within a graph: a run of its own, as a sub-orchestration.

The activity of the node maps the parent's fields into the child's input, validates it, and pins the child to the
version that is deployed; the orchestrator starts it, waits, and maps the child's fields back. A child reports failure
as a value.
"""

from __future__ import annotations

import uuid
from typing import Any, cast

from ..graph.names import ORCHESTRATOR, did_you_mean
from ..graph.plan import MAX_DEPTH
from .messages import ErrorRecord, RunInput
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
    child = yield from _await_child(traversal, cast(RunInput, {**prepared["child"], "depth": depth}))
    if isinstance(child, Failed):
        return (yield from traversal.retry_or_fail(child.error))
    return (yield from _take_output(traversal, child, needs_merge=prepared.get("merge", False)))


def _take_output(traversal: Traversal, child: dict[str, Any], *, needs_merge: bool) -> Steps[NodeOutcome]:
    """Bring the child's fields into the parent's state, by the parent's own rules where types alone do not tell."""
    output = traversal.plan_node.get("output", {})
    unknown = next((theirs for theirs in output.values() if theirs not in child), None)
    if unknown is not None:
        return Failed(_unknown_field(unknown, child))
    update = {mine: child[theirs] for mine, theirs in output.items()}
    if needs_merge:
        failed = yield from traversal.merge({}, [update])
        return failed or Moved(traversal.static_edge())
    traversal.apply_patch(update)
    return Moved(traversal.static_edge())


def _await_child(traversal: Traversal, start: RunInput) -> Steps[dict[str, Any] | Failed]:
    """The state in which the child completes, or why it did not."""
    child_id = _child_id(traversal, start["plan"]["graph"])
    traversal.publish(children=[{"id": child_id, "node": traversal.run["node"]}])
    traversal.turns += 1
    try:
        answer = yield traversal.context.call_sub_orchestrator(ORCHESTRATOR, start, child_id)
    except Exception as error:  # the child was terminated, or could not be started: only a text comes back
        return Failed(_lost(child_id, str(error)))
    if isinstance(answer, dict):
        traversal.take_answers(traversal.run["step"], answer.get("taken", ()))
    if isinstance(answer, dict) and "error" in answer:
        return Failed(_of_child(answer["error"], child_id))
    if isinstance(answer, dict) and isinstance(answer.get("state"), dict):
        return cast("dict[str, Any]", answer["state"])
    return Failed(_lost(child_id, f"it ended with {type(answer).__name__}, which is not a run's end"))


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


def _unknown_field(field: str, state: dict[str, Any]) -> ErrorRecord:
    text = f"the state of the child has no field {field!r}, which output=… names; {did_you_mean(field, state)}"
    return {"type": "UnknownField", "bases": ["Exception"], "message": text, "where": "output of the subgraph"}


def _lost(child_id: str, why: str) -> ErrorRecord:
    text = f"run {child_id} was ended from outside or could not be started: {why[:500]}"
    return {"type": "ChildRunLost", "bases": ["Exception"], "message": text, "where": "subgraph"}
