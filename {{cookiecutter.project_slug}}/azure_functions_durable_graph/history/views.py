"""What people see of a run: its state, its place in a list, its steps. A record in, plain JSON out."""

from __future__ import annotations

from typing import Any

from ..run.messages import OpenWait
from ..run.raised import decoded, opened
from .record import RunHead, RunRecord
from .steps import history_steps
from .walk import Followed, SeenEvent, follow

_WAIT_KEYS = ("event", "resume_node", "deadline")

LONGEST_LINE = 300

_DETAILS = ("part_of", "note", "parked", "sleeps_until", "retry", "fan_out", "children")


def run_view(record: RunRecord) -> dict[str, Any]:
    """The answer of GET runs/{id}. `state` is the newest known one, `output` is set once the run has completed.

    `incomplete` says why `state` may be older than the run, where its history could not be followed to the end.
    """
    completed = record.status == "completed"
    followed = None if completed else _followed(record)
    view: dict[str, Any] = {
        **run_line(record),
        "waits": [wait_line(record, run, wait) for run in record.tree() for wait in run.own_waits],
        "input": record.run["input"],
        "metadata": record.run["metadata"],
        "state": record.final_state if followed is None else followed.traversal.run["state"],
        "output": record.final_state if completed else None,
        "error": _error(record),
    }
    if "origin" in record.run:
        view["origin"] = record.run["origin"]
    view.update({key: record.custom_status[key] for key in _DETAILS if record.custom_status.get(key)})
    if record.progress is not None:
        view["fan_out"] = record.progress
    if record.status == "parked":
        view["parked"] = next(run.custom_status["parked"] for run in record.tree() if run.custom_status.get("parked"))
    if record.status == "cancelled":
        view["reason"] = record.output
    return view if followed is None else _with_reason(view, followed)


def wait_id(record: RunRecord, asking: RunRecord, wait: OpenWait) -> str:
    """How an open wait is named in what is shown of a run: by its address, below the child that asks."""
    return wait["address"] if asking.id == record.id else f"{asking.id}/{wait['address']}"


def wait_line(record: RunRecord, asking: RunRecord, wait: OpenWait) -> dict[str, Any]:
    """An open wait as it is shown: its id, what is asked, and how. `run` is the child that asks."""
    line: dict[str, Any] = {"id": wait_id(record, asking, wait)}
    line |= {key: wait[key] for key in _WAIT_KEYS if key in wait}  # type: ignore[literal-required]
    if asking.id != record.id:
        line["run"] = asking.id
    if asking.custom_status.get("prompt") is not None:
        line["prompt"] = asking.custom_status["prompt"]
    return line


def run_line(head: RunHead) -> dict[str, Any]:
    """What a list and a run have in common: no payloads."""
    said = head.said
    return {
        "id": head.id,
        "graph": said["graph"],
        "version": said["version"],
        "graph_hash": said["hash"],
        "status": head.status,
        "node": said["node"],
        "step": said["step"],
        "tags": said.get("tags", {}),
        "started_at": head.started_at,
        "updated_at": head.updated_at,
    }


def list_line(head: RunHead) -> dict[str, Any]:
    """A run in a list, with the first line of the error that it has failed with."""
    error = _error(head)
    text = None if error is None else f"{error.get('type')}: {error.get('message')}".strip().partition("\n")[0]
    return {**run_line(head), "error": text if text is None else text[:LONGEST_LINE]}


def history_view(record: RunRecord) -> dict[str, Any]:
    """The answer of GET runs/{id}/history: the steps in order, and what became of each event.

    `state` is the one with which the first of the steps that have a patch began, so that the patches of the steps give
    each later one. Steps from before the last continue-as-new are shown from the carried trail, without times and
    patches, and of the events before it those that were discarded, the last 25.
    """
    followed = _followed(record)
    steps = history_steps(followed)
    first = steps[0]["step"] if steps else record.run["step"]
    before = [{**seen, "outcome": "discarded"} for seen in record.run.get("discarded", ())]
    answer = {
        "id": record.id,
        "status": record.status,
        "steps_not_shown": first,
        "state": record.run["state"],
        "steps": steps,
        "events": [*before, *(_event(event) for event in followed.events)],
    }
    return _with_reason(answer, followed)


def _followed(record: RunRecord) -> Followed:
    return follow(record.id, record.run, record.history)


def _with_reason(view: dict[str, Any], followed: Followed) -> dict[str, Any]:
    return view if followed.incomplete is None else {**view, "incomplete": followed.incomplete}


def _event(seen: SeenEvent) -> dict[str, Any]:
    line = {
        "event": seen.name,
        "at": seen.event.get("Timestamp"),
        "outcome": "applied" if seen.applied else "discarded",
    }
    if seen.step is None:
        return line
    event_id, payload = opened(decoded(seen.event.get("Input")))
    named = {"event_id": f"{seen.event.get('Name')}.{event_id}"} if event_id else {}
    return {**line, "step": seen.step, **named, "payload": payload}


def _error(record: RunHead) -> dict[str, Any] | None:
    if record.status != "failed":
        return None
    error = record.custom_status.get("error")
    return error if isinstance(error, dict) else {"type": "OrchestrationFailed", "message": str(record.output)}
