"""A run as its host reports it: runtime status, custom status, history, and the status of a run that follows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar, cast

from ..graph.names import Status
from ..run.messages import OpenWait, RunInput
from ..run.status import run_status

FINISHED: dict[str, Status] = {
    "Completed": "completed",
    "Failed": "failed",
    "Terminated": "cancelled",
    "Canceled": "cancelled",
}
"""Runtime status of the Durable engine -> status of a run, for runs that are over."""

LIVE: dict[str, Status] = {
    "Pending": "pending",
    "Running": "running",
    "ContinuedAsNew": "running",
    "Suspended": "suspended",
}

_AT_WORK = frozenset({"Running", "ContinuedAsNew"})

STATUSES: dict[Status, frozenset[str]] = {
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

_SAID: tuple[tuple[str, Status], ...] = (("parked", "parked"), ("sleeps_until", "sleeping"), ("retry", "sleeping"))
"""What a custom status says of a run that is running for the engine; the first that is set counts."""

Head = TypeVar("Head", bound="RunHead")


@dataclass(frozen=True)
class RunHead:
    """What a list knows of a run: no input, no history. `custom_status` has the shape of RunStatus.

    `open_children` are the runs that it waits for, as far as they were read: each after the run itself.
    """

    id: str
    runtime_status: str
    custom_status: Mapping[str, Any]
    output: Any
    created_at: str | None
    updated_at: str | None
    open_children: tuple[RunHead, ...] = ()

    @property
    def said(self) -> Mapping[str, Any]:
        """The run's status, from its start on."""
        return self.custom_status

    @property
    def finished(self) -> bool:
        """Whether the run is over."""
        return self.runtime_status in FINISHED

    @property
    def is_part(self) -> bool:
        """Whether it is a part of another run: one of its branches, or of the groups of a map."""
        return "part_of" in self.said

    @property
    def started_at(self) -> str | None:
        """When the run was started; when its generation began, where its status does not say more."""
        return self.said.get("started_at") or self.created_at

    @property
    def own_waits(self) -> list[OpenWait]:
        """The events that the run itself asks for now."""
        return [] if self.finished else list(self.custom_status.get("waits", ()))

    @property
    def waits(self) -> list[OpenWait]:
        """The events that the run asks for now, its own first, then those of the runs that it has started."""
        return [wait for run in self.tree() for wait in run.own_waits]

    @property
    def children(self) -> list[str]:
        """The ids of the runs that this run waits for."""
        return [] if self.finished else self.started

    @property
    def started(self) -> list[str]:
        """The ids of the runs that this run waits for, or waited for when it was terminated."""
        return [child["id"] for child in self.custom_status.get("children", ())]

    @property
    def is_child(self) -> bool:
        """Whether another run has started it, as far as is known."""
        return True

    def tree(self: Head) -> Iterator[Head]:
        """The run, and all runs below it that are open."""
        yield self
        for child in self.open_children:
            yield from cast("Head", child).tree()

    def with_children(self: Head, children: Sequence[RunHead]) -> Head:
        """The run with what is known of the runs that it waits for."""
        return replace(self, open_children=tuple(children))

    @property
    def status(self) -> Status:
        """How the run stands; one that only waits for runs that it has started, as the first that does not go on."""
        if self.finished:
            return "failed" if self.custom_status.get("error") else FINISHED[self.runtime_status]
        status = LIVE.get(self.runtime_status, "running")
        if status != "running":
            return status
        if self.waits:
            return "waiting"
        said = next((said for key, said in _SAID if self.custom_status.get(key)), status)
        stand = [child.status for child in self.open_children if not child.finished]
        return said if said != "running" else next((one for one in ("parked", "suspended") if one in stand), said)

    @property
    def is_idle(self) -> bool:
        """Whether the run goes on only with help from outside or with time: finished, waiting, parked, suspended."""
        return self.status not in ("pending", "running")


@dataclass(frozen=True, kw_only=True)
class RunRecord(RunHead):
    """One run. `history` holds the engine's history events (names, not numbers), or nothing if not asked for.

    `run` and `custom_status` have the shapes of RunInput and RunStatus: `instances` sees to that.
    """

    run: RunInput
    history: Sequence[Mapping[str, Any]] = ()
    open_children: tuple[RunRecord, ...] = ()

    @property
    def said(self) -> Mapping[str, Any]:
        """The run's status, from its start on."""
        return {**run_status(self.run), **self.custom_status}

    @property
    def is_child(self) -> bool:
        """Whether another run has started it."""
        return bool(self.run.get("child"))

    @property
    def progress(self) -> dict[str, int] | None:
        """How many branches or items are done, of how many, and how many of them have failed, with the run's parts.

        A run that has just ended, and is still listed, is not among those that its parent has counted.
        """
        told = self.custom_status.get("fan_out")
        if not isinstance(told, dict) or not isinstance(told.get("done"), int):
            return None
        members = [child for child in self.open_children if not _MEMBERS.isdisjoint(child.run)]
        parts = [_done_in(child) for child in members]
        done = told["done"] + sum(done for done, _ in parts)
        failed = _number(told.get("failed")) + sum(failed for _, failed in parts)
        return {**told, "done": done, **({"failed": failed} if failed else {})}

    @property
    def taken(self) -> list[tuple[int, str]]:
        """The answers that the run has taken, oldest first: step of the wait, id of the event.

        They are complete while the run asks for something. One that has just ended may have taken more from children.
        """
        entries = [*self.run.get("taken", ()), *self.custom_status.get("taken", ())]
        return list(dict.fromkeys((step, event_id) for step, event_id in entries))

    @property
    def step(self) -> int:
        """The steps that the run has taken."""
        return max(self.run["step"], int(self.custom_status.get("step", 0)))

    @property
    def final_state(self) -> Any:
        """The output of a run that has completed: its state."""
        return self.output.get("state") if self.run.get("child") and isinstance(self.output, dict) else self.output


_MEMBERS = frozenset({"branch", "share", "item"})
"""What marks a run as one of those that a parallel or a map has begun at once."""


def _done_in(part: RunRecord) -> tuple[int, int]:
    """How much a branch, an item or a part of a map has done, and how much of it has failed."""
    if "share" not in part.run:
        return int(part.finished), int(part.finished and part.status != "completed")
    if not part.finished:
        told = part.progress or {"done": 0}
        return told["done"], _number(told.get("failed"))
    items = len(part.run["share"]["items"])
    results = part.output.get("results") if isinstance(part.output, dict) else None
    if not isinstance(results, list):  # it was lost, and all its items with it
        return items, items
    return items, sum(isinstance(one, dict) and "error" in one for one in results)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
