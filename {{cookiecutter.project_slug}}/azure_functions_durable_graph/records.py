"""A run as its host reports it, and what people see of it: state, path, open waits. Floor 4.

Pure: a record in, plain JSON out. The state of a live run is not stored anywhere by itself; it is the start state
with the patches of the history folded in.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .decisions import RouteAction, RouteDecision, decision_after
from .messages import NodeResult, OpenWait, PlanNode, RunInput
from .names import ACTIVITY, wait_address
from .states import patched

FINISHED = {"Completed": "completed", "Failed": "failed", "Terminated": "cancelled", "Canceled": "cancelled"}
"""Runtime status of the Durable engine -> status of a run, for runs that are over."""

LIVE = {"Pending": "pending", "Running": "running", "ContinuedAsNew": "running", "Suspended": "suspended"}


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

    @property
    def finished(self) -> bool:
        """Whether the run is over."""
        return self.runtime_status in FINISHED

    @property
    def waits(self) -> list[OpenWait]:
        """The events that the run asks for now."""
        return [] if self.finished else list(self.custom_status.get("waits", ()))

    @property
    def settled(self) -> bool:
        """Whether the run goes on only with help from outside: finished, waiting, parked or suspended."""
        return self.status not in ("pending", "running")

    @property
    def status(self) -> str:
        """pending, running, waiting, parked, suspended, completed, failed or cancelled."""
        if self.finished:
            return FINISHED[self.runtime_status]
        status = LIVE.get(self.runtime_status, "running")
        if status == "running":
            status = "waiting" if self.waits else "parked" if self.custom_status.get("parked") else status
        return status


_AT_WORK = frozenset({"Running", "ContinuedAsNew"})

STATUSES: dict[str, frozenset[str]] = {
    "pending": frozenset({"Pending"}),
    "running": _AT_WORK,
    "waiting": _AT_WORK,
    "parked": _AT_WORK,
    "suspended": frozenset({"Suspended"}),
    "completed": frozenset({"Completed"}),
    "failed": frozenset({"Failed"}),
    "cancelled": frozenset({"Terminated", "Canceled"}),
}
"""Status of a run -> the runtime statuses that such a run can have in the engine."""


def run_line(record: RunRecord) -> dict[str, Any]:
    """A run in a list: no payloads."""
    view = run_view(record)
    return {key: view[key] for key in ("id", "graph", "version", "graph_hash", "status", "node", "step", "updated_at")}


def run_view(record: RunRecord) -> dict[str, Any]:
    """The answer of GET runs/{id}. `state` is the newest known one, `output` is set once the run has completed."""
    plan = record.run["plan"]
    completed = record.status == "completed"
    view: dict[str, Any] = {
        "id": record.id,
        "graph": plan["graph"],
        "version": record.custom_status.get("version", plan["version"]),
        "graph_hash": record.custom_status.get("hash", plan["hash"]),
        "status": record.status,
        "node": record.custom_status.get("node", record.run["node"]),
        "step": record.custom_status.get("step", record.run["step"]),
        "waits": [{"event": wait["event"], "resume_node": wait["resume_node"]} for wait in record.waits],
        "input": record.run["input"],
        "metadata": record.run["metadata"],
        "state": record.output if completed else current_state(record),
        "output": record.output if completed else None,
        "error": _error(record),
        "started_at": record.run["started_at"],
        "updated_at": record.updated_at,
    }
    for key in ("note", "parked"):
        if record.custom_status.get(key):
            view[key] = record.custom_status[key]
    if record.status == "cancelled":
        view["reason"] = record.output
    return view


def current_state(record: RunRecord) -> dict[str, Any]:
    """The start state of this generation with every patch of the history applied."""
    state = record.run["state"]
    for _, result in _results(record):
        if "patch" in result:
            state = patched(state, result["patch"], result.get("unset"))
    return state


def history_view(record: RunRecord) -> dict[str, Any]:
    """The answer of GET runs/{id}/history: the steps in order, and what became of each event.

    Steps from before the last continue-as-new are shown from the carried trail, without times and patches.
    """
    steps = [_carried(dict(entry)) for entry in record.run["trail"]]
    asked = {wait_address(entry["event"], entry["step"]) for entry in record.run["trail"] if "event" in entry}
    nodes = record.run["plan"]["nodes"]
    for event, result in _results(record):
        nodes = result["plan"]["nodes"] if "plan" in result else nodes
        step = _step(nodes, event, result)
        if step is not None:
            steps.append(step)
            if "waits_for" in step:
                asked.add(wait_address(step["waits_for"], step["step"]))
    first = steps[0]["step"] if steps else record.run["step"]
    return {"id": record.id, "steps_not_shown": first, "steps": steps, "events": _events(record, asked)}


def _carried(entry: dict[str, Any]) -> dict[str, Any]:
    entry["finished_at"] = entry.pop("at")
    if "event" in entry:
        entry["waits_for"] = entry.pop("event")
    return entry


def _results(record: RunRecord) -> list[tuple[Mapping[str, Any], NodeResult]]:
    return [
        (event, event["Result"])
        for event in record.history
        if event.get("EventType") == "TaskCompleted"
        and event.get("FunctionName", ACTIVITY) == ACTIVITY
        and isinstance(event.get("Result"), dict)
        and "node" in event["Result"]
    ]


def _step(nodes: Mapping[str, PlanNode], event: Mapping[str, Any], result: NodeResult) -> dict[str, Any] | None:
    if result.get("missing"):
        return None
    step: dict[str, Any] = {
        "step": result["step"],
        "node": result["node"],
        "started_at": event.get("ScheduledTime"),
        "finished_at": event.get("Timestamp"),
    }
    step.update({key: value for key, value in result.items() if key in ("patch", "unset", "event", "error")})
    if "error" not in result:
        step.update(_onward(decision_after(nodes[result["node"]], result)))
    return step


def _onward(decision: RouteDecision) -> dict[str, str]:
    onward = {"to": decision.target, "note": decision.note, "waits_for": None}
    if decision.action is RouteAction.WAIT_FOR_EVENT:
        onward["waits_for"] = decision.event_name
    return {key: value for key, value in onward.items() if value}


def _events(record: RunRecord, asked: set[str]) -> list[dict[str, Any]]:
    """Each event that reached the run; the first under an address that was asked for is applied, others are not."""
    events = []
    for event in record.history:
        if event.get("EventType") == "EventRaised":
            address = str(event.get("Name"))
            events.append(
                {
                    "event": address.rpartition(".")[0] or address,
                    "at": event.get("Timestamp"),
                    "outcome": "applied" if address in asked else "discarded",
                }
            )
            asked = asked - {address}
    return events


def _error(record: RunRecord) -> dict[str, Any] | None:
    if record.status != "failed":
        return None
    error = record.custom_status.get("error")
    if isinstance(error, dict):
        return error
    for _, result in reversed(_results(record)):
        if "error" in result:
            return {**result["error"], "node": result["node"], "step": result["step"]}
    return {"type": "OrchestrationFailed", "message": str(record.output)}
