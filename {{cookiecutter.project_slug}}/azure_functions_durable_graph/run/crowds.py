"""Many activities and runs that go on at once: how each begins, and what it gives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Union, cast

from ..graph.names import ACTIVITY
from .activities import activity_result
from .children import Child, begin, outcome_of
from .messages import FanOut, NodeCall, NodeResult
from .outcomes import Failed
from .ports import DurableTask, Steps
from .traversal import Traversal

Member = Union[NodeCall, Child]
"""What runs at once with others: a node in an activity, or a run."""

Results = Mapping[str, Mapping[str, Any]]

_KEPT = ("patch", "unset", "writes", "value", "merge", "error", "child", "results", "stopped")


@dataclass(frozen=True)
class Crowd:
    """Members that run at once, at most `limit` of them: `make` gives one by its key and attempt, `retry` its policy.

    `weight` is what one counts in the progress that the status shows, `counted` the keys that do, where others do,
    too. With `enough` what is left is stopped when so many have succeeded and so many have failed, with `until` when it
    is too late. Of a crowd that `slides`, the next member begins as soon as one is done.
    """

    keys: Sequence[str]
    make: Callable[[str, int], Member]
    retry: Callable[[str], Any]
    limit: int
    weight: Callable[[str], int] = lambda key: 1
    counted: Sequence[str] = ()
    enough: Callable[[int, int], bool] | None = None
    until: datetime | None = None
    slides: bool = False

    @property
    def is_watched(self) -> bool:
        """Whether something may follow as soon as a single member is done."""
        return self.slides or self.enough is not None or self.until is not None

    def progress(self, done: Results) -> dict[str, int]:
        """How much is done, of how much; and how much of it has failed, if any has."""
        weights = {key: self.weight(key) for key in self.counted or self.keys}
        told = {"done": sum(weight for key, weight in weights.items() if key in done), "of": sum(weights.values())}
        _, failed = self.counts(done)
        return {**told, "failed": failed} if failed else told

    def counts(self, done: Results) -> tuple[int, int]:
        """How many have succeeded, and how many have failed: of the items of a part, if members are parts."""
        results = [done[key] for key in self.counted or self.keys if key in done]
        each = [one for result in results for one in result.get("results", [result])]
        failed = sum("error" in one for one in each)
        return len(each) - failed - sum("stopped" in one for one in each), failed


def begin_member(traversal: Traversal, member: Member) -> DurableTask:
    """Start a member."""
    if isinstance(member, Child):
        return begin(traversal, member)
    return traversal.context.call_activity(ACTIVITY, member)


def result_of(traversal: Traversal, key: str, member: Member, task: DurableTask) -> Steps[NodeResult]:
    """What a member gives. Failures are values, so that none hides another and none fails a compound."""
    if isinstance(member, Child):
        answer = yield from outcome_of(traversal, task, member)
        result = cast(NodeResult, member.fail(answer) if isinstance(answer, Failed) else member.read(answer))
    else:
        result = yield from activity_result(task, member)
    traversal.came_back(key, member, result)
    return result


def open_runs(members: Mapping[str, Member]) -> list[dict[str, str]]:
    """The runs among members, as the status lists them."""
    return [{"id": one.id, "node": one.node} for one in members.values() if isinstance(one, Child)]


def file_result(fan: FanOut, key: str, result: Mapping[str, Any]) -> None:
    """Keep what is needed of a result."""
    fan["done"][key] = {name: result[name] for name in _KEPT if name in result}


def with_attempt(call: NodeCall, attempt: int) -> NodeCall:
    """The call of an attempt; the first one says nothing of it."""
    return cast(NodeCall, {**call, "attempt": attempt}) if attempt > 1 else call
