"""A graph within a graph: a run of its own, as a sub-orchestration.

The activity of the node maps the parent's fields to the child's input, validates it, and pins the child to the
deployed version; the orchestrator starts the child, waits for it, and maps its fields back. A child reports failure as
a value.
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
"""The error type of a run that fails because it would start a child below the plan's `max_depth`."""


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
    traversal.apply_result(prepared)  # changes by an event or by earlier branches
    traversal.run["attempt"] = attempt
    child = yield from _await_child(traversal, cast(RunInput, {**prepared["child"], "depth": depth}))
    if isinstance(child, Failed):
        return (yield from traversal.retry_or_fail(child.error))
    return (yield from _take_output(traversal, child, needs_merge=prepared.get("merge", False)))


def _take_output(traversal: Traversal, child: dict[str, Any], *, needs_merge: bool) -> Steps[NodeOutcome]:
    """Copy the child's fields into the parent's state; with `needs_merge`, by the rules of the parent's model."""
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
    """The child's final state, or why it did not complete."""
    child_id = _child_id(traversal, start["plan"]["graph"])
    traversal.publish(children=[{"id": child_id, "node": traversal.run["node"]}])
    traversal.turns += 1
    try:
        answer = yield traversal.context.call_sub_orchestrator(ORCHESTRATOR, start, child_id)
    except Exception as error:  # the child was terminated, or could not be started; all we get is a text
        return Failed(_lost(child_id, str(error)))
    if isinstance(answer, dict):
        traversal.take_answers(traversal.run["step"], answer.get("taken", ()))
    if isinstance(answer, dict) and "error" in answer:
        return Failed(_child_failure(answer["error"], child_id))
    if isinstance(answer, dict) and isinstance(answer.get("state"), dict):
        return cast("dict[str, Any]", answer["state"])
    return Failed(_lost(child_id, f"it returned {type(answer).__name__}, which is not the result of a run"))


def _child_id(traversal: Traversal, graph: str) -> str:
    """An id derived from the parent's id, the step and the attempt, short enough for every backend."""
    name = f"{traversal.context.instance_id}\n{traversal.run['step']}\n{traversal.attempt}"
    return f"{graph}.{uuid.uuid5(uuid.NAMESPACE_URL, name).hex}"


def _too_deep(traversal: Traversal) -> ErrorRecord:
    """No base classes: another attempt would change nothing, so only a policy that names the type retries it."""
    limit, graph = traversal.run["plan"].get("max_depth", MAX_DEPTH), traversal.run["plan"]["graph"]
    message = f"subgraphs are nested {limit} levels deep: does {graph!r} call itself endlessly?"
    return {"type": TOO_DEEP, "bases": [], "message": message, "where": "subgraph"}


def _child_failure(error: dict[str, Any], child_id: str) -> ErrorRecord:
    if error["type"] == TOO_DEEP:  # passed on unchanged: with one error per level it would outgrow the custom status
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
    text = f"run {child_id} was terminated or could not be started: {why[:500]}"
    return {"type": "ChildRunLost", "bases": ["Exception"], "message": text, "where": "subgraph"}
