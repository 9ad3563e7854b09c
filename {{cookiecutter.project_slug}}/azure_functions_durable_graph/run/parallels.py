"""A parallel: its branches run at once on one snapshot of the state, then what they have written is merged.

A branch that is a single task is one activity. Any other runs as a child: a run of the same plan, which begins at the
branch's first node with the state as it is, ends where the branches join, and gives back what it has written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, cast

from ..graph.plan import nodes_of
from ..graph.regions import is_single
from .activities import node_call
from .children import Child, child_id, depth_below, too_deep
from .crowds import Crowd, Member, with_attempt
from .merging import merge, put_off, take
from .messages import ErrorRecord, RunInput, Written
from .outcomes import Failed, Moved, NodeOutcome
from .policy import deadline_of, enough_of, fails, failure_of, keeps_for
from .ports import Steps
from .rounds import gather
from .traversal import Traversal
from .written import as_result


def run_parallel(traversal: Traversal) -> Steps[NodeOutcome]:
    """Run every branch on one snapshot of the state, then merge what they have written."""
    branches, nodes = traversal.plan_node["branches"], nodes_of(traversal.run["plan"])
    chains, depth = _chains(traversal), depth_below(traversal)
    if depth is None and chains:
        return Failed(too_deep(traversal))

    def make(name: str, attempt: int) -> Member:
        if name in chains:
            return _branch_run(traversal, name, depth or 0)
        return with_attempt(node_call(traversal, node=name, branch=name), attempt)

    def retry(name: str) -> Any:
        return None if name in chains else nodes[name].get("retry")

    enough = enough_of(traversal.plan_node.get("stop_when"))
    crowd = Crowd(branches, make, retry, len(branches), enough=enough, until=deadline_of(traversal))
    results = yield from gather(traversal, crowd)
    if results is None:
        return put_off(traversal)
    errors = [_named(results[name]["error"], name) for name in branches if "error" in results[name]]
    succeeded = {name: results[name] for name in branches if {"error", "stopped"}.isdisjoint(results[name])}
    if not fails(traversal.plan_node, len(succeeded), len(errors)):
        failed = yield from _merge(traversal, succeeded)
        return failed or Moved(traversal.static_edge())
    error = failure_of(errors, f"{len(errors)} of {len(branches)} branches failed", "branches")
    if keeps_for(traversal.plan_node, error):
        yield from _merge(traversal, succeeded, now=True)  # a failure of its own adds nothing to that of the branches
    return Failed(error)


def _merge(traversal: Traversal, results: Mapping[str, Mapping[str, Any]], now: bool = False) -> Steps[Failed | None]:
    """Merge what branches have written; updates with `now`, else in the activity of the task that follows."""
    merged = _merge_patches(results)
    if "error" in merged:
        return Failed(merged["error"])
    writes = [update for result in results.values() for update in _updates(result)]
    if any(result.get("merge") for result in results.values()) or (now and writes):
        return (yield from merge(traversal, merged["patch"], writes or [{}], merged["unset"]))
    return take(traversal, merged["patch"], writes, merged["unset"])


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
        **{key: run[key] for key in _HANDED_DOWN if key in run},  # type: ignore[literal-required]
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


_HANDED_DOWN = ("format", "plan", "metadata", "state", "trace", "max_payload_bytes")
"""What a branch has from the run that begins it."""


def _read_branch(answer: dict[str, Any]) -> dict[str, Any]:
    return as_result(cast(Written, answer["written"]), answer["state"])


def _updates(result: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """The updates of fields with a reducer: a dict from a single task, several from a run."""
    writes = result.get("writes") or []
    return [writes] if isinstance(writes, dict) else writes


def _merge_patches(results: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """All patches as one; two branches that write the same field are an error, never last-writer-wins."""
    patch: dict[str, Any] = {}
    unset: list[str] = []
    writer: dict[str, str] = {}
    for branch, result in results.items():
        removed = [field for field in result.get("unset", []) if field not in unset]
        for field in (*result.get("patch", {}), *removed):
            if field in writer:
                return {"error": _conflict(field, writer[field], branch)}
            writer[field] = branch
        patch |= result.get("patch", {})
        unset += removed
    return {"patch": patch, "unset": unset}


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
