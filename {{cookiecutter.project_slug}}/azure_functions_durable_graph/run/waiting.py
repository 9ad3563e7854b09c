"""Waiting: for one of several events, with a deadline or without, and for time to pass.

Every wait has an address of its own, so no durable event name is ever awaited twice. What Azure imposes: a compound is
built from new tasks and yielded once. Where an old wait has to be raced again (a deadline more than three days away), a
new timer is put beside it, and that timer is cancelled when an event wins: the host, which sees only the timer, then
lets go of it.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ..graph.decisions import RouteDecision
from ..graph.names import wait_address
from .limits import LONGEST_TIMER
from .messages import OpenWait
from .outcomes import Moved, NodeOutcome
from .ports import DurableTask, DurableTimer, Steps
from .raised import opened
from .traversal import Traversal


def await_events(traversal: Traversal, decision: RouteDecision) -> Steps[None]:
    """Leave the node, publish the open waits, and go on where the first event or the deadline leads."""
    step = traversal.run["step"]
    traversal.record_step(decision)
    deadline = None if decision.timeout is None else traversal.now() + timedelta(seconds=decision.timeout)
    waits = [_open_wait(event, node, step, deadline) for event, node in decision.awaited.items()]
    traversal.run["node"] = waits[0]["resume_node"]
    traversal.publish(waits=waits, note=decision.note, prompt=decision.prompt)
    tasks = [traversal.context.wait_for_external_event(wait["address"]) for wait in waits]
    won = yield from _race(traversal, tasks, deadline)
    if won is None:
        traversal.run["node"] = str(decision.timeout_node)
        return
    wait = waits[won]
    event_id, payload = opened(tasks[won].result)
    traversal.run["node"] = wait["resume_node"]
    traversal.run["event"] = {"name": wait["event"], "payload": payload}
    traversal.take_answers(step, [event_id])
    traversal.publish()


def sleep_for(traversal: Traversal, decision: RouteDecision) -> Steps[None]:
    """Leave the node, sleep, and go on."""
    traversal.record_step(decision)
    traversal.run["node"] = str(decision.resume_node)
    seconds = decision.duration or 0.0
    until = traversal.now() + timedelta(seconds=seconds)
    traversal.publish(sleeps_until=until.isoformat(), note=decision.note)
    yield from traversal.sleep(seconds)


def run_wait(traversal: Traversal) -> Steps[NodeOutcome]:
    """A node that does nothing but let time pass."""
    seconds = traversal.plan_node["seconds"]
    traversal.publish(sleeps_until=(traversal.now() + timedelta(seconds=seconds)).isoformat())
    yield from traversal.sleep(seconds)
    return Moved(traversal.static_edge())


def _race(traversal: Traversal, tasks: list[DurableTask], deadline: datetime | None) -> Steps[int | None]:
    """The index of the first task that is done, or None at the deadline."""
    context = traversal.context
    traversal.turns += 1
    if deadline is None and len(tasks) == 1:
        yield tasks[0]
        return 0
    while True:
        contest: list[DurableTask] = list(tasks)
        timer: DurableTimer | None = None
        if deadline is not None:
            segment = min(deadline, traversal.now() + LONGEST_TIMER)
            timer = traversal.timer_at(segment)
            contest.append(timer)
        winner = yield context.task_any(contest)
        if winner is not timer:
            if timer is not None:
                timer.cancel()
            return tasks.index(winner)
        if segment >= deadline:  # type: ignore[operator]  # a timer is there only with a deadline
            return None
        traversal.turns += 1


def _open_wait(event: str, node: str, step: int, deadline: datetime | None) -> OpenWait:
    wait: OpenWait = {"event": event, "address": wait_address(event, step), "resume_node": node}
    if deadline is not None:
        wait["deadline"] = deadline.isoformat()
    return wait
