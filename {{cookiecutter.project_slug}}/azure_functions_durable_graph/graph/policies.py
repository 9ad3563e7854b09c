"""When a failed node is retried, and where a run continues if it is not.

Exceptions cross the durable boundary as names, not as classes: those of the type and its base classes. Everything here
is a pure function of plain values, so that the orchestrator may call it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Union

from .durations import LONGEST, duration_problem, is_number
from .names import plain_name
from .wording import brief_repr

ANY = "*"
"""The key of an `on_error` table that matches every error."""

EVERY = BaseException.__name__
"""The base class of all errors, which no record lists."""

ErrorName = Union[str, type[BaseException]]


@dataclass(frozen=True)
class RetryPolicy:
    """How often and how soon a failed node is retried.

    The pause before attempt n+1 is `first_interval * backoff ** (n - 1)`, at most `max_interval`. An error is retried
    if its type or one of its base classes is in `retry_on` and none is in `give_up_on`; both take exception classes or
    their names, one or several. An interval lasts at most 3650 days. Raises ValueError for invalid settings.
    """

    max_attempts: int = 3
    first_interval: timedelta = timedelta(seconds=1)
    backoff: float = 2.0
    max_interval: timedelta | None = None
    retry_on: Collection[ErrorName] | ErrorName = (Exception,)
    give_up_on: Collection[ErrorName] | ErrorName = ()

    def __post_init__(self) -> None:
        if not isinstance(self.max_attempts, int) or isinstance(self.max_attempts, bool) or self.max_attempts < 1:
            raise ValueError(f"max_attempts is {brief_repr(self.max_attempts)}; use a whole number of at least 1")
        if not is_number(self.backoff) or self.backoff < 1:
            raise ValueError(f"backoff is {brief_repr(self.backoff)}; use a finite number of at least 1")
        for name in ("first_interval", "max_interval"):
            span = getattr(self, name)
            problem = None if span is None and name == "max_interval" else duration_problem(span, zero=True)
            if problem is not None:
                raise ValueError(f"{name} {problem}")
        for name in ("retry_on", "give_up_on"):
            object.__setattr__(self, name, _collection(name, getattr(self, name)))

    def to_dict(self) -> dict[str, Any]:
        """The JSON form, as in manifests and plans."""
        return {
            "max_attempts": self.max_attempts,
            "first": self.first_interval.total_seconds(),
            "backoff": self.backoff,
            "longest": None if self.max_interval is None else self.max_interval.total_seconds(),
            "retry_on": error_names(self.retry_on),
            "give_up_on": error_names(self.give_up_on),
        }


def error_names(errors: Collection[ErrorName] | ErrorName) -> list[str]:
    """Exception classes or names as sorted names."""
    return sorted({error_name(error) for error in _collection("errors", errors)})


def error_name(error: ErrorName) -> str:
    """The name by which an exception class is known. Raises ValueError for anything else."""
    if isinstance(error, str):
        found: str = plain_name(error)
        return found
    if isinstance(error, type) and issubclass(error, BaseException):
        return error.__name__
    raise ValueError(f"{brief_repr(error)} is not an exception class or the name of one")


def _collection(what: str, errors: Any) -> tuple[ErrorName, ...]:
    """One error or several as a tuple. Raises ValueError."""
    if isinstance(errors, (str, type)):
        errors = (errors,)
    if not isinstance(errors, Iterable) or isinstance(errors, Mapping):
        raise ValueError(
            f"{what} is {brief_repr(errors)}; use exception classes or their names, such as (ConnectionError,)"
        )
    found = tuple(errors)
    for error in found:
        try:
            error_name(error)
        except ValueError as problem:
            raise ValueError(f"{what} contains something other than errors: {problem}") from None
    return found


def may_retry(policy: Mapping[str, Any] | None, error: Mapping[str, Any], attempt: int) -> bool:
    """Whether attempt `attempt` (from 1), which failed with this error record, is followed by another."""
    if policy is None or attempt >= policy["max_attempts"]:
        return False
    names = {error["type"], *error["bases"], EVERY}
    if error.get("permanent"):
        names -= {"Exception", EVERY}  # a permanent error is retried only if the policy names its type
    return not names.isdisjoint(policy["retry_on"]) and names.isdisjoint(policy["give_up_on"])


def pause_after(policy: Mapping[str, Any], attempt: int) -> float:
    """Seconds between attempt `attempt` and the next."""
    longest = policy["longest"]
    try:
        pause = float(policy["first"]) * float(policy["backoff"]) ** (attempt - 1)
    except OverflowError:
        pause = float("inf")
    if longest is not None:
        pause = min(pause, float(longest))
    return min(pause, LONGEST.total_seconds())


def error_target(table: Mapping[str, str] | None, error: Mapping[str, Any]) -> str | None:
    """The node to which `on_error` leads: by the error's type, then its nearest base class, then "*"."""
    for name in (error["type"], *error["bases"], EVERY, ANY):
        if table and name in table:
            return table[name]
    return None
