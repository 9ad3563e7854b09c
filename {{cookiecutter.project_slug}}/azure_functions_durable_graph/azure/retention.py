"""A timer that deletes finished runs some time after they have ended.

Loaded with the first call of `DurableGraphApp.retention`.
"""

from __future__ import annotations

import logging
import math
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from ..errors import CronError, RegistrationError
from ..graph import cron
from ..history.arrivals import moment
from .durable_runs import DurableRuns

PAGE, MOST_PURGED = 100, 1000
"""Runs that are looked at in one request, and runs that one tick deletes: the rest is left to the next ticks."""

LONGEST_DAYS = 3650

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Retention:
    """What an app has declared: how long finished runs are kept, and when the timer looks."""

    kept: timedelta
    cron: str

    def __post_init__(self) -> None:
        """Raises RegistrationError."""
        days = self.kept / timedelta(days=1)
        if not 0 < days <= LONGEST_DAYS:
            raise RegistrationError(f"retention: days must be more than 0 and at most {LONGEST_DAYS}, not {days:g}")
        if not (self.cron.startswith("%") and self.cron.endswith("%")):
            try:
                cron.parse(self.cron)
            except CronError as error:
                raise RegistrationError(f"retention: {error}") from None


def declared(days: Any, expression: Any) -> Retention:
    """The declaration of an app. Raises RegistrationError for what is not a number of days or a cron expression."""
    if isinstance(days, bool) or not isinstance(days, (int, float)) or math.isnan(days):
        raise RegistrationError(f"retention: days must be a number, not {days!r}")
    if not isinstance(expression, str):
        raise RegistrationError(f"retention: the cron expression is a {type(expression).__name__}; pass a string")
    return Retention(timedelta(days=min(float(days), 10.0 * LONGEST_DAYS)), expression)


async def purge_old_runs(retention: Retention, client: Any, now: datetime | None = None) -> int:
    """Delete runs that ended longer ago than they are kept, at most MOST_PURGED; how many there were.

    The engine filters by the time at which a run began, and a run may have waited for weeks since: of those that it
    finds, the ones that have ended lately stay.
    """
    runs, cutoff = DurableRuns(client), (now or datetime.now(timezone.utc)) - retention.kept
    cursor, purged = "", 0
    while purged < MOST_PURGED:
        heads, cursor = await runs.finished_before(cutoff, cursor, PAGE)
        for head in heads:
            ended = moment(head.updated_at)
            if ended is not None and ended < cutoff:
                purged += await runs.purge(head.id)
        if not cursor:
            break
    if purged:
        logger.info("%d finished runs were deleted", purged)
    return purged
