"""Many activities and runs at once, in rounds: each a `task_all` of new tasks.

The host awaits a round completely before it starts the next. Failures are returned as values, so that none hides
another and none fails a round. Between two rounds the run may continue as new; it carries the results so far with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Union, cast

from ..graph.names import ACTIVITY
from ..graph.policies import may_retry, pause_after
from .children import Child, begin, outcome_of
from .messages import FanOut, NodeCall, NodeResult
from .outcomes import Failed
from .ports import DurableTask, Steps
from .races import race
from .traversal import Traversal

Member = Union[NodeCall, Child]
"""What runs at once with others: a node in an activity, or a run."""

_KEPT = ("patch", "unset", "writes", "value", "merge", "error", "child", "results", "stopped")


@dataclass(frozen=True)
class Crowd:
    """Members that run at once, at most `limit` of them: `make` gives one by its key and attempt, `retry` its policy.

    `weight` is what one counts in the progress that the status shows, `counted` the keys that do, where others do,
    too. With `enough` or `seconds` what is left is stopped when these results are, or the time is over.
    """

    keys: Sequence[str]
    make: Callable[[str, int], Member]
    retry: Callable[[str], Any]
    limit: int
    weight: Callable[[str], int] = lambda key: 1
    counted: Sequence[str] = ()
    enough: Callable[[Mapping[str, Any]], bool] | None = None
    seconds: float | None = None

    def progress(self, done: Mapping[str, Any]) -> dict[str, int]:
        """How much is done, of how much."""
        weights = {key: self.weight(key) for key in self.counted or self.keys}
        return {"done": sum(weight for key, weight in weights.items() if key in done), "of": sum(weights.values())}


def gather(traversal: Traversal, crowd: Crowd) -> Steps[dict[str, dict[str, Any]] | None]:
    """The results so far, with those of all members, by key; None if the run has to revisit this node first.

    That is the case if the version is missing, and after HISTORY_BUDGET turns: the results so far stay in the run.
    """
    fan: FanOut = traversal.run.setdefault("fan_out", {"done": {}, "attempts": {}})
    fan = traversal.run["fan_out"] = {**fan, "done": dict(fan["done"]), "attempts": dict(fan["attempts"])}
    while waiting := [key for key in crowd.keys if key not in fan["done"]]:
        if traversal.turns >= traversal.budget:
            return None
        this_round = {key: crowd.make(key, fan["attempts"].get(key, 1)) for key in waiting[: crowd.limit]}
        children = [{"id": one.id, "node": one.node} for one in this_round.values() if isinstance(one, Child)]
        traversal.publish(fan_out=crowd.progress(fan["done"]), children=children)
        results = yield from _round(traversal, this_round, crowd, fan)
        missing, retry = _file_results(results, fan, crowd)
        if missing is not None:
            yield from traversal.park(missing.get("missing_graph"))
            return None
        traversal.run.pop("pause", None)
        if retry is not None:
            traversal.publish(fan_out=crowd.progress(fan["done"]), retry=retry)
            yield from traversal.sleep(retry["pause"])
    return fan["done"]


def _round(
    traversal: Traversal, members: Mapping[str, Member], crowd: Crowd, fan: FanOut
) -> Steps[dict[str, NodeResult]]:
    """The results of new activities and runs that go on in parallel.

    One that fails as a whole fails the `task_all` at once, while the host keeps awaiting the others; each is then
    awaited by itself, which schedules nothing new.
    """
    tasks = {key: _begin(traversal, member) for key, member in members.items()}
    traversal.turns += len(tasks)

    def result_of(key: str) -> Steps[NodeResult]:
        result = yield from _result_of(traversal, tasks[key], members[key])
        traversal.came_back(key, members[key], result)
        return result

    if crowd.enough is not None or crowd.seconds is not None:
        enough = crowd.enough or (lambda results: False)
        so_far = fan["done"]
        until = _until(traversal, crowd, fan)
        return (yield from race(traversal, members, tasks, result_of, lambda new: enough({**so_far, **new}), until))
    with contextlib.suppress(Exception):  # raised again below, by its own task
        yield traversal.context.task_all(list(tasks.values()))
    results: dict[str, NodeResult] = {}
    for key in tasks:
        results[key] = yield from result_of(key)
    return results


def _until(traversal: Traversal, crowd: Crowd, fan: FanOut) -> datetime | None:
    """The deadline of all rounds of a node, which the run carries with it."""
    if crowd.seconds is None:
        return None
    if "until" not in fan:
        fan["until"] = (traversal.now() + timedelta(seconds=crowd.seconds)).isoformat()
    return datetime.fromisoformat(fan["until"])


def _begin(traversal: Traversal, member: Member) -> DurableTask:
    if isinstance(member, Child):
        return begin(traversal, member)
    return traversal.context.call_activity(ACTIVITY, member)


def _result_of(traversal: Traversal, task: DurableTask, member: Member) -> Steps[NodeResult]:
    if not isinstance(member, Child):
        return (yield from traversal.result_of(task, member))
    answer = yield from outcome_of(traversal, task, member)
    return cast(NodeResult, member.fail(answer) if isinstance(answer, Failed) else member.read(answer))


def with_attempt(call: NodeCall, attempt: int) -> NodeCall:
    """The call of an attempt; the first one says nothing of it."""
    return cast(NodeCall, {**call, "attempt": attempt}) if attempt > 1 else call


def _file_results(
    results: Mapping[str, NodeResult], fan: FanOut, crowd: Crowd
) -> tuple[NodeResult | None, dict[str, Any] | None]:
    """File a round's results. Returns one that lacked its version, and the retry with the longest pause, if any."""
    retried = []
    for key, result in results.items():
        if result.get("missing"):
            continue
        attempt = fan["attempts"].get(key, 1)
        if "error" in result and may_retry(crowd.retry(key), result["error"], attempt):
            fan["attempts"][key] = attempt + 1
            pause = pause_after(crowd.retry(key), attempt)
            retried.append({"attempt": attempt, "error": result["error"]["type"], "pause": pause})
        else:
            fan["done"][key] = {name: result[name] for name in _KEPT if name in result}  # type: ignore[literal-required]
    missing = next((result for result in results.values() if result.get("missing")), None)
    return missing, max(retried, key=_pause, default=None)


def _pause(retry: dict[str, Any]) -> float:
    return float(retry["pause"])
