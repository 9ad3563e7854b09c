"""Clocks: the system's, one that skips idle time, and one that a test moves; and a pause by the loop's own."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta, timezone
from typing import Protocol


class Clock(Protocol):
    """Returns the current time, in UTC."""

    def now(self) -> datetime: ...


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The current time in UTC."""
        return datetime.now(timezone.utc)


class SkippingClock:
    """The machine's clock plus all skipped time, so that timers are not waited for."""

    def __init__(self) -> None:
        self._ahead = timedelta(0)

    def now(self) -> datetime:
        """The machine's time plus what was skipped."""
        return datetime.now(timezone.utc) + self._ahead

    def skip_to(self, moment: datetime) -> None:
        """Move forward to `moment`; a clock never moves back."""
        self._ahead += max(timedelta(0), moment - self.now())


class ManualClock:
    """A clock for tests, which moves only when a test moves it."""

    def __init__(self, start: datetime = datetime(2030, 1, 1, tzinfo=timezone.utc)) -> None:
        self._now = start

    def now(self) -> datetime:
        """The time to which the clock was last moved."""
        return self._now

    def move_to(self, moment: datetime) -> None:
        """Move forward to `moment`; a clock never moves back."""
        self._now = max(self._now, moment)

    def advance(self, span: timedelta) -> None:
        """Move forward by `span`."""
        self.move_to(self._now + span)


async def set_within(event: asyncio.Event, seconds: float | None) -> None:
    """Wait until the event is set, at most so many seconds: then it is set here."""
    if seconds == 0:
        return
    alarm = None if seconds is None else asyncio.get_running_loop().call_later(seconds, event.set)
    try:
        await event.wait()
    finally:
        if alarm is not None:
            alarm.cancel()
