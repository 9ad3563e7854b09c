"""One run on a test's host, as the test sees it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from ...graph.states import dump_to_send, load
from ...history.record import RunRecord
from ...http.deleting import delete_run
from ...http.events import post_event
from ...http.repeating import restart_run, retry_run
from ...http.runs import get_history, get_run
from ...http.steering import cancel_run, resume_run, suspend_run

if TYPE_CHECKING:
    from .graph_host import GraphHost


SENDING = "0.1"
"""Seconds that an event waits in a test: a few looks at what the run has taken."""


class GraphRun:
    """One run in a test. Every property shows the run as it is now."""

    def __init__(self, host: GraphHost, run_id: str) -> None:
        self.host = host
        self.id = run_id

    def __repr__(self) -> str:
        """How the run stands: `<GraphRun id='a' waiting at review for manager_approval>`."""
        try:
            record = self.host.peek(self.id)
        except Exception:  # a closed host, say: a repr is what people see while something else is wrong
            record = None
        return f"<GraphRun id={self.id!r} {'unavailable' if record is None else _standing(record)}>"

    @property
    def status(self) -> str:
        """pending, running, waiting, sleeping, parked, suspended, completed, failed or cancelled.

        It is typed as `str`: with a Literal, type checkers would assume that the status which one assert has seen never
        changes.
        """
        return str(self._view()["status"])

    @property
    def path(self) -> list[str]:
        """The nodes that have run, in order; a node that failed the run comes last."""
        return [step["node"] for step in self.steps]

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps with patch, decision and error, as GET runs/{id}/history shows them."""
        return list(self.host.call(get_history, {"id": self.id})["steps"])

    @property
    def events(self) -> list[dict[str, Any]]:
        """Each event that reached the run, and whether it was applied or discarded."""
        return list(self.host.call(get_history, {"id": self.id})["events"])

    @property
    def state(self) -> Any:
        """The current state, as an instance of the graph's state model."""
        view = self._view()
        return load(self.host.registration_of(view["graph"], view["graph_hash"]).state_model, view["state"])

    @property
    def waits(self) -> list[str]:
        """The events that the run is waiting for."""
        return [wait["event"] for wait in self._view()["waits"]]

    @property
    def error(self) -> dict[str, Any] | None:
        """Why the run failed: type, message, node and step."""
        error: dict[str, Any] | None = self._view()["error"]
        return error

    @property
    def progress(self) -> list[dict[str, Any]]:
        """What the run's nodes have reported by `context.progress`, in order: node, step, attempt, value.

        In a test every report is kept, and stays after its node has ended. Reports of branches and items name them.
        """
        return list(self.host.reports.by_run.get(self.id, ()))

    @property
    def view(self) -> dict[str, Any]:
        """The whole response of GET runs/{id}."""
        return self._view()

    def send(self, event: str, payload: Any = None, *, key: str | None = None, wait_id: str | None = None) -> GraphRun:
        """Post an event and let the run continue. Raises Problem (409, 410, 422) if the run does not take it.

        `payload` is a model or a JSON value; TypeError for anything else, PayloadError for a model that hides a field.
        `key` is the Idempotency-Key: an event that is sent again under its key counts once. `wait_id` picks one of
        several waits.
        """
        self.post(event, payload, key=key, wait_id=wait_id)
        return self

    def post(
        self, event: str, payload: Any = None, *, key: str | None = None, wait_id: str | None = None
    ) -> dict[str, Any]:
        """Like `send`, but returns what the HTTP route answers: with `outcome`, `event_id` and `step`."""
        if isinstance(payload, BaseModel):
            payload = dump_to_send(payload)
        query = {"wait": SENDING, **({} if wait_id is None else {"wait_id": wait_id})}
        body = {} if payload is None else payload
        params = {"id": self.id, "event": event}
        answer: dict[str, Any] = self.host.call(post_event, params, body, query=query, key=key)
        return answer

    def cancel(self, reason: str = "cancelled by the test") -> GraphRun:
        """Cancel the run."""
        self.host.call(cancel_run, {"id": self.id}, {"reason": reason})
        return self

    def suspend(self) -> GraphRun:
        """Suspend the run: no node begins, and what arrives is kept, until it is resumed."""
        self.host.call(suspend_run, {"id": self.id}, {"reason": "suspended by the test"})
        return self

    def resume(self) -> GraphRun:
        """Resume a suspended run."""
        self.host.call(resume_run, {"id": self.id}, {"reason": "resumed by the test"})
        return self

    def restart(self, node: str | None = None, state: Any = None, *, key: str | None = None) -> GraphRun:
        """Start the run again and return the new run: with the same input, or from a node that the run has visited.

        `state` is a model or a dict, to start from the node with a state other than the recorded one.
        """
        if isinstance(state, BaseModel):
            state = dump_to_send(state)
        body = {name: value for name, value in (("node", node), ("state", state)) if value is not None}
        return GraphRun(self.host, self.host.call(restart_run, {"id": self.id}, body, key=key)["id"])

    def retry(self, *, key: str | None = None) -> GraphRun:
        """Continue a failed run from the node that failed, as a new run, and return that."""
        return GraphRun(self.host, self.host.call(retry_run, {"id": self.id}, key=key)["id"])

    def delete(self) -> None:
        """Delete the run, which must have finished, with its history and all runs that it started."""
        self.host.call(delete_run, {"id": self.id})

    @property
    def decisions(self) -> list[tuple[str, list[str]]]:
        """Each step that led to others, with the nodes it led to, in order."""
        return [(step["node"], step["to"]) for step in self.steps if step.get("to")]

    @property
    def attempts(self) -> dict[str, int]:
        """How often each node was attempted in its last visit."""
        return {step["node"]: step.get("attempts", 1) for step in self.steps}

    def send_at(self, after: timedelta, event: str, payload: Any = None) -> GraphRun:
        """Post an event once this much time has passed: early, late or just in time. `advance` makes time pass."""
        self.host.at(after, lambda: self.send(event, payload))
        return self

    @property
    def branches(self) -> dict[str, GraphRun]:
        """The branches of the last parallel that run as runs of their own, by name; a branch of one task does not."""
        found = [step for step in self.steps if step.get("branch")]
        last = [step for step in found if step["step"] == found[-1]["step"]]
        return {step["node"]: GraphRun(self.host, step["child"]) for step in last if "child" in step}

    @property
    def items(self) -> dict[int, GraphRun]:
        """The runs that maps of this run have started for their items, by index: of each the last attempt."""
        found = (self.host.peek(run_id) for run_id in self.host.run_ids())
        runs = [record for record in found if record is not None and record.run.get("item", {}).get("run") == self.id]
        return {record.run["item"]["index"]: GraphRun(self.host, record.id) for record in runs}

    def advance(self, span: timedelta) -> GraphRun:
        """Let time pass on the run's host: `run.advance(timedelta(hours=2))`."""
        self.host.advance(span)
        return self

    def _view(self) -> dict[str, Any]:
        view: dict[str, Any] = self.host.call(get_run, {"id": self.id})
        return view


def _standing(record: RunRecord) -> str:
    """Status, node and what the run needs, in a few words."""
    status, node = record.custom_status, record.custom_status.get("node", record.run["node"])
    text = record.status if record.status == "completed" else f"{record.status} at {node}"
    if record.waits:
        text += f" for {', '.join(wait['event'] for wait in record.waits)}"
    if record.status == "failed":
        error = status.get("error", {})
        text += f": {error.get('type')}: {str(error.get('message'))[:200]}"
    return text + (
        f" until {status['sleeps_until']}" if record.status == "sleeping" and "sleeps_until" in status else ""
    )
