"""What people see of a run: its state, its place in a list, its steps. A record in, plain JSON out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .record import RunRecord
from .walk import Followed, follow


def run_view(record: RunRecord) -> dict[str, Any]:
    """The answer of GET runs/{id}. `state` is the newest known one, `output` is set once the run has completed."""
    plan = record.run["plan"]
    completed = record.status == "completed"
    status = record.custom_status
    view: dict[str, Any] = {
        "id": record.id,
        "graph": plan["graph"],
        "version": status.get("version", plan["version"]),
        "graph_hash": status.get("hash", plan["hash"]),
        "status": record.status,
        "node": status.get("node", record.run["node"]),
        "step": status.get("step", record.run["step"]),
        "waits": [{key: wait[key] for key in _WAIT_KEYS if key in wait} for wait in record.waits],  # type: ignore[literal-required]
        "input": record.run["input"],
        "metadata": record.run["metadata"],
        "state": record.final_state if completed else _followed(record).traversal.run["state"],
        "output": record.final_state if completed else None,
        "error": _error(record),
        "started_at": record.run["started_at"],
        "updated_at": record.updated_at,
    }
    view.update(
        {key: status[key] for key in ("note", "parked", "sleeps_until", "retry", "children") if status.get(key)}
    )
    if record.status == "cancelled":
        view["reason"] = record.output
    return view


_DETAILS = ("note", "parked", "sleeps_until", "retry", "fan_out", "children")


_WAIT_KEYS = ("event", "resume_node", "deadline")


def run_line(record: RunRecord) -> dict[str, Any]:
    """A run in a list: no payloads."""
    plan, status = record.run["plan"], record.custom_status
    return {
        "id": record.id,
        "graph": plan["graph"],
        "version": status.get("version", plan["version"]),
        "graph_hash": status.get("hash", plan["hash"]),
        "status": record.status,
        "node": status.get("node", record.run["node"]),
        "step": status.get("step", record.run["step"]),
        "updated_at": record.updated_at,
    }


def history_view(record: RunRecord) -> dict[str, Any]:
    """The answer of GET runs/{id}/history: the steps in order, and what became of each event.

    Steps from before the last continue-as-new are shown from the carried trail, without times and patches.
    """
    followed = _followed(record)
    details: dict[int, list[tuple[Mapping[str, Any], Mapping[str, Any]]]] = {}
    for event, result in followed.results:
        if not result.get("missing"):
            details.setdefault(result["step"], []).append((event, result))
    steps = []
    for entry in followed.traversal.run["trail"]:
        steps += _steps(dict(entry), details.pop(entry["step"], []))
    for step in sorted(details):  # under way, or ended by an error
        steps += _steps({"step": step, "node": details[step][-1][1]["node"]}, details[step])
    first = steps[0]["step"] if steps else record.run["step"]
    events = [_event(event, applied) for event, applied in followed.events]
    return {"id": record.id, "steps_not_shown": first, "steps": steps, "events": events}


def _followed(record: RunRecord) -> Followed:
    return follow(record.id, record.run, record.history)


def _steps(entry: dict[str, Any], results: list[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[dict[str, Any]]:
    """One step; a parallel shows its branches first, a map counts its items, failed attempts are counted."""
    step: dict[str, Any] = {"step": entry["step"], "node": entry["node"]}
    branches = [_branch(event, result) for event, result in results if "branch" in result]
    own = [(event, result) for event, result in results if "branch" not in result and "item" not in result]
    items = [result for _, result in results if "item" in result]
    if own:
        event, result = own[-1]
        step["started_at"] = own[0][0].get("ScheduledTime")
        step |= {key: result[key] for key in ("patch", "unset", "event", "error") if key in result}
        step["finished_at"] = event.get("Timestamp")
    if len(own) > 1:
        step["attempts"] = len(own)
    if items:
        step["items"] = len({result["item"] for result in items})
    step.setdefault("finished_at", entry.get("at"))
    step.update({key: entry[key] for key in ("to", "note", "items") if key in entry})
    if "events" in entry:
        step["waits_for"] = entry["events"]
    return [*sorted(branches, key=lambda branch: str(branch["node"])), step]


def _branch(event: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, Any]:
    times = {"started_at": event.get("ScheduledTime"), "finished_at": event.get("Timestamp")}
    kept = {key: result[key] for key in ("patch", "writes", "error", "attempt") if key in result}
    return {"step": result["step"], "node": result["node"], "branch": True, **times, **kept}


def _event(event: Mapping[str, Any], applied: bool) -> dict[str, Any]:
    address = str(event.get("Name"))
    name = address.rpartition(".")[0] or address
    return {"event": name, "at": event.get("Timestamp"), "outcome": "applied" if applied else "discarded"}


def _error(record: RunRecord) -> dict[str, Any] | None:
    if record.status != "failed":
        return None
    error = record.custom_status.get("error")
    return error if isinstance(error, dict) else {"type": "OrchestrationFailed", "message": str(record.output)}
