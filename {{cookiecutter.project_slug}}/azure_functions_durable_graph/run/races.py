"""A crowd that is watched: the next member begins as soon as one is done, and what is left at the end is stopped.

An orchestrator cannot end a child in SDK 1.7, so an activity with a durable client does. A node at work ends by itself;
a part of a map ends what it has begun, and gives what it has. The host sees only the new tasks of a compound, so old
ones are raced again beside a new timer, which is cancelled when one of them wins (see `waiting`).
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from ..graph.policies import may_retry, pause_after
from .children import Child
from .crowds import Crowd, Member, begin_member, file_result, open_runs, result_of
from .limits import LONGEST_TIMER
from .messages import FanOut, NodeResult
from .ports import DurableTask, DurableTimer, Steps
from .stops import CalledOff, Ears, ask_to_end, end_what_they_started, tell
from .traversal import Traversal

STOP_AGAIN, STOP_LONGEST = timedelta(minutes=1), timedelta(hours=1)
"""When runs that have not ended are stopped again: one that had not begun could not be stopped. The pause doubles up to
the longest: a part that somebody has suspended does not hear, and the history would grow."""


class Race:
    """What is left of a crowd, run to its end: `fan` gets the results.

    One that was stopped has `stopped`, one that was too late an error. `missing` is a result that lacked its version:
    from then on nothing more begins, and what it should have done is left.
    """

    def __init__(self, traversal: Traversal, crowd: Crowd, fan: FanOut) -> None:
        self.missing: NodeResult | None = None
        self._traversal, self._crowd, self._fan = traversal, crowd, fan
        self._left = [key for key in crowd.keys if key not in fan["done"]]
        self._members: dict[str, Member] = {}
        self._tasks: dict[str, DurableTask] = {}
        self._pauses: dict[str, tuple[DurableTimer, datetime | None]] = {}
        self._retried: dict[str, Any] = {}
        self._ears, self._called_off = Ears(traversal), CalledOff(traversal)
        self._is_shown = False

    def run(self) -> Steps[None]:
        """Run until all are done, or enough of them, or it is too late, or somebody calls it off."""
        late = yield from self._until_enough()
        if self._is_over(late):
            yield from self._end(late or self._called_off.late)

    def _is_over(self, late: bool) -> bool:
        return late or self._called_off.heard or self._is_enough()

    def _is_enough(self) -> bool:
        if self._crowd.enough is None:
            return False
        succeeded, failed = self._counts()
        return self._crowd.enough(succeeded, failed)

    def _is_late(self) -> bool:
        return self._crowd.until is not None and self._traversal.now() >= self._crowd.until

    def _until_enough(self) -> Steps[bool]:
        """Whether it has become too late."""
        while not self._is_over(late=False):
            self._begin_next()
            if not self._tasks and not self._pauses:
                return bool(self._left) and self._is_late()
            self._show()
            winner = yield from self._first(self._crowd.until)
            if winner is None:
                return True
            yield from self._take(winner)
        return False

    def _begin_next(self) -> None:
        while self._left and len(self._tasks) + len(self._pauses) < self._crowd.limit:
            if self.missing is not None or self._is_late():
                return
            self._begin(self._left.pop(0))

    def _begin(self, key: str) -> None:
        self._members[key] = member = self._crowd.make(key, self._fan["attempts"].get(key, 1))
        self._tasks[key] = begin_member(self._traversal, member)
        self._traversal.turns += 1

    def _show(self) -> None:
        if self._crowd.slides or not self._is_shown:
            self._is_shown = True
            runs = open_runs({key: self._members[key] for key in self._tasks})
            retry = None if self._tasks else self._retried
            self._traversal.publish(fan_out=self._crowd.progress(self._fan["done"]), children=runs, retry=retry)

    def _first(self, until: datetime | None) -> Steps[DurableTask | None]:
        """The first that is done, well or badly; None at that time."""
        pauses = [timer for timer, _ in self._pauses.values()]
        told = self._ears.listen({key: self._members[key] for key in self._tasks})
        others = [*pauses, *told, *self._called_off.listen()]
        return first_of(self._traversal, [*self._tasks.values(), *others], until)

    def _take(self, winner: DurableTask) -> Steps[None]:
        if self._called_off.hears(winner) or self._ears.hears(winner):
            yield from tell(self._traversal, self._counts()[0])
            return
        over = next((key for key, (timer, _) in self._pauses.items() if timer is winner), None)
        if over is not None:
            self._go_on(over)
            return
        key = next(key for key, task in self._tasks.items() if task is winner)
        result = yield from self._result_of(key)
        attempt = self._fan["attempts"].get(key, 1)
        if result.get("missing"):
            self.missing = result
            self._left.append(key)
        elif "error" in result and may_retry(self._crowd.retry(key), result["error"], attempt):
            self._fan["attempts"][key] = attempt + 1
            pause = pause_after(self._crowd.retry(key), attempt)
            self._retried = {"attempt": attempt, "error": result["error"]["type"], "pause": pause}
            self._pause(key, self._traversal.now() + timedelta(seconds=pause))
        else:
            file_result(self._fan, key, result)
            yield from tell(self._traversal, self._counts()[0])

    def _counts(self) -> tuple[int, int]:
        """How many have succeeded, as far as it is known, and how many have failed."""
        succeeded, failed = self._crowd.counts(self._fan["done"])
        return succeeded + self._ears.told, failed

    def _result_of(self, key: str) -> Steps[NodeResult]:
        self._ears.close(key)
        return result_of(self._traversal, key, self._members[key], self._tasks.pop(key))

    def _pause(self, key: str, until: datetime) -> None:
        self._traversal.turns += 1
        segment = min(until, self._traversal.now() + LONGEST_TIMER)
        self._pauses[key] = (self._traversal.timer_at(segment), until if segment < until else None)

    def _go_on(self, key: str) -> None:
        """After a pause, or a part of it: the next attempt, or the next part."""
        _, until = self._pauses.pop(key)
        if until is None:
            self._begin(key)
        else:
            self._pause(key, until)

    def _end(self, late: bool) -> Steps[None]:
        """Stop what is open, and wait until all of it has ended: a run goes on only when nothing is open."""
        ending: dict[str, Any] = _too_late(self._crowd.until) if late else {"stopped": True}
        for timer, _ in self._pauses.values():
            timer.cancel()
        never = [*self._left, *self._pauses]
        self._left, self._pauses = [], {}
        asked, pause, lively = False, STOP_AGAIN, dict[str, None]()
        while self._tasks:
            if not asked:
                open_now = [self._members[key] for key in self._tasks]
                lively |= dict.fromkeys((yield from ask_to_end(self._traversal, open_now, late)))
            winner = yield from first_of(self._traversal, list(self._tasks.values()), self._traversal.now() + pause)
            asked = winner is not None
            pause = STOP_AGAIN if asked else min(2 * pause, STOP_LONGEST)
            for key in [key for key, task in self._tasks.items() if task is winner]:
                result = yield from self._result_of(key)
                member = self._members[key]
                if isinstance(member, Child) and member.ends and "results" in result:
                    file_result(self._fan, key, result)
                else:
                    self._stopped(key, ending)
        yield from end_what_they_started(self._traversal, list(lively))
        for key in never:
            self._stopped(key, ending)

    def _stopped(self, key: str, ending: dict[str, Any]) -> None:
        file_result(self._fan, key, ending)
        self._traversal.came_back(key, self._members.get(key), ending)


def first_of(traversal: Traversal, tasks: list[DurableTask], until: datetime | None) -> Steps[DurableTask | None]:
    """The first of these tasks that is done, well or badly; None at that time."""
    while True:
        segment = traversal.now() + LONGEST_TIMER
        segment = segment if until is None else min(until, segment)
        traversal.turns += 1
        timer = traversal.timer_at(segment)
        winner: DurableTask = yield traversal.context.task_any([*tasks, timer])
        if winner is not timer:
            timer.cancel()
            return winner
        if until is not None and segment >= until:
            return None


def _too_late(until: datetime | None) -> dict[str, Any]:
    text = f"it was not done by {'' if until is None else until.isoformat()}"
    bases = ["TimeoutError", "OSError", "Exception"]
    return {"error": {"type": "DeadlineExceeded", "bases": bases, "message": text, "where": "deadline"}}
