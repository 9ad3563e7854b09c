"""The settings that the Functions host reads: host.json and local.settings.json."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from ...errors import HostError

_TIMESPAN = re.compile(r"(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2}(?:\.\d+)?)")

MOST_THREADS = 32


@dataclass(frozen=True)
class Settings:
    """The part of host.json, and of the app settings, that the local host supports.

    `timeout` is in seconds, None for no limit; `threads` is the size of the pool for sync functions, None for
    Python's default.
    """

    route_prefix: str = "api"
    hub_name: str = "TestHubName"
    max_activities: int = 10
    max_orchestrators: int = 10
    timeout: float | None = 1800.0
    threads: int | None = None


def read_settings(folder: Path, environment: Mapping[str, str]) -> Settings:
    """Read host.json, if there is one. Raises HostError if it cannot be read."""
    host = _read(folder / "host.json")
    extensions = host.get("extensions") or {}
    http, durable = extensions.get("http") or {}, extensions.get("durableTask") or {}
    prefix = environment.get(
        "AzureFunctionsJobHost__extensions__http__routePrefix", http.get("routePrefix", Settings.route_prefix)
    )
    return Settings(
        route_prefix=str(prefix).strip("/"),
        hub_name=expanded(str(durable.get("hubName", Settings.hub_name)), environment) or Settings.hub_name,
        max_activities=int(durable.get("maxConcurrentActivityFunctions", Settings.max_activities)),
        max_orchestrators=int(durable.get("maxConcurrentOrchestratorFunctions", Settings.max_orchestrators)),
        timeout=_seconds(host.get("functionTimeout")),
        threads=_count(environment.get("PYTHON_THREADPOOL_THREAD_COUNT")),
    )


def apply_local_settings(folder: Path, environment: MutableMapping[str, str] = os.environ) -> list[str]:
    """Put the Values of local.settings.json into the environment, unless it already sets them.

    Returns the names that were set.
    """
    values = _read(folder / "local.settings.json").get("Values") or {}
    new = {key: str(value) for key, value in values.items() if key not in environment}
    environment.update(new)
    return sorted(new)


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """The text with each `%NAME%` replaced by that app setting, or by an empty string if it is not set."""
    if text.startswith("%") and text.endswith("%"):
        return environment.get(text.strip("%"), "")
    return text


def _seconds(text: Any) -> float | None:
    """A functionTimeout: "[d.]hh:mm:ss", or "-1" for no limit."""
    if text is None:
        return Settings.timeout
    if str(text) == "-1":
        return None
    found = _TIMESPAN.fullmatch(str(text))
    if found is None:
        raise HostError(f"host.json: functionTimeout {text!r} must be a time span like 00:10:00, or -1 for no limit")
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    return timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds).total_seconds()


def _count(text: str | None) -> int | None:
    if text is None:
        return None
    if not text.isascii() or not text.isdigit() or not 0 < int(text) <= MOST_THREADS:
        raise HostError(f"PYTHON_THREADPOOL_THREAD_COUNT is {text!r}; it must be a number from 1 to {MOST_THREADS}")
    return int(text)


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise HostError(f"{path.name} cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise HostError(f"{path.name} must contain a JSON object")
    return data
