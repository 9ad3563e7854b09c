"""A parallel: its branches run at once on one snapshot of the state, then what they have written is merged.

A branch that is a single task is one activity. Any other runs as a child: a run of the same plan, which begins at the
branch's first node with the state as it is, ends where the branches join, and gives back what it has written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, cast

from ..graph.plan import PlanNode, nodes_of
from ..graph.policies import error_target
from ..graph.regions import is_single
from .children import Child, child_id, depth_below, too_deep
from .messages import ErrorRecord, RunInput, Written
from .outcomes import Failed, Moved, NodeOutcome, Revisit
from .ports import Steps
from .rounds import Crowd, Member, gather, with_attempt
from .traversal import Traversal
from .written import as_result

FIRST_FAILURE = "first_failure"

TOLD = 20
"""Failures of branches or items that the failure of the whole lists."""


def run_parallel(traversal: Traversal) -> Steps[NodeOutcome]:
    """Run every branch on one snapshot of the state, then merge what they have written."""
    branches, nodes = traversal.plan_node["branches"], nodes_of(traversal.run["plan"])
    chains, depth = _chains(traversal), depth_below(traversal)
    if depth is None and chains:
        return Failed(too_deep(traversal))

    def make(name: str, attempt: int) -> Member:
        if name in chains:
            return _branch_run(traversal, name, depth or 0)
        return with_attempt(traversal.call(node=name, branch=name), attempt)

    def retry(name: str) -> Any:
        return None if name in chains else nodes[name].get("retry")

    plan = traversal.plan_node
    enough = _enough(plan["stop_when"]) if "stop_when" in plan else None
    crowd = Crowd(branches, make, retry, len(branches), enough=enough, seconds=plan.get("deadline"))
    results = yield from gather(traversal, crowd)
    if results is None:
        return Revisit()
    errors = [_named(results[name]["error"], name) for name in branches if "error" in results[name]]
    succeeded = {name: results[name] for name in branches if {"error", "stopped"}.isdisjoint(results[name])}
    if not fails(traversal.plan_node, len(succeeded), len(errors)):
        failed = yield from _merge(traversal, succeeded)
        return failed or Moved(traversal.static_edge())
    error = failure_of(errors, f"{len(errors)} of {len(branches)} branches failed")
    if keeps_for(traversal.plan_node, error):
        yield from _merge(traversal, succeeded, now=True)  # a failure of its own adds nothing to that of the branches
    return Failed(error)


def _enough(stop_when: str | int) -> Callable[[Mapping[str, Any]], bool]:
    """Whether these results are all that is needed: a first failure, or so many successes."""
    if stop_when == FIRST_FAILURE:
        return lambda results: any("error" in result for result in results.values())
    return lambda results: sum("error" not in result for result in results.values()) >= int(stop_when)


def fails(plan: PlanNode, succeeded: int, failed: int) -> bool:
    """Whether a parallel or a map fails as a whole."""
    if "min_successful" in plan:
        return succeeded < plan["min_successful"]
    return failed > 0 and not plan.get("collect")


def keeps_for(plan: PlanNode, error: ErrorRecord) -> bool:
    """Whether what succeeded is kept: for the node that `on_error` names. Plans of an earlier release drop it."""
    return plan.get("keeps", False) and error_target(plan.get("on_error"), error) is not None


def _merge(traversal: Traversal, results: Mapping[str, Mapping[str, Any]], now: bool = False) -> Steps[Failed | None]:
    """Merge what branches have written; updates with `now`, else in the activity of the task that follows."""
    merged = _merge_patches(results)
    if "error" in merged:
        return Failed(merged["error"])
    writes = [update for result in results.values() for update in _updates(result)]
    if any(result.get("merge") for result in results.values()) or (now and writes):
        return (yield from traversal.merge(merged["patch"], writes or [{}]))
    traversal.apply_patch(merged["patch"])
    if writes:
        traversal.run["writes"] = writes  # the activity of the next task reduces them first
    return None


def _chains(traversal: Traversal) -> set[str]:
    """The branches that run as children.

    Beside one of them a task that may be retried is one, too: in rounds it would be retried when all others are done.
    """
    plan, nodes = traversal.plan_node, nodes_of(traversal.run["plan"])
    found = {name for name in plan["branches"] if not is_single(nodes[name], plan.get("next"))}
    if "stop_when" in plan or "deadline" in plan:
        return found | {name for name in plan["branches"] if nodes[name].get("retry")}
    return found | {name for name in plan["branches"] if nodes[name].get("retry")} if found else found


def _branch_run(traversal: Traversal, branch: str, depth: int) -> Child:
    """The run of a branch, which ends where the parallel goes on."""
    run, plan = traversal.run, traversal.run["plan"]
    start: dict[str, Any] = {
        **{key: run[key] for key in ("format", "plan", "metadata", "state", "trace") if key in run},
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
    return Child(child_id(traversal, plan["graph"], branch), branch, cast(RunInput, start), _read_branch)


def _read_branch(answer: dict[str, Any]) -> dict[str, Any]:
    return as_result(cast(Written, answer["written"]), answer["state"])


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


def _named(error: Mapping[str, Any], branch: str) -> dict[str, Any]:
    """The failure of a branch under its name; of one with several steps, it says at which."""
    if error.get("node", branch) == branch:
        return {**error, "node": branch}
    return {**error, "node": branch, "message": f"at node {error['node']!r}: {error['message']}"}


def failure_of(errors: list[dict[str, Any]], text: str) -> ErrorRecord:
    """One record for all failures; if they have one type, it keeps that type, so that on_error can name it."""
    first = errors[0] if errors else None
    single = first is not None and len({error["type"] for error in errors}) == 1
    named = [(error.get("node", error.get("item")), error["type"], error["message"]) for error in errors[:200]]
    details = "; ".join(f"{name}: {kind}: {message}" for name, kind, message in named)
    return {
        "type": first["type"] if first and single else "FanOutFailed",
        "bases": first["bases"] if first and single else ["Exception"],
        "message": f"{text}: {details}"[:2000] if details else text,
        "where": "branches" if first is None or "node" in first else "items",
        "errors": errors[:TOLD],
    }
