"""Answers: what was raised, and what a run has not taken of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any

from ..graph.names import is_internal, split_address
from .messages import DiscardedEvent

LONGEST_NAME = 200
"""Characters that are kept of an event's name, which anybody may have raised."""


def decoded(text: Any) -> Any:
    """The API decodes JSON once, or not at all: text that is JSON is the value that it holds."""
    try:
        return json.loads(text) if isinstance(text, str) else text
    except (ValueError, RecursionError):
        return text


def opened(raised: Any) -> tuple[str, Any]:
    """The id and the payload of what was raised.

    Our routes raise an EventEnvelope. The SDK's client delivers it as JSON text; a raw management call delivers any
    value, which has no id.
    """
    raised = decoded(raised)
    if isinstance(raised, dict) and "payload" in raised and set(raised) <= {"id", "payload"}:
        return str(raised.get("id", "")), raised["payload"]
    return "", raised


def discarded_events(raised: Iterable[tuple[str, Any, str]], taken: Iterable[Sequence[Any]]) -> list[DiscardedEvent]:
    """The raised events (name, input, time) that are not among the answers taken: `[step, id]`, one for each event.

    What parts of maps and the runs above them tell each other is none of them.
    """
    left = Counter((step, event_id) for step, event_id in taken)
    discarded = []
    for address, value, at in raised:
        if is_internal(address):
            continue
        (event, step), (event_id, _) = split_address(address), opened(decoded(value))
        if step is not None and left[step, event_id] > 0:
            left[step, event_id] -= 1
            continue
        line: DiscardedEvent = {"event": event[:LONGEST_NAME], "at": at}
        if step is not None:
            line["step"] = step
            if event_id:
                line["event_id"] = f"{address[:LONGEST_NAME]}.{event_id[:LONGEST_NAME]}"
        discarded.append(line)
    return discarded
