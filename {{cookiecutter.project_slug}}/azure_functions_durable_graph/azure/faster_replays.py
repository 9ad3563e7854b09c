"""What makes the SDK's replays slow, done faster. An SDK that looks different is left alone."""

from __future__ import annotations

import functools
import importlib
import re
from collections.abc import Callable
from datetime import datetime
from typing import Any


@functools.cache
def speed_up_replays() -> None:
    """Replace what makes the SDK's replays slow, for the life of the process; what it gives stays the same.

    An SDK that has no such function, or another one in its place, is left alone.
    """
    for module_name, attribute, expected, faster in (
        ("history.HistoryEvent", "dt_parse", "dateutil.parser", _time_reader),
        ("TaskOrchestrationExecutor", "namedtuple", "collections", _remembering),
    ):
        try:
            module = importlib.import_module(f"azure.durable_functions.models.{module_name}")
        except ImportError:
            continue
        slow = getattr(module, attribute, None)
        if callable(slow) and str(getattr(slow, "__module__", "")).startswith(expected):
            setattr(module, attribute, faster(slow))


def _remembering(make: Callable[..., Any]) -> Callable[..., Any]:
    """Makes each named tuple once: the SDK makes the same class again in each replay, by compiling code."""
    made = functools.cache(make)

    @functools.wraps(make)
    def get(*args: Any, **options: Any) -> Any:
        try:
            return made(*args, **options)
        except TypeError:  # not hashable
            return make(*args, **options)

    return get


_TIMESTAMP = re.compile(r"(\d{4}-\d\d-\d\dT(?:[01]\d|2[0-3]):\d\d:\d\d)(?:\.(\d{1,7}))?Z", re.ASCII)
"""A UTC DateTime as .NET writes it: up to seven digits of a second, without zeros at their end."""


def _time_reader(parse: Callable[..., datetime]) -> Callable[..., datetime]:
    """Reads the timestamps of a history at once, and leaves every other text to `parse`.

    The SDK parses the timestamp of every event with dateutil, on every replay: two thirds of what a replay costs.
    dateutil drops the seventh digit, too.
    """

    @functools.wraps(parse)
    def read(text: Any, *args: Any, **options: Any) -> datetime:
        found = _TIMESTAMP.fullmatch(text) if isinstance(text, str) and not (args or options) else None
        if found is not None:
            try:
                second, fraction = found.groups(default="")
                return datetime.fromisoformat(f"{second}.{fraction:0<6.6}+00:00")
            except ValueError:  # such as 30 February: `parse` says so
                pass
        return parse(text, *args, **options)

    return read
