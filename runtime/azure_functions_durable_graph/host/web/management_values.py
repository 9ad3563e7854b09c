"""The requests and responses of the management API."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

from ...errors import HostError
from ..engine.history_events import decode, timestamp
from ..engine.instance import Instance, Listed

CONTINUATION = "x-ms-continuation-token"


@dataclass(frozen=True)
class Asked:
    """One request: the names in its path, its query (keys in lower case), its body, a continuation token."""

    names: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes = b""
    token: str = ""

    def moment(self, name: str) -> datetime | None:
        """A time in the query. Raises HostError if it is not valid."""
        text = self.query.get(name.lower(), "")
        if not text:
            return None
        try:
            found = datetime.fromisoformat(re.sub(r"(\.\d{6})\d+", r"\1", text.strip().replace("Z", "+00:00")))
            return found.astimezone(timezone.utc) if found.tzinfo else found.replace(tzinfo=timezone.utc)
        except (ValueError, OverflowError):  # such as the first hour of the year 1, in Tokyo
            raise HostError(f"{name}={text!r} is not a valid time; write it like 2026-01-31T08:00:00Z") from None

    def number(self, name: str, default: int) -> int:
        """An integer in the query, or the default if it has none. Raises HostError for one out of range."""
        return number(self.query.get(name.lower(), ""), default, name)

    def flag(self, name: str, default: bool = False) -> bool:
        """A boolean in the query."""
        return self.query.get(name.lower(), str(default)).lower() == "true"

    def words(self, name: str) -> set[str]:
        """A comma-separated list in the query."""
        return {word.strip() for word in self.query.get(name.lower(), "").split(",") if word.strip()}

    def json(self) -> str | None:
        """The body as compact JSON text, None for an empty one. Raises HostError if it is not JSON."""
        if not self.body.strip():
            return None
        try:
            return json.dumps(json.loads(self.body))
        except (ValueError, RecursionError):
            raise HostError("the request body is not JSON, or nested too deeply") from None


@dataclass(frozen=True)
class Answer:
    """Status, JSON body (None: empty) and headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


def error(status: int, message: str) -> Answer:
    """The extension's error body. The client of 1.7 reads ExceptionMessage, newer extensions send Message."""
    return Answer(status, {"Message": message, "ExceptionMessage": message, "ExceptionType": "", "StackTrace": ""})


def number(text: str, default: int, name: str) -> int:
    """An integer, or the default for any other text. Raises HostError for one of more than nine digits."""
    if not (text.isascii() and text.isdigit()):
        return default
    if len(text) > 9:
        raise HostError(f"{name} must be at most 999999999, not a number of {len(text)} digits")
    return int(text)


def id_problem(instance_id: str) -> str | None:
    """Why Azure Storage would reject an instance id, or None."""
    if instance_id.startswith("@"):
        return "Instance IDs must not start with '@'."
    if len(instance_id) > 256 or re.search(r"[/\\#?\x00-\x1f\x7f-\x9f]", instance_id):
        return (
            "Instance IDs must not be longer than 256 characters nor contain '/', '\\', '#', '?' or control characters."
        )
    return None


def status_view(instance: Instance | Listed, show_input: bool) -> dict[str, Any]:
    """The status payload: input decoded once, output and custom status decoded if they are JSON."""
    return {
        "name": instance.name,
        "instanceId": instance.id,
        "runtimeStatus": instance.status,
        "input": decode(instance.input) if show_input else None,
        "customStatus": decode(instance.custom_status),
        "output": decode(instance.output),
        "createdTime": timestamp(instance.created)[:19] + "Z",
        "lastUpdatedTime": timestamp(instance.updated)[:19] + "Z",
    }


def waiting_of(query: Mapping[str, str]) -> tuple[int, int]:
    """How long a start waits, in seconds: between two polls, and at most."""
    pause = number(query.get("pollinginterval", ""), 1, "pollingInterval")
    return max(1, pause), number(query.get("timeout", ""), 0, "timeout")


def page_after(token: str) -> int:
    """Where a page begins. Raises HostError for a continuation token that no page returned."""
    after = number(token, -1 if token else 0, CONTINUATION)
    if after < 0:
        raise HostError(f"{CONTINUATION}: {token[:40]!r} does not come from a page of this list")
    return after


def id_in_use(instance: Instance) -> Answer:
    """The response to a start under the id of an instance that has not ended."""
    return error(409, f"An Orchestration instance with the status {instance.status} already exists.")


def unavailable(instance: Instance | None) -> Answer:
    """The response for an instance that is unknown, or over."""
    return Answer(404) if instance is None else Answer(410)


def final_answer(instance: Instance) -> Answer:
    """The response to a start that waited: the output, or the status of an instance that did not complete."""
    if instance.status == "Completed":
        return Answer(200, decode(instance.output))
    return Answer(500 if instance.status == "Failed" else 200, status_view(instance, show_input=True))
