"""How much may cross the durable boundary at once: one limit for inputs, states, results and answers.

The Durable Task Scheduler rejects messages of more than 1 MB, far from the node that made them.
DurableTask.AzureStorage moves what is large to blobs, and has no limit of its own.
"""

from __future__ import annotations

import json
import marshal
from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from ..errors import PayloadTooLarge, RegistrationError

MOST_BYTES = 1_000_000
"""What an app allows unless it says something else (`DurableGraphApp(max_payload_bytes=…)`)."""

LEAST_BYTES = 10_000
"""Less than this no run could use: its plan and its trail cross with it."""

FOR_STATES = Fraction(95, 100)
"""How much of it a state may take: the rest is for what crosses with it, such as the plan and the trail."""

WIDEST = 8
"""How many bytes one byte of marshal's form takes at most, where it is sent."""

MOST_FIELDS = 3
"""Fields that an error names, largest first."""


def sent_bytes(text: str) -> int:
    """The bytes of ASCII JSON text where it is sent: as a string within JSON."""
    return len(text) + text.count('"') + text.count("\\")


def bytes_of(value: Any) -> int:
    """The bytes that a JSON value takes where it is sent."""
    return sent_bytes(json.dumps(value))


def surely_fits(value: Any, most: int) -> bool:
    """Whether a JSON value takes no more bytes than that, as far as can be told in a fraction of the time.

    A byte of marshal's form, without references, takes at most eight where it is sent (a control character, `false`).
    """
    try:
        return WIDEST * len(marshal.dumps(value, 2)) <= most
    except ValueError:  # nested too deeply, or not plain
        return False


def check_text(text: str, most: int, what: str, fields: Mapping[str, Any] | None = None) -> None:
    """Raise PayloadTooLarge if the JSON text takes more than `most` bytes where it is sent."""
    if 2 * len(text) > most and (size := sent_bytes(text)) > most:
        raise PayloadTooLarge(_sentence(what, size, most, _largest(fields or {})))


def check_value(value: Any, most: int, what: str, fields: Mapping[str, Any] | None = None) -> None:
    """The same for a JSON value. Of `fields` the errors name the largest."""
    if surely_fits(value, most):
        return
    size = bytes_of(value)
    if size > most:
        raise PayloadTooLarge(_sentence(what, size, most, _largest(fields or {})))


def check_state(fields: Mapping[str, Any], most: int, what: str) -> None:
    """Raise PayloadTooLarge if a state, or what is to become part of one, takes more than a state may."""
    room = int(most * FOR_STATES)
    if surely_fits(fields, room):
        return
    size = bytes_of(fields)
    if size > room:
        raise PayloadTooLarge(
            f"{what} takes {size:,} bytes{_largest(fields)}, but a state may take {room:,}, 95 % of "
            "max_payload_bytes; keep large data in a blob or a file, and its name in the state"
        )


def check_limit(most: object) -> int:
    """A limit as an app gives it. Raises RegistrationError for what is none."""
    if not isinstance(most, int) or isinstance(most, bool) or most < LEAST_BYTES:
        raise RegistrationError(f"max_payload_bytes must be a whole number of at least {LEAST_BYTES:,}, not {most!r}")
    return most


def _sentence(what: str, size: int, most: int, largest: str = "") -> str:
    return (
        f"{what} takes {size:,} bytes{largest}, but max_payload_bytes is {most:,}; "
        "keep large data in a blob or a file, and its name in the state"
    )


def _largest(fields: Mapping[str, Any]) -> str:
    sizes = sorted(((bytes_of(value), name) for name, value in fields.items()), reverse=True)
    named = ", ".join(f"{name} {size:,}" for size, name in sizes[:MOST_FIELDS])
    return f" ({named})" if named else ""
