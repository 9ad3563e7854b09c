"""Many activities at once: the branches of a parallel, the items of a map. Floor 6.

They run in rounds, each a `task_all` of new activities, because the host awaits a round to its end before it looks at
the next. Failures come back as values, so that none hides another and none fails a round. Between two rounds the run
may continue as new; what has come back by then is carried along.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .cursor import HISTORY_BUDGET, Cursor, Steps
from .messages import ErrorRecord, FanOut, NodeCall, NodeResult
from .names import ACTIVITY
from .policies import may_retry, pause_after


def visit_parallel(cursor: Cursor) -> Steps:
    """Run every branch on one snapshot of the state, then merge their patches."""
    branches = cursor.plan_node["branches"]
    nodes = cursor.run["plan"]["nodes"]
    calls = {name: cursor.call(node=name, branch=name) for name in branches}
    retries = {name: nodes[name].get("retry") for name in branches}
    results = yield from _gather(cursor, calls, retries, len(branches))
    if results is None:
        return None
    errors = [{**results[name]["error"], "node": name} for name in branches if "error" in results[name]]
    if errors:
        return _failure(errors, f"{len(errors)} of {len(branches)} branches failed")
    merged = _merged({name: results[name] for name in branches})
    if "error" in merged:
        return merged["error"]
    writes = [results[name]["writes"] for name in branches if results[name].get("writes")]
    cursor.take(merged["patch"])
    if writes:
        cursor.run["writes"] = writes  # the next task reduces them on its way
    return cursor.onward()


def visit_map(cursor: Cursor) -> Steps:
    """Run the handler on each item, then put the results, in order, into one field."""
    plan = cursor.plan_node
    items = cursor.run["state"].get(plan["over"]) or []
    calls = {
        str(index): cursor.call(item=index, state={**cursor.run["state"], plan["over"]: [item]})
        for index, item in enumerate(items)
    }
    results = yield from _gather(cursor, calls, dict.fromkeys(calls, plan.get("retry")), plan["limit"])
    if results is None:
        return None
    errors = [{**results[key]["error"], "item": int(key)} for key in calls if "error" in results[key]]
    if errors:
        return _failure(errors, f"{len(errors)} of {len(calls)} items failed")
    patch = {plan["into"]: [results[key].get("value") for key in calls]}
    cursor.take(patch)
    return cursor.onward()


def _gather(cursor: Cursor, calls: Mapping[str, NodeCall], retries: Mapping[str, Any], limit: int) -> Steps:
    """The result of each call, by its key; None where the run has to come back to this node first.

    That is so when the version is missing, and after HISTORY_BUDGET turns: the results so far stay in the run.
    """
    fan: FanOut = cursor.run.setdefault("fan_out", {"done": {}, "attempts": {}})
    fan = cursor.run["fan_out"] = {"done": dict(fan["done"]), "attempts": dict(fan["attempts"])}
    while waiting := [key for key in calls if key not in fan["done"]]:
        if cursor.turns >= HISTORY_BUDGET:
            return None
        cursor.publish(fan_out={"done": len(fan["done"]), "of": len(calls)})
        this_round = waiting[:limit]
        tasks = [_task(cursor, calls[key], fan["attempts"].get(key, 1)) for key in this_round]
        results = yield cursor.context.task_all(tasks)
        cursor.turns += len(tasks)
        missing, pause = _sort(dict(zip(this_round, results, strict=True)), fan, retries)
        if missing:
            yield from cursor.park()
            return None
        cursor.run.pop("pause", None)
        if pause is not None:
            yield from cursor.sleep(pause)
    return fan["done"]


def _task(cursor: Cursor, call: NodeCall, attempt: int) -> Any:
    return cursor.context.call_activity(ACTIVITY, {**call, "attempt": attempt} if attempt > 1 else call)


def _sort(results: Mapping[str, NodeResult], fan: FanOut, retries: Mapping[str, Any]) -> tuple[bool, float | None]:
    """File a round's results. Whether one lacked its version, and how long to pause before failed ones come again."""
    pauses = []
    for key, result in results.items():
        if result.get("missing"):
            continue
        attempt = fan["attempts"].get(key, 1)
        if "error" in result and may_retry(retries[key], result["error"], attempt):
            fan["attempts"][key] = attempt + 1
            pauses.append(pause_after(retries[key], attempt))
        else:
            kept = ("patch", "unset", "writes", "value", "error")
            fan["done"][key] = {name: result[name] for name in kept if name in result}  # type: ignore[literal-required]
    return any(result.get("missing") for result in results.values()), max(pauses, default=None)


def _merged(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All patches as one; two branches that write one field are an error, never last-writer-wins."""
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


def _failure(errors: list[dict[str, Any]], text: str) -> ErrorRecord:
    """One record for all that failed; a single failure keeps its type, so that on_error can name it."""
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
