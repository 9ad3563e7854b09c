"""How long something may last: the one rule for waits, timeouts and pauses between attempts."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from .wording import brief_repr

LONGEST = timedelta(days=3650)
"""The longest wait, timeout or interval: about ten years, so that no date is past the year 9999."""

_INFINITY = float("inf")


def duration_problem(span: Any, *, zero: bool = False) -> str | None:
    """What is wrong with a timedelta, or None. The text follows the name: `timeout` `is 5; use a timedelta, such as …`.

    `zero` allows a duration of zero.
    """
    if not isinstance(span, timedelta):
        example = f"timedelta(seconds={brief_repr(span)})" if is_number(span) else "timedelta(minutes=5)"
        return f"is {brief_repr(span)}; use a timedelta, such as {example}"
    days = f"{span.days} days" if span and not span % timedelta(days=1) else None
    return _out_of_range(span.total_seconds(), days, zero)


def seconds_problem(seconds: Any, *, zero: bool = False) -> str | None:
    """What is wrong with a number of seconds, as in manifests and decisions, or None."""
    if not is_number(seconds):
        return f"is {brief_repr(seconds)}; use a timedelta, or a finite number of seconds"
    return _out_of_range(seconds, None, zero)


def is_number(value: Any) -> bool:
    """Whether a value is a finite number and not a bool."""
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -_INFINITY < value < _INFINITY


def _out_of_range(seconds: float, words: str | None, zero: bool) -> str | None:
    if 0 < seconds <= LONGEST.total_seconds() or (zero and not seconds):
        return None
    words = words or f"{brief_repr(int(seconds) if seconds == int(seconds) else seconds)} seconds"
    if seconds <= 0:
        return f"is {words}; use {'zero or a positive duration' if zero else 'a positive duration'}"
    return f"is {words}; at most {LONGEST.days} days are supported"
