"""The items of a map that runs a graph: an activity prepares the input of each, then its run is started."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, cast

from ..graph.names import did_you_mean
from .children import Child, child_id, depth_below, too_deep
from .crowds import Crowd, Member, with_attempt
from .messages import NodeCall, RunInput
from .outcomes import Failed
from .ports import Steps
from .rounds import gather
from .subgraphs import child_failure
from .traversal import Traversal

Call = Callable[[Traversal, int, Any], NodeCall]


def run_graph_items(
    traversal: Traversal, items: list[list[Any]], like: Crowd, call_of: Call
) -> Steps[dict[str, dict[str, Any]] | None]:
    """A run for each item, `like` that crowd: several at once, the next as soon as one is done; or one by one."""
    if depth_below(traversal) is None:
        return {str(index): {"error": too_deep(traversal)} for index, _ in items}
    waiting = [one for one in items if str(one[0]) not in _done(traversal)]
    for batch in [waiting] if like.limit > 1 or like.is_watched else [[one] for one in waiting]:
        if not (yield from _at_once(traversal, batch, like, call_of)):
            return None
    return _done(traversal)


def _done(traversal: Traversal) -> dict[str, dict[str, Any]]:
    return traversal.run["fan_out"]["done"] if "fan_out" in traversal.run else {}


def _at_once(traversal: Traversal, items: list[list[Any]], like: Crowd, call_of: Call) -> Steps[bool]:
    """Prepare the inputs, then run the children; False if the run has to revisit the node first.

    An item whose input is wrong fails without a run. What a child was started with is not carried any further.
    """
    held = {str(index): item for index, item in items}
    inputs = {f"input {key}": key for key in held}

    def prepare(key: str, attempt: int) -> Member:
        call = call_of(traversal, int(inputs[key]), held[inputs[key]])
        return with_attempt({**call, "started_at": traversal.now().isoformat()}, attempt)

    found = yield from gather(traversal, Crowd(list(inputs), prepare, like.retry, len(inputs), counted=like.counted))
    if found is None:
        return False
    failed = {key: {"error": found[name]["error"]} for name, key in inputs.items() if "error" in found[name]}
    ready = {key: found[name]["child"] for name, key in inputs.items() if key not in failed}
    traversal.run["fan_out"]["done"] = {**found, **failed}

    def start(key: str, attempt: int) -> Member:
        return _child(traversal, int(key), ready[key], attempt)

    slides = like.is_watched or len(ready) > like.limit or "retry" in traversal.plan_node
    found = yield from gather(traversal, replace(like, keys=list(ready), make=start, slides=slides))
    if found is None:
        return False
    done = {key: result for key, result in found.items() if key not in inputs}
    traversal.run["fan_out"] = {**traversal.run["fan_out"], "done": done}
    return True


def _child(traversal: Traversal, index: int, prepared: dict[str, Any], attempt: int) -> Child:
    """The run for one item."""
    run, output = traversal.run, list(traversal.plan_node.get("output", {}).values())
    whole = run["share"]["run"] if "share" in run else traversal.context.instance_id
    name = child_id(traversal, prepared["plan"]["graph"], str(index), attempt=attempt)
    item = {"run": whole, "node": run["node"], "index": index}
    start = cast(RunInput, {**prepared, "depth": depth_below(traversal), "item": item})

    def read(answer: dict[str, Any]) -> dict[str, Any]:
        unknown = next((field for field in output if field not in answer["state"]), None)
        if unknown is None:
            return {"value": {field: answer["state"][field] for field in output}}
        text = f"the state of the child has no field {unknown!r}, which output=… names; "
        text += did_you_mean(unknown, answer["state"])
        where = "output of the subgraph"
        return {"error": {"type": "UnknownField", "bases": ["Exception"], "message": text, "where": where}}

    def fail(failed: Failed) -> dict[str, Any]:
        return {"error": child_failure(failed.error, name)}

    return Child(name, run["node"], start, read, fail)
