"""Runs that a run starts and waits for: subgraphs, branches with several steps, parts of a map.

A child reports failure as a value, and gives back the answers that it has taken. Where several are open at once its
answer names it, so that a history without ids can still be read.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ..graph.names import ORCHESTRATOR, child_prefix
from ..graph.plan import MAX_DEPTH
from .messages import ErrorRecord, RunInput
from .outcomes import Failed
from .ports import DurableTask, Steps
from .traversal import Traversal

TOO_DEEP = "RecursionLimitExceeded"
"""The error type of a run that fails because it would start a child below the plan's `max_depth`."""


@dataclass(frozen=True)
class Child:
    """A run to be started. `node` is what the status of its parent shows.

    `read` makes a result of its answer, `fail` one of its failure. One that `ends` when it is asked to gives what it
    has then; one that `tells` says meanwhile how many of its items have succeeded.
    """

    id: str
    node: str
    start: RunInput
    read: Callable[[dict[str, Any]], dict[str, Any]] = dict
    fail: Callable[[Failed], dict[str, Any]] = lambda failed: {"error": failed.error}
    ends: bool = False
    tells: bool = False


def begin(traversal: Traversal, child: Child) -> DurableTask:
    """Start a child."""
    start = {**child.start, "owner": owner_of(traversal)}
    return traversal.context.call_sub_orchestrator(ORCHESTRATOR, start, child.id)


def outcome_of(traversal: Traversal, task: DurableTask, child: Child) -> Steps[dict[str, Any] | Failed]:
    """What a child has answered, with its final `state`; or why it did not complete."""
    try:
        answer = yield task
    except Exception as error:  # the child was terminated, or could not be started; all we get is a text
        return Failed(_lost(child.id, str(error)))
    if isinstance(answer, dict):
        traversal.take_answers(traversal.run["step"], answer.get("taken", ()))
    if isinstance(answer, dict) and "error" in answer:
        return Failed(answer["error"])
    if isinstance(answer, dict) and isinstance(answer.get("state"), dict):
        return answer
    return Failed(_lost(child.id, f"it returned {type(answer).__name__}, which is not the result of a run"))


def child_id(traversal: Traversal, graph: str, *which: str, attempt: int | None = None) -> str:
    """An id derived from the parent's id, the step and the attempt, short enough for every backend.

    `which` tells several children of one step apart. It begins as those of all children of its owner do.
    """
    tried = str(attempt or traversal.attempt)
    name = "\n".join([traversal.context.instance_id, str(traversal.run["step"]), tried, *which])
    return child_prefix(graph, owner_of(traversal)) + uuid.uuid5(uuid.NAMESPACE_URL, name).hex[:16]


def owner_of(traversal: Traversal) -> str:
    """The run that is deleted with all that it has started: the run itself, or the one of which it is a part."""
    run = traversal.run
    is_part = "branch" in run or "share" in run
    return run["owner"] if is_part and "owner" in run else traversal.context.instance_id


def depth_below(traversal: Traversal) -> int | None:
    """The depth of a child; None where it would be too deep."""
    depth = traversal.run.get("depth", 0) + 1
    return None if depth > traversal.run["plan"].get("max_depth", MAX_DEPTH) else depth


def too_deep(traversal: Traversal) -> ErrorRecord:
    """No base classes: another attempt would change nothing, so only a policy that names the type retries it."""
    limit, graph = traversal.run["plan"].get("max_depth", MAX_DEPTH), traversal.run["plan"]["graph"]
    message = f"subgraphs are nested {limit} levels deep: does {graph!r} call itself endlessly?"
    return {"type": TOO_DEEP, "bases": [], "message": message, "where": "subgraph"}


def _lost(child: str, why: str) -> ErrorRecord:
    text = f"run {child} was terminated or could not be started: {why[:500]}"
    return {"type": "ChildRunLost", "bases": ["Exception"], "message": text, "where": "subgraph"}
