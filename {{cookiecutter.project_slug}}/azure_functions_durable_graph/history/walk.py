"""Follow a run through its history: the orchestrator itself, fed with what came from outside.

The Durable engine keeps no state of a run but its history. To show how a run stands, the same generator that the SDK
replays is replayed here over the events that the management API shows; nothing about the run is inferred. Reading
never raises: a history that cannot be followed is followed as far as it goes, and `Followed.incomplete` says why.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ..errors import GraphRunFailed
from ..graph.names import is_internal, split_address
from ..run.messages import RunInput
from ..run.orchestrator import drive
from .arrivals import CALL_KEYS, Arrival, answered, arrival, identity, moment
from .lines import SeenTraversal
from .tasks import Task

__all__ = ["Followed", "SeenEvent", "follow", "identity"]

_EPOCH = datetime.fromtimestamp(0, timezone.utc)

BUSY_LIMIT = 10_000
"""Questions to the context after one event: a plan that was made by hand may go in circles without running a node."""


@dataclass
class SeenEvent:
    """An event that reached the run, and whether it was applied or discarded."""

    event: Mapping[str, Any]
    applied: bool = False

    @property
    def name(self) -> str:
        """The event's name as users know it."""
        return self.address[0]

    @property
    def step(self) -> int | None:
        """The step after which the run asked for it."""
        return self.address[1]

    @property
    def address(self) -> tuple[str, int | None]:
        """Name and step; the step is None for an event that was not addressed to a wait of a run."""
        return split_address(str(self.event.get("Name")))


@dataclass
class Followed:
    """How far a run has come: where it stands, each result with its event, each event and whether it was applied.

    `results` holds failed activities, too, as results with an `error`. `over`: the orchestrator has ended or continues
    as new. `incomplete` says why the history could not be followed to its end.
    """

    traversal: SeenTraversal
    results: list[tuple[Mapping[str, Any], Mapping[str, Any]]] = field(default_factory=list)
    events: list[SeenEvent] = field(default_factory=list)
    over: bool = False
    incomplete: str | None = None


class _Context:
    """The durable context of one walk: hands out tasks, and takes its time from the events."""

    def __init__(self, instance_id: str, now: datetime) -> None:
        self.instance_id = instance_id
        self.asked = 0
        self._now = now

    @property
    def current_utc_datetime(self) -> datetime:
        self._count()
        return self._now

    def move_to(self, now: datetime | None) -> None:
        """Let time pass. As in the SDK it only goes forward."""
        self.asked = 0
        if now is not None and now > self._now:
            self._now = now

    def call_activity(self, name: str, input_: Any) -> Task:
        return Task("activity", input_)

    def call_sub_orchestrator(self, name: str, input_: Any, instance_id: str) -> Task:
        return Task("child", instance_id)

    def wait_for_external_event(self, name: str) -> Task:
        return Task("event", name)

    def create_timer(self, fire_at: datetime) -> Task:
        return Task("timer", fire_at)

    def task_all(self, tasks: Sequence[Task]) -> Task:
        self._count()
        return Task("all", children=tasks)

    def task_any(self, tasks: Sequence[Task]) -> Task:
        self._count()
        return Task("any", children=tasks)

    def set_custom_status(self, status: Any) -> None:
        self._count()

    def continue_as_new(self, input_: Any) -> None:
        pass

    def raised_events(self) -> Sequence[tuple[str, Any, str]]:
        return ()  # what a run carries into its next generation is read from that one

    def _count(self) -> None:
        self.asked += 1
        if self.asked > BUSY_LIMIT:
            raise RuntimeError("the graph goes in circles without running a node")


class _Walk:
    """One walk: what is open, what came early, and what the orchestrator waits for now."""

    def __init__(self, run_id: str, run: RunInput, arrivals: Sequence[Arrival]) -> None:
        began = [*(seen.at for seen in arrivals if seen.kind == "clock"), moment(run["started_at"]), _EPOCH]
        self.context = _Context(run_id, next(time for time in began if time is not None))
        self.followed = Followed(SeenTraversal(self.context, run))
        self.clocked = any(seen.sets_clock for seen in arrivals)
        self.later = Counter(seen.call for seen in arrivals if seen.call is not None)
        self.open: list[Task] = []
        self.early: dict[Any, tuple[Arrival, SeenEvent | None]] = {}
        self.sources: dict[int, SeenEvent] = {}
        self.next_id = 0
        self.unanswered: Arrival | None = None
        self.steps = drive(self.followed.traversal)
        self.waiting = Task("all")  # what starts the generator is done, as in the SDK

    def take(self, seen: Arrival) -> None:
        """Let one event reach the run. One that nobody waits for has no effect yet, as in the SDK."""
        if seen.sets_clock or not self.clocked:
            self.context.move_to(seen.at)
        line = SeenEvent(seen.event) if seen.kind == "event" else None
        if line is not None and not is_internal(str(seen.id)):
            self.followed.events.append(line)
        if seen.kind == "clock" or self.followed.over:
            return
        self.context.asked = 0
        if seen.call is not None:
            self.later[seen.call] -= 1
        task = answered(seen, self.open, self.later)
        if task is None:
            self.early[seen.id] = (seen, line)
            if line is None:
                self.unanswered = self.unanswered or seen
            return
        self._settle(task, seen, line)
        self.resume()

    def resume(self) -> None:
        """Let the orchestrator go on for as long as what it waits for is done."""
        while self.waiting.is_completed:
            done = self.waiting
            source = self.sources.get(id(done.result if done.kind == "any" else done))
            if source is not None:
                source.applied = True
            traversal = self.followed.traversal
            asked_events = [task for task in done.leaves() if task.kind == "event"]
            if asked_events:
                traversal.end_wait(None if source is None else source.name)
            asked: Any = self.steps.throw(done.result) if done.state == "failed" else self.steps.send(done.result)
            if any(task in asked_events for task in asked.leaves()):
                traversal.reopen_wait()  # a deadline far away comes in parts
            self.waiting = asked
            self._open(asked)

    def _open(self, asked: Task) -> None:
        """Count what the orchestrator asks for as the SDK does, and give it what came early."""
        for task in asked.leaves():
            if task.opened:
                continue
            task.opened = True
            if task.kind != "event":
                task.id, self.next_id = self.next_id, self.next_id + 1
            self.open.append(task)
            came = self.early.get(task.wanted if task.kind == "event" else task.id)
            if came is not None:
                self._settle(task, *came)

    def _settle(self, task: Task, seen: Arrival, line: SeenEvent | None) -> None:
        self.open.remove(task)
        self.unanswered = None if line is None else self.unanswered
        if line is not None:
            self.sources[id(task)] = line
        if task.kind == "activity":
            result = seen.value if seen.call is not None else _lost(task.wanted, seen)
            self.followed.results += [(seen.event, one) for one in (result, *_then(result))]
        task.settle(seen.value, failed=seen.failed)


def follow(run_id: str, run: RunInput, history: Iterable[Any]) -> Followed:
    """Replay a run over the events of one generation. Never raises."""
    arrivals = [seen for seen in map(arrival, history) if seen is not None]
    walk = _Walk(run_id, run, arrivals)
    followed = walk.followed
    for step in [None, *arrivals]:
        try:
            if step is None:
                walk.resume()
            else:
                walk.take(step)
        except (StopIteration, GraphRunFailed):
            followed.over = True
        except Exception as error:  # plans and results that were not made by this package: any of its lines may raise
            followed.over = True
            if walk.waiting.result is not error:  # else the run has ended with the failure of a task
                followed.incomplete = _beyond(followed, f"{type(error).__name__}: {error}")
    if walk.unanswered is not None and not followed.over:
        followed.incomplete = _beyond(followed, f"{walk.unanswered} does not match anything that the run asks for here")
    return followed


def _then(result: Any) -> Iterable[Mapping[str, Any]]:
    """The results of the nodes that ran after a node in its activity."""
    then = result.get("then", ()) if isinstance(result, Mapping) else ()
    return [one for one in then if isinstance(one, Mapping) and isinstance(one.get("step"), int)]


def _lost(call: Mapping[str, Any], seen: Arrival) -> dict[str, Any]:
    """The result that an activity without one would have given."""
    error = {"type": "ActivityLost", "message": str(seen.event.get("Reason"))}
    return {**{key: call[key] for key in CALL_KEYS if key in call}, "error": error}


def _beyond(followed: Followed, reason: str) -> str:
    run = followed.traversal.run
    return f"the history cannot be followed beyond node {run['node']!r} at step {run['step']}: {reason}"[:1000]
