"""W3C trace context: who called, as the two headers of https://www.w3.org/TR/trace-context/, in plain JSON.

A run carries it in its input, so that what its nodes do, maybe weeks later, can be found from the call that started it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ..run.messages import TraceContext

_PARENT = re.compile(
    r"(?!ff)([0-9a-f]{2})-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(-.*)?", re.ASCII
)
_MEMBER = re.compile(
    r"[a-z0-9][a-z0-9_*/-]{0,240}(?:@[a-z][a-z0-9_*/-]{0,13})?"
    r"=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]"
)

MOST_MEMBERS, LONGEST_STATE = 32, 512
"""Members and characters of a tracestate. The standard allows to drop what is longer."""


def read_trace(headers: Any) -> TraceContext | None:
    """The trace context of a request's headers (names in lower case), or of what a run carries; None if not valid.

    A newer version is read as this one, as the standard says. A tracestate that is malformed is left out by itself.
    """
    if not isinstance(headers, Mapping):
        return None
    found = _PARENT.fullmatch(_text(headers.get("traceparent")))
    if found is None or (found[1] == "00" and found[5] is not None):
        return None
    trace: TraceContext = {"traceparent": f"00-{found[2]}-{found[3]}-{found[4]}"}
    state = _state(_text(headers.get("tracestate")))
    if state:
        trace["tracestate"] = state
    return trace


def trace_of(context: Any) -> TraceContext | None:
    """The trace context of an invocation's `func.Context`, which the host has made for it.

    Older workers have only the names that newer ones call deprecated.
    """
    given = getattr(context, "trace_context", None)
    parent = getattr(given, "trace_parent", None) or getattr(given, "Traceparent", None)
    state = getattr(given, "trace_state", None) or getattr(given, "Tracestate", None)
    return read_trace({"traceparent": parent, "tracestate": state})


def trace_id(trace: TraceContext) -> str:
    """The 32 hex digits that all spans of a trace share."""
    return trace["traceparent"][3:35]


def is_sampled(trace: TraceContext) -> bool:
    """Whether the caller records the trace."""
    return bool(int(trace["traceparent"][-2:], 16) & 1)


def _text(value: Any) -> str:
    return value.strip(" \t") if isinstance(value, str) else ""


def _state(text: str) -> str:
    members = [member for part in text.split(",") if (member := part.strip(" \t"))]
    keys = {member.partition("=")[0] for member in members}
    valid = len(keys) == len(members) <= MOST_MEMBERS and all(map(_MEMBER.fullmatch, members))
    joined = ",".join(members)
    return joined if valid and len(joined) <= LONGEST_STATE else ""
