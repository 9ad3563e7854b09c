"""A crowd in rounds, each a `task_all` of new tasks; one that is watched runs as a race.

The host awaits a round completely before it starts the next. Between two rounds the run may continue as new; it carries
the results so far with it.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ..graph.policies import may_retry, pause_after
from .crowds import Crowd, Member, begin_member, file_result, open_runs, result_of
from .messages import FanOut, NodeResult
from .ports import Steps
from .races import Race
from .traversal import Traversal


def gather(traversal: Traversal, crowd: Crowd) -> Steps[dict[str, dict[str, Any]] | None]:
    """The results so far, with those of all members, by key; None if the run has to revisit this node first.

    That is the case if the version is missing, and after HISTORY_BUDGET turns: the results so far stay in the run.
    """
    fan: FanOut = traversal.run.setdefault("fan_out", {"done": {}, "attempts": {}})
    fan = traversal.run["fan_out"] = {**fan, "done": dict(fan["done"]), "attempts": dict(fan["attempts"])}
    while waiting := [key for key in crowd.keys if key not in fan["done"]]:
        if traversal.turns >= traversal.budget:
            return None
        if crowd.is_watched:
            race = Race(traversal, crowd, fan)
            yield from race.run()
            missing, retry = race.missing, None
        else:
            results = yield from _round(traversal, waiting[: crowd.limit], crowd, fan)
            missing, retry = _file_results(results, fan, crowd)
        if missing is not None and any(key not in fan["done"] for key in crowd.keys):
            yield from traversal.park(missing.get("missing_graph"))
            return None
        traversal.run.pop("pause", None)
        if retry is not None:
            traversal.publish(fan_out=crowd.progress(fan["done"]), retry=retry)
            yield from traversal.sleep(retry["pause"])
    return fan["done"]


def _round(traversal: Traversal, keys: list[str], crowd: Crowd, fan: FanOut) -> Steps[dict[str, NodeResult]]:
    """The results of new activities and runs that go on in parallel.

    One that fails as a whole fails the `task_all` at once, while the host keeps awaiting the others; each is then
    awaited by itself, which schedules nothing new.
    """
    members: dict[str, Member] = {key: crowd.make(key, fan["attempts"].get(key, 1)) for key in keys}
    traversal.publish(fan_out=crowd.progress(fan["done"]), children=open_runs(members))
    tasks = {key: begin_member(traversal, member) for key, member in members.items()}
    traversal.turns += len(tasks)
    with contextlib.suppress(Exception):  # raised again below, by its own task
        yield traversal.context.task_all(list(tasks.values()))
    results: dict[str, NodeResult] = {}
    for key, task in tasks.items():
        results[key] = yield from result_of(traversal, key, members[key], task)
    return results


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
            file_result(fan, key, result)
    missing = next((result for result in results.values() if result.get("missing")), None)
    return missing, max(retried, key=_pause, default=None)


def _pause(retry: dict[str, Any]) -> float:
    return float(retry["pause"])
