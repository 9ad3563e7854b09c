"""A graph within a graph: a run of its own, as a sub-orchestration. Floor 6.

The activity of the node maps the parent's fields into the child's input, validates it, and pins the child to the
version that is deployed; the orchestrator starts it, waits, and maps the child's fields back. A child reports failure
as a value.
"""

from __future__ import annotations

import uuid
from typing import Any

from .cursor import Cursor, Steps, failed
from .messages import ErrorRecord, NodeResult
from .names import ORCHESTRATOR


def visit_subgraph(cursor: Cursor) -> Steps:
    """Start the child and wait for it. The decision that follows, an error, or None where it is to be run again."""
    cursor.publish()
    prepared: NodeResult = yield from cursor.run_activity(cursor.call(started_at=cursor.now().isoformat()))
    if prepared.get("missing"):
        yield from cursor.park()
        return None
    cursor.adopt(prepared)
    if "error" in prepared:
        return (yield from failed(cursor, prepared["error"]))
    attempt = cursor.attempt
    cursor.merge(prepared)  # what an event or earlier branches brought
    cursor.run["attempt"] = attempt
    child_id = _child_id(cursor, prepared["child"]["plan"]["graph"])
    cursor.publish(children=[{"id": child_id, "node": cursor.run["node"]}])
    cursor.turns += 1
    try:
        answer = yield cursor.context.call_sub_orchestrator(ORCHESTRATOR, prepared["child"], child_id)
    except Exception as error:  # the child was terminated, or could not be started: only a text comes back
        return (yield from failed(cursor, _lost(child_id, error)))
    if "error" in answer:
        return (yield from failed(cursor, _of_child(answer["error"], child_id)))
    output = cursor.plan_node.get("output", {})
    patch = {mine: answer["state"].get(theirs) for mine, theirs in output.items()}
    cursor.take(patch)
    return cursor.onward()


def _child_id(cursor: Cursor, graph: str) -> str:
    """An id that follows from the parent's, its step and the attempt, and fits wherever ids have to fit."""
    name = f"{cursor.context.instance_id}\n{cursor.run['step']}\n{cursor.attempt}"
    return f"{graph}.{uuid.uuid5(uuid.NAMESPACE_URL, name).hex}"


def _of_child(error: dict[str, Any], child_id: str) -> ErrorRecord:
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
