"""Many activities and runs at once, in rounds: each a `task_all` of new tasks.

The host awaits a round completely before it starts the next. Failures are returned as values, so that none hides
another and none fails a round. Between two rounds the run may continue as new; it carries the results so far with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any, Union, cast

from ..graph.names import ACTIVITY
from ..graph.policies import may_retry, pause_after
from .children import Child, begin, outcome_of
from .messages import FanOut, NodeCall, NodeResult, Written
from .outcomes import Failed
from .ports import DurableTask, Steps
from .traversal import HISTORY_BUDGET, Traversal
from .written import as_result

Member = Union[NodeCall, Child]
"""What runs at once with others: a node in an activity, or a run."""

_KEPT = ("patch", "unset", "writes", "value", "merge", "error")


def gather(
    traversal: Traversal, members: Mapping[str, Member], retries: Mapping[str, Any], limit: int
) -> Steps[dict[str, dict[str, Any]] | None]:
    """The result of each member, by its key; None if the run has to revisit this node first.

    That is the case if the version is missing, and after HISTORY_BUDGET turns: the results so far stay in the run.
    """
    fan: FanOut = traversal.run.setdefault("fan_out", {"done": {}, "attempts": {}})
    fan = traversal.run["fan_out"] = {"done": dict(fan["done"]), "attempts": dict(fan["attempts"])}
    while waiting := [key for key in members if key not in fan["done"]]:
        if traversal.turns >= HISTORY_BUDGET:
            return None
        this_round = {key: _with_attempt(members[key], fan["attempts"].get(key, 1)) for key in waiting[:limit]}
        children = [{"id": one.id, "node": one.node} for one in this_round.values() if isinstance(one, Child)]
        progress = {"done": len(fan["done"]), "of": len(members)}
        traversal.publish(fan_out=progress, children=children)
        results = yield from _round(traversal, this_round)
        missing, retry = _file_results(results, fan, retries)
        if missing:
            yield from traversal.park()
            return None
        traversal.run.pop("pause", None)
        if retry is not None:
            progress = {"done": len(fan["done"]), "of": len(members)}
            traversal.publish(fan_out=progress, retry=retry)
            yield from traversal.sleep(retry["pause"])
    return fan["done"]


def _round(traversal: Traversal, members: Mapping[str, Member]) -> Steps[dict[str, NodeResult]]:
    """The results of new activities and runs that go on in parallel.

    One that fails as a whole fails the `task_all` at once, while the host keeps awaiting the others; each is then
    awaited by itself, which schedules nothing new.
    """
    tasks = {key: _begin(traversal, member) for key, member in members.items()}
    traversal.turns += len(tasks)
    with contextlib.suppress(Exception):  # raised again below, by its own task
        yield traversal.context.task_all(list(tasks.values()))
    results: dict[str, NodeResult] = {}
    for key, task in tasks.items():
        results[key] = yield from _result_of(traversal, task, members[key])
        traversal.came_back(key, members[key], results[key])
    return results


def _begin(traversal: Traversal, member: Member) -> DurableTask:
    if isinstance(member, Child):
        return begin(traversal, member)
    return traversal.context.call_activity(ACTIVITY, member)


def _result_of(traversal: Traversal, task: DurableTask, member: Member) -> Steps[NodeResult]:
    if not isinstance(member, Child):
        return (yield from traversal.result_of(task, member))
    answer = yield from outcome_of(traversal, task, member)
    if isinstance(answer, Failed):
        return cast(NodeResult, {"error": answer.error})
    return cast(NodeResult, as_result(cast(Written, answer["written"]), answer["state"]))


def _with_attempt(member: Member, attempt: int) -> Member:
    if isinstance(member, Child) or attempt == 1:
        return member
    return cast(NodeCall, {**member, "attempt": attempt})


def _file_results(
    results: Mapping[str, NodeResult], fan: FanOut, retries: Mapping[str, Any]
) -> tuple[bool, dict[str, Any] | None]:
    """File a round's results. Returns whether one lacked its version, and the retry with the longest pause, if any."""
    retried = []
    for key, result in results.items():
        if result.get("missing"):
            continue
        attempt = fan["attempts"].get(key, 1)
        if "error" in result and may_retry(retries.get(key), result["error"], attempt):
            fan["attempts"][key] = attempt + 1
            pause = pause_after(retries[key], attempt)
            retried.append({"attempt": attempt, "error": result["error"]["type"], "pause": pause})
        else:
            fan["done"][key] = {name: result[name] for name in _KEPT if name in result}  # type: ignore[literal-required]
    missing = any(result.get("missing") for result in results.values())
    return missing, max(retried, key=_pause, default=None)


def _pause(retry: dict[str, Any]) -> float:
    return float(retry["pause"])
