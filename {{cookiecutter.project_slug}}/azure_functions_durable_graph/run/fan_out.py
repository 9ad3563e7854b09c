"""Nodes that are several at once: the branches of a parallel, the items of a map.

A branch that is a single task is one activity. Any other runs as a child: a run of the same plan, which begins at the
branch's first node with the state as it is, ends where the branches join, and gives back what it has written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from ..graph.regions import is_single
from .children import Child, child_id, depth_below, too_deep
from .messages import ErrorRecord, RunInput
from .outcomes import Failed, Moved, NodeOutcome, Revisit
from .ports import Steps
from .rounds import Member, gather
from .traversal import Traversal


def run_parallel(traversal: Traversal) -> Steps[NodeOutcome]:
    """Run every branch on one snapshot of the state, then merge what they have written."""
    branches = traversal.plan_node["branches"]
    nodes = traversal.run["plan"]["nodes"]
    retries = {name: nodes[name].get("retry") for name in branches}
    chains = _chains(traversal)
    depth = depth_below(traversal)
    if depth is None and chains:
        return Failed(too_deep(traversal))
    members: dict[str, Member] = {
        name: _branch_run(traversal, name, depth or 0) if name in chains else traversal.call(node=name, branch=name)
        for name in branches
    }
    results = yield from gather(
        traversal, members, {name: retries[name] for name in set(branches) - chains}, len(branches)
    )
    if results is None:
        return Revisit()
    errors = [_named(results[name]["error"], name) for name in branches if "error" in results[name]]
    if errors:
        return Failed(_failure(errors, f"{len(errors)} of {len(branches)} branches failed"))
    merged = _merge_patches({name: results[name] for name in branches})
    if "error" in merged:
        return Failed(merged["error"])
    writes = [update for name in branches for update in _updates(results[name])]
    if any(results[name].get("merge") for name in branches):
        failed = yield from traversal.merge(merged["patch"], writes or [{}])
        return failed or Moved(traversal.static_edge())
    traversal.apply_patch(merged["patch"])
    if writes:
        traversal.run["writes"] = writes  # the activity of the next task reduces them first
    return Moved(traversal.static_edge())


def _chains(traversal: Traversal) -> set[str]:
    """The branches that run as children.

    Beside one of them a task that may be retried is one, too: in rounds it would be retried when all others are done.
    """
    plan, nodes = traversal.plan_node, traversal.run["plan"]["nodes"]
    found = {name for name in plan["branches"] if not is_single(nodes[name], plan.get("next"))}
    return found | {name for name in plan["branches"] if nodes[name].get("retry")} if found else found


def _branch_run(traversal: Traversal, branch: str, depth: int) -> Child:
    """The run of a branch, which ends where the parallel goes on."""
    run, plan = traversal.run, traversal.run["plan"]
    start: dict[str, Any] = {
        **{key: run[key] for key in ("format", "plan", "metadata", "state")},
        "input": {},
        "started_at": traversal.now().isoformat(),
        "node": branch,
        "step": 0,
        "trail": [],
        "child": True,
        "depth": depth,
        "branch": {"run": traversal.context.instance_id, "node": run["node"], "name": branch},
        "written": {"fields": [], "updates": [], "merge": False},
    }
    if "next" in traversal.plan_node:
        start["branch"]["join"] = traversal.plan_node["next"]
    return Child(child_id(traversal, plan["graph"], branch), branch, cast(RunInput, start))


def run_map(traversal: Traversal) -> Steps[NodeOutcome]:
    """Run the handler on each item, then put the results, in order, into one field."""
    plan = traversal.plan_node
    items = traversal.run["state"].get(plan["over"]) or []
    if not isinstance(items, list):
        return Failed(_not_a_list(plan["over"], items))
    calls: dict[str, Member] = {
        str(index): traversal.call(item=index, state={**traversal.run["state"], plan["over"]: [item]})
        for index, item in enumerate(items)
    }
    results = yield from gather(traversal, calls, dict.fromkeys(calls, plan.get("retry")), plan["limit"])
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


def _updates(result: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """The updates of fields with a reducer: a dict from a single task, several from a run."""
    writes = result.get("writes") or []
    return [writes] if isinstance(writes, dict) else writes


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


def _named(error: Mapping[str, Any], branch: str) -> dict[str, Any]:
    """The failure of a branch under its name; of one with several steps, it says at which."""
    if error.get("node", branch) == branch:
        return {**error, "node": branch}
    return {**error, "node": branch, "message": f"at node {error['node']!r}: {error['message']}"}


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
