"""The steps of a run as its history shows them: from the trail, the results of activities, and what the walk has seen.

Each step stands once, under its node's name; a parallel shows its branches first, in the order of their declaration.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Literal

from ..graph.plan import nodes_of
from .lines import Came, Line, Waited
from .walk import Followed

StepKind = Literal["task", "parallel", "branch", "map", "subgraph", "wait"]
"""What a step is: a node by its kind, or a branch of a parallel."""

_BRANCH: StepKind = "branch"

Result = tuple[Mapping[str, Any], Mapping[str, Any]]
"""A history event and the result of a node that it has brought."""


def history_steps(followed: Followed) -> list[dict[str, Any]]:
    """Every step that is known, in order; one under way or ended by an error is the last."""
    results: dict[int, list[Result]] = {}
    for event, result in followed.results:
        if not result.get("missing"):
            results.setdefault(result["step"], []).append((event, result))
    lines = followed.traversal.lines
    trail: dict[int, Mapping[str, Any]] = {entry["step"]: entry for entry in followed.traversal.run["trail"]}
    steps: list[dict[str, Any]] = []
    shown = {step for step, line in lines.items() if line.error is not None or line.came or line.items}
    for number in sorted({*trail, *results, *shown}):
        found = results.get(number, [])
        entry, line = trail.get(number, {}), lines.get(number)
        if line is not None:
            steps += _branches(number, line, found)
        node = entry.get("node") or (line.node if line is not None else found[-1][1]["node"])
        kind = _kind(followed, node)
        steps.append({"step": number, "node": node, "kind": kind, **_step(kind, entry, line, found)})
    return steps


def _kind(followed: Followed, node: str) -> StepKind:
    kind: StepKind = nodes_of(followed.traversal.run["plan"]).get(node, {}).get("kind", "task")  # type: ignore[assignment]
    return kind


def _branches(number: int, line: Line, results: Sequence[Result]) -> list[dict[str, Any]]:
    """One line a branch, with its last attempt."""
    lines = []
    for name in line.branches:
        if name in line.came:
            lines.append({"step": number, "node": name, "kind": _BRANCH, "branch": True, **_run_of(line.came[name])})
            continue
        own = [(event, result) for event, result in results if result.get("branch") == name]
        if own:
            event, result = own[-1]
            kept = {key: result[key] for key in ("patch", "writes", "error") if key in result}
            times = {"started_at": own[0][0].get("ScheduledTime"), "finished_at": event.get("Timestamp")}
            attempts = {"attempts": len(own), "failures": _failures(own)} if len(own) > 1 else {}
            shown = {"step": result["step"], "node": name, "kind": _BRANCH, "branch": True}
            lines.append({**shown, **times, **kept, **attempts})
    return lines


def _run_of(came: Came) -> dict[str, Any]:
    """A branch that is a run of its own: its steps are in that run's history."""
    kept = {key: came.result[key] for key in ("patch", "writes", "error", "stopped") if key in came.result}
    times = {"started_at": _iso(came.since), "finished_at": _iso(came.until)}
    return {"child": came.child, **{key: time for key, time in times.items() if time is not None}, **kept}


def _step(kind: StepKind, entry: Mapping[str, Any], line: Line | None, results: Sequence[Result]) -> dict[str, Any]:
    """What is known of one step besides its branches."""
    own = [(event, result) for event, result in results if "branch" not in result and "item" not in result]
    tries = [(event, result) for event, result in own if not result.get("apply_only")]
    items = [result for _, result in results if "item" in result]
    step: dict[str, Any] = {}
    started = next((event.get("ScheduledTime") for event, _ in results), None) or _iso(line.entered if line else None)
    if started is not None:
        step["started_at"] = started
    for _, result in own:
        step = {**step, **{key: result[key] for key in ("unset", "event") if key in result}}
    patch = _patch([result.get("patch") for _, result in own] + [line and line.patch])
    if patch or any("patch" in result for _, result in own):
        step["patch"] = patch
    error = _error(entry, line, own)
    if error is not None:
        step["error"] = error
    last = tries[-1][0].get("Timestamp") if tries and kind == "task" else None
    step["finished_at"] = last or _iso(line.left if line else None) or entry.get("at")
    if len(tries) > 1:
        step |= {"attempts": len(tries), "failures": _failures(tries)}
    failed = [(event, result) for event, result in results if "item" in result and "error" in result]
    if failed:
        step["item_failures"] = [{"item": result["item"], **_failure(event, result)} for event, result in failed]
    counted = len({result["item"] for result in items}) + (line.items if line is not None else 0)
    if counted:
        step["items"] = counted
    step.update({key: entry[key] for key in ("to", "note", "items") if key in entry})
    if "events" in entry:
        step["waits_for"] = entry["events"]
    return {**step, **_seen(line)}


def _failures(tries: Sequence[Result]) -> list[dict[str, Any]]:
    """When and how the attempts before the last one failed."""
    return [_failure(event, result) for event, result in tries[:-1]]


def _failure(event: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    return {"at": event.get("Timestamp"), "error": result.get("error")}


def _seen(line: Line | None) -> dict[str, Any]:
    """The child that a step has started, and how the run waited after it."""
    if line is None:
        return {}
    found = {"child": line.child, "sleeps_until": line.sleeps_until, "wait": line.waited and _wait(line.waited)}
    return {key: value for key, value in found.items() if value is not None}


def _wait(waited: Waited) -> dict[str, Any]:
    found = {
        "events": waited.events,
        "since": _iso(waited.since),
        "deadline": waited.deadline,
        "outcome": waited.outcome,
        "answered_by": waited.answered_by,
        "until": _iso(waited.until),
    }
    return {key: value for key, value in found.items() if value is not None}


def _patch(patches: Sequence[Any]) -> dict[str, Any]:
    merged: dict[str, Any] = {}
    for patch in patches:
        merged.update(patch if isinstance(patch, Mapping) else {})
    return merged


def _error(entry: Mapping[str, Any], line: Line | None, own: Sequence[Result]) -> Any:
    """How the step ended, if badly: as its last attempt says, or the join, or at least the trail."""
    said = [result["error"] for _, result in own[-1:] if "error" in result]
    if line is not None and line.error is not None:
        said.append(line.error)
    if "error" in entry:
        said.append({"type": entry["error"]})
    return next(iter(said), None)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
