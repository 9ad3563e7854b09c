"""Branches that run until enough of them are done, or a deadline has passed; what is left then is stopped.

An orchestrator cannot end a child in SDK 1.7, so an activity with a durable client does. A node at work ends by itself.
The host sees only the new tasks of a compound, so old ones are raced again beside a new timer, which is cancelled when
one of them wins (see `waiting`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any, Union

from ..graph.names import STOP
from .children import Child
from .messages import NodeCall, NodeResult
from .ports import DurableTask, Steps
from .traversal import LONGEST_TIMER, Traversal

STOP_AGAIN = timedelta(minutes=1)
"""When runs that have not ended are stopped again: one that had not begun could not be stopped."""

Members = Mapping[str, Union[NodeCall, Child]]
Results = dict[str, Any]


def race(
    traversal: Traversal,
    members: Members,
    tasks: Mapping[str, DurableTask],
    result_of: Callable[[str], Steps[NodeResult]],
    enough: Callable[[Results], bool],
    until: datetime | None,
) -> Steps[Results]:
    """The result of each member: one that was stopped has `stopped`, one that was too late an error."""
    left = dict(tasks)
    results: Results = {}
    while left and not enough(results):
        winner = yield from _first(traversal, list(left.values()), until)
        if winner is None:
            break
        key = next(key for key, task in left.items() if task is winner)
        del left[key]
        results[key] = yield from result_of(key)
    late = bool(left) and not enough(results)
    ending = {key: _too_late(until) if late else {"stopped": True} for key in left}
    yield from _stop(traversal, members, left, result_of)
    for key, result in ending.items():
        traversal.came_back(key, members[key], result)
    return {**results, **ending}


def _first(traversal: Traversal, tasks: list[DurableTask], until: datetime | None) -> Steps[DurableTask | None]:
    """The first of these tasks that is done, well or badly; None at the deadline."""
    while True:
        segment = traversal.now() + LONGEST_TIMER
        segment = segment if until is None else min(until, segment)
        timer = traversal.context.create_timer(segment)
        traversal.turns += 1
        winner: DurableTask = yield traversal.context.task_any([*tasks, timer])
        if winner is not timer:
            timer.cancel()
            return winner
        if until is not None and segment >= until:
            return None


def _stop(
    traversal: Traversal, members: Members, left: dict[str, DurableTask], result_of: Callable[[str], Steps[NodeResult]]
) -> Steps[None]:
    """Stop what is left, and wait until all of it has ended: a run goes on only when nothing is open."""
    asked = False
    while left:
        runs = [member.id for key in left if isinstance(member := members[key], Child)]
        if runs and not asked:
            yield from _call_stop(traversal, runs)
        winner = yield from _first(traversal, list(left.values()), traversal.now() + STOP_AGAIN)
        asked = winner is not None
        for key in [key for key, task in left.items() if task is winner]:
            del left[key]
            yield from result_of(key)


def _call_stop(traversal: Traversal, runs: list[str]) -> Steps[None]:
    run = traversal.run
    call = {"node": run["node"], "step": run["step"], "stop": runs, "reason": f"{run['node']} needs it no more"}
    traversal.turns += 1
    try:
        yield traversal.context.call_activity(STOP, call)
    except Exception:  # tried again later
        return


def _too_late(until: datetime | None) -> dict[str, Any]:
    text = f"it was not done by {'' if until is None else until.isoformat()}"
    bases = ["TimeoutError", "OSError", "Exception"]
    return {"error": {"type": "DeadlineExceeded", "bases": bases, "message": text, "where": "deadline"}}
