"""Timer triggers that start runs: one tick of a schedule is one run.

Loaded with the first schedule that an app declares.
"""

from __future__ import annotations

import logging
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ..errors import CronError, Fault, RegistrationError
from ..graph import cron
from ..graph.names import NAME_RULE, did_you_mean, is_name, tick_id
from ..work.registry import Registry

EARLY = timedelta(seconds=1)
"""How long before its tick a timer may fire: .NET timers are early by milliseconds, and then fire again."""

LATE = timedelta(minutes=1)
"""How long after its tick a timer may fire without being reported as past due."""

_SETTING = re.compile(r"%[^%]+%")
_MOMENT = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?(Z|[+-]\d\d:\d\d)?")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Schedule:
    """A declared schedule. `name` identifies it within the app, and begins the ids of its runs."""

    name: str
    graph: str
    cron: str
    input: Mapping[str, Any]

    def __post_init__(self) -> None:
        """Raises RegistrationError for what is wrong regardless of the app's graphs."""
        if not isinstance(self.name, str) or not is_name(self.name):
            raise RegistrationError(f"{self.name!r} is not a valid name for a schedule: use {NAME_RULE}")
        if not isinstance(self.graph, str):
            raise RegistrationError(f"{self}: the graph is a {type(self.graph).__name__}; pass its name")
        if not isinstance(self.input, Mapping):
            raise RegistrationError(f"{self}: input is a {type(self.input).__name__}; pass a dict")
        if not isinstance(self.cron, str):
            raise RegistrationError(f"{self}: the cron expression is a {type(self.cron).__name__}; pass a string")
        try:
            _cron(self.cron)
        except CronError as error:
            raise RegistrationError(f"{self}: {error}") from None

    def __str__(self) -> str:
        return f"schedule {self.name!r}"

    @property
    def function(self) -> str:
        """The name of the timer function."""
        return f"schedule_{self.name.replace('-', '_')}"

    def faults(self, registry: Registry) -> Iterator[Fault]:
        """What is wrong with it given the graphs of the app."""
        graph = registry.by_name.get(self.graph)
        if graph is None:
            hint = did_you_mean(self.graph, registry.by_name)
            yield Fault(str(self), f"starts the unknown graph {self.graph!r}", hint[0].upper() + hint[1:])
            return
        from ..http.runs import run_input
        from ..http.values import Problem

        try:
            now = datetime.now(timezone.utc)
            run_input(graph, dict(self.input), {}, now, most_bytes=registry.most_bytes)
        except Problem as problem:
            yield Fault(str(self), problem.detail, "Correct input=… of the schedule")
        except Exception as error:  # a validator of the user's, or a value that is not JSON
            text = f"its input is not valid ({type(error).__name__}: {error})"
            yield Fault(str(self), text, "Correct input=… of the schedule")


async def start_on_schedule(schedule: Schedule, registry: Registry, client: Any, timer: Any) -> None:
    """Start the run of one tick, unless it has been started. Raises RegistrationError if no run could succeed."""
    from ..declare.graph_set import faults_of_run
    from ..http.api import IdTaken
    from ..http.runs import run_input
    from .durable_runs import DurableRuns

    graph = registry.default(schedule.graph)
    if graph is None:
        raise RegistrationError(f"{schedule} starts the unknown graph {schedule.graph!r}")
    faults = faults_of_run(graph, registry.by_name)
    if faults:
        raise RegistrationError(f"{schedule} starts a graph with faults. {' '.join(map(str, faults))}")
    now = datetime.now(timezone.utc)
    run_id = tick_id(schedule.name, scheduled_tick(timer, schedule.cron, now))
    run = run_input(graph, dict(schedule.input), {"schedule": schedule.name}, now, most_bytes=registry.most_bytes)
    try:
        await DurableRuns(client).start(run_id, run, fresh=False)
    except IdTaken:
        logger.info("the run %s of schedule %r already exists", run_id, schedule.name)


def scheduled_tick(timer: Any, expression: str, now: datetime) -> datetime:
    """The moment for which a timer fired at `now`, in UTC.

    The Functions host provides it as `ScheduleStatus.Next` (WebJobs TimerListener: updated after the invocation), but
    not for schedules of less than a minute and not for manual calls. Then it is the nearest tick of the expression, or,
    if the expression is an app setting or its nearest tick is far off, `now` itself.
    """
    next_tick = _moment((getattr(timer, "schedule_status", None) or {}).get("Next"))
    past_due = bool(getattr(timer, "past_due", False))
    if next_tick is not None and next_tick - now <= EARLY and (past_due or now - next_tick <= LATE):
        return next_tick
    return _near_tick(expression, now) or now


def _near_tick(expression: str, now: datetime) -> datetime | None:
    """The latest tick that is not long past; or the next one, if it is just ahead and much nearer than the latest."""
    schedule = _cron(expression)
    if schedule is None:
        return None
    tick = schedule.after(now - LATE)
    if tick > now:
        return tick if tick - now <= EARLY else None
    while (following := schedule.after(tick)) <= now:
        tick = following
    return following if following - now <= min(EARLY, (following - tick) / 4) else tick


def _cron(expression: str) -> cron.Cron | None:
    """None for an app setting, `%NAME%`, which only the host knows. Raises CronError."""
    return None if _SETTING.fullmatch(expression) else cron.parse(expression)


def _moment(text: Any) -> datetime | None:
    """A time as .NET writes it; None for its default, the year 1."""
    found = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if found is None or text.startswith("0001"):
        return None
    zone = "+00:00" if found[2] in (None, "Z") else found[2]
    return datetime.fromisoformat(found[1] + zone).astimezone(timezone.utc)
