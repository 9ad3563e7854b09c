"""Waiting: for one of several events, with a deadline or without, and for time to pass. Floor 6.

Every wait has an address of its own, so no durable event name is ever awaited twice. What Azure imposes: a compound is
built from new tasks and yielded once. Where an old wait has to be raced again (a deadline more than three days away), a
new timer is put beside it, and that timer is cancelled when an event wins: the host, which sees only the timer, then
lets go of it.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any

from .cursor import LONGEST_TIMER, Cursor, Steps
from .decisions import RouteDecision
from .messages import OpenWait
from .names import wait_address


def await_events(cursor: Cursor, decision: RouteDecision) -> Steps:
    """Leave the node, publish the open waits, and go on where the first event or the deadline leads."""
    step = cursor.run["step"]
    cursor.leave(decision)
    deadline = None if decision.timeout is None else cursor.now() + timedelta(seconds=decision.timeout)
    waits = [_open_wait(event, node, step, deadline) for event, node in decision.awaited.items()]
    cursor.run["node"] = waits[0]["resume_node"]
    cursor.publish(waits=waits, note=decision.note)
    tasks = [cursor.context.wait_for_external_event(wait["address"]) for wait in waits]
    won = yield from _race(cursor, tasks, deadline)
    if won is None:
        cursor.run["node"] = str(decision.timeout_node)
        return
    wait = waits[won]
    cursor.run["node"] = wait["resume_node"]
    cursor.run["event"] = {"name": wait["event"], "payload": _payload(tasks[won].result)}


def rest(cursor: Cursor, decision: RouteDecision) -> Steps:
    """Leave the node, sleep, and go on."""
    cursor.leave(decision)
    cursor.run["node"] = str(decision.resume_node)
    seconds = decision.duration or 0.0
    until = cursor.now() + timedelta(seconds=seconds)
    cursor.publish(sleeps_until=until.isoformat(), note=decision.note)
    yield from cursor.sleep(seconds)


def visit_wait(cursor: Cursor) -> Steps:
    """A node that does nothing but let time pass."""
    seconds = cursor.plan_node["seconds"]
    cursor.publish(sleeps_until=(cursor.now() + timedelta(seconds=seconds)).isoformat())
    yield from cursor.sleep(seconds)
    return cursor.onward()


def _race(cursor: Cursor, tasks: list[Any], deadline: datetime | None) -> Steps:
    """The index of the first task that is done, or None at the deadline."""
    context = cursor.context
    cursor.turns += 1
    if deadline is None and len(tasks) == 1:
        yield tasks[0]
        return 0
    while True:
        contest, timer = list(tasks), None
        if deadline is not None:
            hop = min(deadline, cursor.now() + LONGEST_TIMER)
            timer = context.create_timer(hop)
            contest.append(timer)
        winner = yield context.task_any(contest)
        if winner is not timer:
            if timer is not None:
                timer.cancel()
            return tasks.index(winner)
        if hop >= deadline:  # type: ignore[operator]  # a timer is there only with a deadline
            return None
        cursor.turns += 1


def _open_wait(event: str, node: str, step: int, deadline: datetime | None) -> OpenWait:
    wait: OpenWait = {"event": event, "address": wait_address(event, step), "resume_node": node}
    if deadline is not None:
        wait["deadline"] = deadline.isoformat()
    return wait


def _payload(raised: Any) -> Any:
    """What was posted. The SDK's client delivers JSON text, a raw management call the value itself."""
    if isinstance(raised, str):
        try:
            raised = json.loads(raised)
        except ValueError:
            return raised
    if isinstance(raised, dict) and set(raised) == {"payload"}:
        return raised["payload"]
    return raised
