"""What the local host does to the SDK that it runs: one thing, which changes no answer."""

from __future__ import annotations

import functools
import importlib

REMEMBERED = 4096


def remember_times() -> None:
    """Let the SDK remember the timestamps that it has parsed.

    On every replay it parses the timestamp of every event in the history again, with dateutil: more than a third of
    what a replay costs. The same text gives the same (immutable) value, so it may be remembered.
    """
    module = importlib.import_module("azure.durable_functions.models.history.HistoryEvent")
    parse = getattr(module, "dt_parse", None)
    if parse is not None and not hasattr(parse, "cache_info"):
        module.dt_parse = functools.lru_cache(REMEMBERED)(parse)  # type: ignore[attr-defined]
