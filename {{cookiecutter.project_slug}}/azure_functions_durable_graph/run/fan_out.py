"""Many activities at once: the branches of a parallel, the items of a map.

They run in rounds, each a `task_all` of new activities, because the host awaits a round completely before it starts the
next. Failures are returned as values, so that none hides another and none fails a round. Between two rounds the run may
continue as new; it carries the results so far with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, cast

from ..graph.names import ACTIVITY
from ..graph.policies import may_retry, pause_after
from .messages import ErrorRecord, FanOut, NodeCall, NodeResult
from .outcomes import Failed, Moved, NodeOutcome, Revisit
from .ports import Steps
from .traversal import HISTORY_BUDGET, Traversal


def run_parallel(traversal: Traversal) -> Steps[NodeOutcome]:
    """Run every branch on one snapshot of the state, then merge their patches."""
    branches = traversal.plan_node["branches"]
    nodes = traversal.run["plan"]["nodes"]
    calls = {name: traversal.call(node=name, branch=name) for name in branches}
    retries = {name: nodes[name].get("retry") for name in branches}
    results = yield from _gather(traversal, calls, retries, len(branches))
    if results is None:
        return Revisit()
    errors = [{**results[name]["error"], "node": name} for name in branches if "error" in results[name]]
    if errors:
        return Failed(_failure(errors, f"{len(errors)} of {len(branches)} branches failed"))
    merged = _merge_patches({name: results[name] for name in branches})
    if "error" in merged:
        return Failed(merged["error"])
    writes = [results[name]["writes"] for name in branches if results[name].get("writes")]
    if any(results[name].get("merge") for name in branches):
        failed = yield from traversal.merge(merged["patch"], writes or [{}])
        return failed or Moved(traversal.static_edge())
    traversal.apply_patch(merged["patch"])
    if writes:
        traversal.run["writes"] = writes  # the activity of the next task reduces them first
    return Moved(traversal.static_edge())


def run_map(traversal: Traversal) -> Steps[NodeOutcome]:
    """Run the handler on each item, then put the results, in order, into one field."""
    plan = traversal.plan_node
    items = traversal.run["state"].get(plan["over"]) or []
    if not isinstance(items, list):
        return Failed(_not_a_list(plan["over"], items))
    calls = {
        str(index): traversal.call(item=index, state={**traversal.run["state"], plan["over"]: [item]})
        for index, item in enumerate(items)
    }
    results = yield from _gather(traversal, calls, dict.fromkeys(calls, plan.get("retry")), plan["limit"])
    if results is None:
        return Revisit()
    errors = [{**results[key]["error"], "item": int(key)} for key in calls if "error" in results[key]]
    if errors:
        return Failed(_failure(errors, f"{len(errors)} of {len(calls)} items failed"))
    update = {plan["into"]: [results[key].get("value") for key in calls]}
    if not calls or any(results[key].get("merge") for key in calls):
        failed = yield from traversal.merge({}, [update])
        return failed or Moved(traversal.static_edge())
    traversal.apply_patch(update)
    return Moved(traversal.static_edge())


def _gather(
    traversal: Traversal, calls: Mapping[str, NodeCall], retries: Mapping[str, Any], limit: int
) -> Steps[dict[str, dict[str, Any]] | None]:
    """The result of each call, by its key; None if the run has to revisit this node first.

    That is the case if the version is missing, and after HISTORY_BUDGET turns: the results so far stay in the run.
    """
    fan: FanOut = traversal.run.setdefault("fan_out", {"done": {}, "attempts": {}})
    fan = traversal.run["fan_out"] = {"done": dict(fan["done"]), "attempts": dict(fan["attempts"])}
    while waiting := [key for key in calls if key not in fan["done"]]:
        if traversal.turns >= HISTORY_BUDGET:
            return None
        progress = {"done": len(fan["done"]), "of": len(calls)}
        traversal.publish(fan_out=progress)
        this_round = {key: _with_attempt(calls[key], fan["attempts"].get(key, 1)) for key in waiting[:limit]}
        results = yield from _round(traversal, this_round)
        missing, retry = _file_results(results, fan, retries)
        if missing:
            yield from traversal.park()
            return None
        traversal.run.pop("pause", None)
        if retry is not None:
            progress = {"done": len(fan["done"]), "of": len(calls)}
            traversal.publish(fan_out=progress, retry=retry)
            yield from traversal.sleep(retry["pause"])
    return fan["done"]


def _round(traversal: Traversal, calls: Mapping[str, NodeCall]) -> Steps[dict[str, NodeResult]]:
    """The results of new activities that run in parallel.

    An activity that fails as a whole fails the `task_all` at once, while the host keeps awaiting the others; each is
    then awaited by itself, which schedules nothing new.
    """
    tasks = {key: traversal.context.call_activity(ACTIVITY, call) for key, call in calls.items()}
    traversal.turns += len(tasks)
    with contextlib.suppress(Exception):  # raised again below, by its own task
        yield traversal.context.task_all(list(tasks.values()))
    results: dict[str, NodeResult] = {}
    for key, task in tasks.items():
        results[key] = yield from traversal.result_of(task, calls[key])
    return results


def _with_attempt(call: NodeCall, attempt: int) -> NodeCall:
    return cast(NodeCall, {**call, "attempt": attempt}) if attempt > 1 else call


def _file_results(
    results: Mapping[str, NodeResult], fan: FanOut, retries: Mapping[str, Any]
) -> tuple[bool, dict[str, Any] | None]:
    """File a round's results. Returns whether one lacked its version, and the retry with the longest pause, if any."""
    retried = []
    for key, result in results.items():
        if result.get("missing"):
            continue
        attempt = fan["attempts"].get(key, 1)
        if "error" in result and may_retry(retries[key], result["error"], attempt):
            fan["attempts"][key] = attempt + 1
            pause = pause_after(retries[key], attempt)
            retried.append({"attempt": attempt, "error": result["error"]["type"], "pause": pause})
        else:
            kept = ("patch", "unset", "writes", "value", "merge", "error")
            fan["done"][key] = {name: result[name] for name in kept if name in result}  # type: ignore[literal-required]
    missing = any(result.get("missing") for result in results.values())
    return missing, max(retried, key=_pause, default=None)


def _pause(retry: dict[str, Any]) -> float:
    return float(retry["pause"])


def _merge_patches(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All patches as one; two branches that write the same field are an error, never last-writer-wins."""
    patch: dict[str, Any] = {}
    writer: dict[str, str] = {}
    for branch, result in results.items():
        for field, value in result.get("patch", {}).items():
            if field in writer:
                return {"error": _conflict(field, writer[field], branch)}
            writer[field], patch[field] = branch, value
    return {"patch": patch}


def _conflict(field: str, first: str, second: str) -> ErrorRecord:
    text = (
        f"branches {first!r} and {second!r} both wrote {field!r}, which has no reducer: declare one, as in "
        f"`{field}: Annotated[list[str], operator.add]`, or let one branch write it"
    )
    return {"type": "MergeConflict", "bases": ["Exception"], "message": text, "where": "merge"}


def _not_a_list(field: str, items: Any) -> ErrorRecord:
    text = f"the field {field!r} holds a value of type {type(items).__name__}, not a list of items"
    return {"type": "TypeError", "bases": ["Exception"], "message": text, "where": "over", "permanent": True}


def _failure(errors: list[dict[str, Any]], text: str) -> ErrorRecord:
    """One record for all failures; if they have one type, it keeps that type, so that on_error can name it."""
    first = errors[0] if errors else None
    single = first is not None and len({error["type"] for error in errors}) == 1
    named = [(error.get("node", error.get("item")), error["type"], error["message"]) for error in errors]
    details = "; ".join(f"{name}: {kind}: {message}" for name, kind, message in named)
    return {
        "type": first["type"] if first and single else "FanOutFailed",
        "bases": first["bases"] if first and single else ["Exception"],
        "message": f"{text}: {details}"[:2000] if details else text,
        "where": "branches" if first is None or "node" in first else "items",
        "errors": errors[:20],
    }
