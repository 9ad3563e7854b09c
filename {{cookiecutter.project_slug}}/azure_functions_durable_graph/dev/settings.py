"""What the Functions host reads beside the code: host.json and local.settings.json."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import HostError


@dataclass(frozen=True)
class Settings:
    """The part of host.json that the local host obeys."""

    route_prefix: str = "api"
    hub_name: str = "TestHubName"
    max_activities: int = 10
    max_orchestrators: int = 10


def read_settings(folder: Path, environment: Mapping[str, str]) -> Settings:
    """Read host.json, if there is one. Raises HostError for one that cannot be read."""
    extensions = _read(folder / "host.json").get("extensions") or {}
    http, durable = extensions.get("http") or {}, extensions.get("durableTask") or {}
    prefix = environment.get(
        "AzureFunctionsJobHost__extensions__http__routePrefix", http.get("routePrefix", Settings.route_prefix)
    )
    return Settings(
        route_prefix=str(prefix).strip("/"),
        hub_name=expanded(str(durable.get("hubName", Settings.hub_name)), environment) or Settings.hub_name,
        max_activities=int(durable.get("maxConcurrentActivityFunctions", Settings.max_activities)),
        max_orchestrators=int(durable.get("maxConcurrentOrchestratorFunctions", Settings.max_orchestrators)),
    )


def apply_local_settings(folder: Path, environment: MutableMapping[str, str] = os.environ) -> list[str]:
    """Put the Values of local.settings.json into the environment, where it does not set them already.

    Returns the names that were set.
    """
    values = _read(folder / "local.settings.json").get("Values") or {}
    new = {key: str(value) for key, value in values.items() if key not in environment}
    environment.update(new)
    return sorted(new)


def expanded(text: str, environment: Mapping[str, str]) -> str:
    """`%NAME%` is an app setting: its value, or an empty string where it is not set."""
    if text.startswith("%") and text.endswith("%"):
        return environment.get(text.strip("%"), "")
    return text


def _read(path: Path) -> dict[str, Any]:
    if not path.exists():
        return {}
    try:
        data = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise HostError(f"{path.name} cannot be read: {error}") from None
    if not isinstance(data, dict):
        raise HostError(f"{path.name} must hold a JSON object")
    return data
