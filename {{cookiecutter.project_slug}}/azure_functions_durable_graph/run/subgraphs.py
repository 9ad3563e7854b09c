"""A graph within a graph: a run of its own, as a sub-orchestration.

The activity of the node maps the parent's fields to the child's input, validates it, and pins the child to the
deployed version; the orchestrator starts the child, waits for it, and maps its fields back. A child reports failure as
a value.
"""

from __future__ import annotations

from typing import Any, cast

from ..graph.names import did_you_mean
from .activities import node_call, run_activity
from .children import TOO_DEEP, Child, begin, child_id, depth_below, outcome_of, too_deep
from .merging import merge, take
from .messages import ErrorRecord, RunInput
from .outcomes import Failed, Moved, NodeOutcome, Revisit
from .ports import Steps
from .traversal import Traversal


def run_subgraph(traversal: Traversal) -> Steps[NodeOutcome]:
    """Start the child run and wait for it."""
    depth = depth_below(traversal)
    if depth is None:
        return Failed(too_deep(traversal))
    traversal.publish()
    prepared = yield from run_activity(traversal, node_call(traversal, started_at=traversal.now().isoformat()))
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
        failed = yield from merge(traversal, {}, [update])
    else:
        failed = take(traversal, update)
    return failed or Moved(traversal.static_edge())


def _await_child(traversal: Traversal, start: RunInput) -> Steps[dict[str, Any] | Failed]:
    """The child's final state, or why it did not complete."""
    child = Child(child_id(traversal, start["plan"]["graph"]), traversal.run["node"], start)
    traversal.publish(children=[{"id": child.id, "node": child.node}])
    traversal.turns += 1
    answer = yield from outcome_of(traversal, begin(traversal, child), child)
    if isinstance(answer, Failed):
        return Failed(child_failure(answer.error, child.id))
    return cast("dict[str, Any]", answer["state"])


def child_failure(error: ErrorRecord | dict[str, Any], child: str) -> ErrorRecord:
    """The failure of a run of another graph, as one of the node that has started it."""
    if "node" not in error:  # it was lost
        return cast(ErrorRecord, error)
    node = cast("dict[str, Any]", error)["node"]
    if error["type"] == TOO_DEEP:  # passed on unchanged: with one error per level it would outgrow the custom status
        return {"type": TOO_DEEP, "bases": [], "message": error["message"], "where": "subgraph"}
    return {
        "type": error["type"],
        "bases": error["bases"],
        "message": f"in run {child}, node {node!r}: {error['message']}",
        "where": "subgraph",
        "errors": [cast("dict[str, Any]", error)],
    }


def _unknown_field(field: str, state: dict[str, Any]) -> ErrorRecord:
    text = f"the state of the child has no field {field!r}, which output=… names; {did_you_mean(field, state)}"
    return {"type": "UnknownField", "bases": ["Exception"], "message": text, "where": "output of the subgraph"}
