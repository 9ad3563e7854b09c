"""How a run ends what it needs no more, and how parts of a map tell what they have and hear that it is enough.

SDK 1.7 lets an orchestrator neither end a child nor send an event: an activity with a durable client does both. Any run
is terminated, but for a part of a map: it is asked to end, so that what it has is not lost. Where a map stops after
so many successes, its parts tell theirs as they come, a hundredth of what is needed at a time: so the runs that wait
for a slow item hide none, and no history grows with the number.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from ..graph.names import STOP, wait_address
from .children import Child
from .crowds import Member
from .policy import stop_when_of
from .ports import DurableTask, Steps
from .raised import opened
from .traversal import Traversal

LATE = "late"
"""What a part hears that is asked to end at the deadline."""

TELLINGS = 100
"""In how many portions successes are told: they bound the events of a run, whatever is needed."""


class CalledOff:
    """In a part of a map that may be stopped: whether the run that began it needs no more of it."""

    def __init__(self, traversal: Traversal) -> None:
        self.heard = self.late = False
        self._traversal = traversal

    def listen(self) -> list[DurableTask]:
        """The event, which a generation awaits once."""
        traversal = self._traversal
        if "stop_when" not in traversal.run.get("share", {}):
            return []
        if traversal.called_off is None:
            address = wait_address(STOP, traversal.run["step"])
            traversal.called_off = traversal.context.wait_for_external_event(address)
        return [traversal.called_off]

    def hears(self, winner: DurableTask) -> bool:
        """Whether this is the event that has come."""
        if winner is not self._traversal.called_off:
            return False
        _, why = opened(winner.result)
        self.heard, self.late = True, why == LATE
        return True


class Ears:
    """What open parts have told of their successes."""

    def __init__(self, traversal: Traversal) -> None:
        self._traversal = traversal
        self._events: dict[str, DurableTask] = {}
        self._heard: dict[str, tuple[int, int]] = {}

    @property
    def told(self) -> int:
        """The successes in parts that are still open."""
        return sum(succeeded for _, succeeded in self._heard.values())

    def listen(self, members: Mapping[str, Member]) -> list[DurableTask]:
        """An event for each of these members that tells."""
        for key, member in members.items():
            if isinstance(member, Child) and member.tells and key not in self._events:
                times, _ = self._heard.setdefault(key, (0, 0))
                address = told_address(member.id, times)
                self._events[key] = self._traversal.context.wait_for_external_event(address)
        return [self._events[key] for key in members if key in self._events]

    def hears(self, winner: DurableTask) -> bool:
        """Whether this is such an event; what it says replaces what the same part has told before."""
        key = next((key for key, event in self._events.items() if event is winner), None)
        if key is None:
            return False
        del self._events[key]
        times, before = self._heard[key]
        _, said = opened(winner.result)
        self._heard[key] = (times + 1, said if isinstance(said, int) else before)
        return True

    def close(self, key: str) -> None:
        """A part has given its results, which say everything."""
        self._events.pop(key, None)
        self._heard.pop(key, None)


def told_address(part: str, times: int) -> str:
    """The durable event name under which a part tells for the so-manieth time."""
    return wait_address(f"{STOP}.{part}", times)


def tell(traversal: Traversal, succeeded: int) -> Steps[None]:
    """In a part of a map that stops after so many successes: tell the run above of those that it has not heard of."""
    needed = stop_when_of(traversal)
    if "share" not in traversal.run or not isinstance(needed, int) or succeeded >= needed:
        return  # a part that has them all ends, and its results say it
    times, before = traversal.run.get("told", [0, 0])
    if succeeded - before < max(1, needed // TELLINGS):
        return
    address = told_address(traversal.context.instance_id, times)
    told = {"raise": [traversal.run["share"]["above"]], "address": address, "payload": succeeded}
    if (yield from _ask(traversal, told)) is not None:
        traversal.run["told"] = [times + 1, succeeded]


def ask_to_end(traversal: Traversal, members: Iterable[Member], late: bool) -> Steps[list[str]]:
    """End these runs, or ask them to end, since it is too `late`, or enough. Nodes at work end by themselves.

    Returns those that may start other runs before they have ended.
    """
    runs = [member for member in members if isinstance(member, Child)]
    answer: dict[str, Any] | None = None
    if runs:
        call = {
            "stop": [run.id for run in runs if not run.ends],
            "raise": [run.id for run in runs if run.ends],
            "address": wait_address(STOP, traversal.run["step"]),
            "payload": LATE if late else "",
        }
        answer = yield from _ask(traversal, call)
    return list((answer or {}).get("lively", ()))


def end_what_they_started(traversal: Traversal, ended: list[str]) -> Steps[None]:
    """End what these runs, which have ended, may have started while they were being ended."""
    if ended:
        yield from _ask(traversal, {"stop": ended})


def _ask(traversal: Traversal, asked: Mapping[str, Any]) -> Steps[dict[str, Any] | None]:
    """The activity's answer; None where it failed: what it has not done is asked again later."""
    run = traversal.run
    reason = f"{run['node']} no longer needs it"
    call = {"node": run["node"], "step": run["step"], "stop": [], **asked, "reason": reason}
    traversal.turns += 1
    try:
        answer = yield traversal.context.call_activity(STOP, call)
    except Exception:
        return None
    return answer if isinstance(answer, dict) else {}
