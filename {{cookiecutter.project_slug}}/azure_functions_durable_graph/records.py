"""A run as its host reports it, and what people see of it: state, path, open waits. Floor 9.

Pure: a record in, plain JSON out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from .driver import Followed, follow
from .messages import OpenWait, RunInput

FINISHED = {"Completed": "completed", "Failed": "failed", "Terminated": "cancelled", "Canceled": "cancelled"}
"""Runtime status of the Durable engine -> status of a run, for runs that are over."""

LIVE = {"Pending": "pending", "Running": "running", "ContinuedAsNew": "running", "Suspended": "suspended"}

_AT_WORK = frozenset({"Running", "ContinuedAsNew"})

STATUSES: dict[str, frozenset[str]] = {
    "pending": frozenset({"Pending"}),
    "running": _AT_WORK,
    "waiting": _AT_WORK,
    "sleeping": _AT_WORK,
    "parked": _AT_WORK,
    "suspended": frozenset({"Suspended"}),
    "completed": frozenset({"Completed"}),
    "failed": frozenset({"Failed", "Completed"}),
    "cancelled": frozenset({"Terminated", "Canceled"}),
}
"""Status of a run -> the runtime statuses that such a run can have in the engine. A failed child is Completed there."""


@dataclass(frozen=True)
class RunRecord:
    """One run. `history` holds the engine's history events (names, not numbers), or nothing if not asked for."""

    id: str
    runtime_status: str
    run: RunInput
    custom_status: Mapping[str, Any]
    output: Any
    created_at: str | None
    updated_at: str | None
    history: Sequence[Mapping[str, Any]] = ()
    child_waits: tuple[OpenWait, ...] = ()

    @property
    def finished(self) -> bool:
        """Whether the run is over."""
        return self.runtime_status in FINISHED

    @property
    def waits(self) -> list[OpenWait]:
        """The events that the run asks for now, its own first, then those of the runs that it has started."""
        return [] if self.finished else [*self.custom_status.get("waits", ()), *self.child_waits]

    @property
    def children(self) -> list[str]:
        """The ids of the runs that this run waits for."""
        return [] if self.finished else [child["id"] for child in self.custom_status.get("children", ())]

    def with_waits_of(self, children: Sequence[RunRecord]) -> RunRecord:
        """The record with the open waits of the children."""
        return replace(self, child_waits=tuple(wait for child in children for wait in child.waits))

    @property
    def settled(self) -> bool:
        """Whether the run goes on only with help from outside or with time: finished, waiting, parked, suspended."""
        return self.status not in ("pending", "running")

    @property
    def status(self) -> str:
        """pending, running, waiting, sleeping, parked, suspended, completed, failed or cancelled."""
        if self.finished:
            return "failed" if self.custom_status.get("error") else FINISHED[self.runtime_status]
        status = LIVE.get(self.runtime_status, "running")
        if status != "running":
            return status
        if self.waits:
            return "waiting"
        keys = {"parked": "parked", "sleeps_until": "sleeping", "retry": "sleeping"}
        return next((value for key, value in keys.items() if self.custom_status.get(key)), status)

    @property
    def final_state(self) -> Any:
        """The output of a run that has completed: its state."""
        return self.output.get("state") if self.run.get("child") and isinstance(self.output, dict) else self.output


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
        "state": record.final_state if completed else _followed(record).cursor.run["state"],
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
    for entry in followed.cursor.run["trail"]:
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
