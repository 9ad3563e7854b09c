"""NCRONTAB expressions, as timer triggers use them, and the time of their next tick.

Six fields: second, minute, hour, day, month, day of the week (0 or 7 is Sunday). With five fields the seconds are 0.
Each is `*`, a number or a three-letter name, a range, a list, or any of these with a step.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from ..errors import CronError

_MONTHS = {
    name: str(n)
    for n, name in enumerate(
        ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"], start=1
    )
}
_DAYS = {name: str(n) for n, name in enumerate(["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"])}
_FIELDS = (("second", 0, 59), ("minute", 0, 59), ("hour", 0, 23), ("day", 1, 31), ("month", 1, 12), ("weekday", 0, 7))

HORIZON = timedelta(days=366 * 41)
"""How far ahead to search for a tick: far enough for a 29th of February on any given weekday, even across 2100."""


@dataclass(frozen=True)
class Cron:
    """The values that each field allows."""

    seconds: frozenset[int]
    minutes: frozenset[int]
    hours: frozenset[int]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]

    def after(self, moment: datetime) -> datetime:
        """The first tick after `moment`. Raises CronError if there is none within the horizon."""
        day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        while day - moment < HORIZON:
            if self._matches(day):
                for hour, minute in self._minutes_from(moment if day <= moment else day):
                    for second in sorted(self.seconds):
                        tick = day.replace(hour=hour, minute=minute, second=second)
                        if tick > moment:
                            return tick
            day += timedelta(days=1)
        raise CronError("the schedule never fires: no year has such a day")

    def _minutes_from(self, moment: datetime) -> Iterator[tuple[int, int]]:
        """The minutes of a day in which a tick can fall, from the minute of `moment` on."""
        for hour in sorted(hour for hour in self.hours if hour >= moment.hour):
            for minute in sorted(self.minutes):
                if (hour, minute) >= (moment.hour, moment.minute):
                    yield hour, minute

    def _matches(self, day: datetime) -> bool:
        return day.month in self.months and day.day in self.days and day.isoweekday() % 7 in self.weekdays


def parse(expression: str) -> Cron:
    """Read an expression. Raises CronError, naming the field, if it is not valid or never fires."""
    fields = expression.split()
    if len(fields) == 5:
        fields = ["0", *fields]
    if len(fields) != 6:
        raise CronError(f"the schedule {expression!r} needs six fields, not {len(fields)}")
    values = [_values(text, *field, expression) for text, field in zip(fields, _FIELDS, strict=True)]
    values[5] = frozenset(day % 7 for day in values[5])
    schedule = Cron(*values)
    schedule.after(datetime(2000, 1, 1))  # so that a 30th of February is reported now
    return schedule


def _values(text: str, name: str, low: int, high: int, expression: str) -> frozenset[int]:
    names = {"month": _MONTHS, "weekday": _DAYS}.get(name, {})
    found: set[int] = set()
    for part in text.upper().split(","):
        span, _, step = part.partition("/")
        first, dash, last = span.partition("-")
        try:
            start = low if first == "*" else int(names.get(first, first))
            end = int(names.get(last, last)) if dash else (high if first == "*" or step else start)
            found.update(range(start, end + 1, int(step or 1)))
        except ValueError:
            start, end = low - 1, low - 1
        if not low <= start <= end <= high:
            raise CronError(f"the schedule {expression!r}: {part!r} is not a valid {name} ({low} to {high})")
    return frozenset(found)
