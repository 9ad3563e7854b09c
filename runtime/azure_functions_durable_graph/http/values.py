"""HTTP as plain values: requests, responses and problems, without any host.

Every error leaves as RFC 9457 problem+json. A problem's `type` is a URN that programs can compare.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import PayloadError
from ..graph.plain_json import check, parse

JSON, PROBLEM = "application/json", "application/problem+json"
TEXT = "text/plain; charset=utf-8"

DEEPEST = 100
"""Levels of nesting in what a client sends. A state is read by a parser that stops at 200, and a handler may put what
was sent somewhere inside of a state."""

MAX_WAIT = 60.0
"""Longest long poll in seconds. Azure's front end cuts a request off after 230."""


@dataclass(frozen=True)
class Request:
    """One HTTP request. `root` is the URL before the route, e.g. `http://localhost:7071/api`.

    `headers` are those that a route reads, by their names in lower case.
    """

    params: Mapping[str, str]
    query: Mapping[str, str]
    body: bytes
    root: str
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Response:
    """One HTTP response; `body` is JSON unless `content_type` says otherwise."""

    status: int
    body: Any
    headers: Mapping[str, str] = field(default_factory=dict)
    content_type: str = JSON

    def encoded(self) -> bytes:
        """The body's bytes. JSON is written in ASCII, so that a lone surrogate cannot break the answer.

        What is no JSON, in an instance that was not started through this API, is written so that clients can read it.
        """
        if self.status == 204:
            return b""
        if self.content_type not in (JSON, PROBLEM):
            return str(self.body).encode("utf-8")
        try:
            return json.dumps(self.body, indent=2, allow_nan=False).encode("ascii")
        except (ValueError, RecursionError):
            return json.dumps(_readable(self.body), indent=2).encode("ascii")


def _readable(value: Any, depth: int = 0) -> Any:
    """NaN and infinities as their names; what is nested too deeply is cut off."""
    if isinstance(value, float) and not math.isfinite(value):
        return repr(value)
    if isinstance(value, (Mapping, list, tuple)) and depth == DEEPEST:
        return "… (nested too deeply to be shown)"
    if isinstance(value, Mapping):
        return {str(key): _readable(item, depth + 1) for key, item in value.items()}
    return [_readable(item, depth + 1) for item in value] if isinstance(value, (list, tuple)) else value


_PROBLEMS = {
    "not-json": (400, "The body is not JSON"),
    "graph-not-found": (404, "No such graph"),
    "run-not-found": (404, "No such run"),
    "event-not-found": (404, "No such event"),
    "run-live": (409, "The run has not finished"),
    "run-part": (409, "The run is a part of another run"),
    "run-not-failed": (409, "The run has not failed"),
    "step-not-known": (409, "The run's state at this node is not known"),
    "run-exists": (409, "The run id is in use"),
    "event-not-awaited": (409, "The run is not asking for this event"),
    "event-ambiguous": (409, "Several runs are asking for this event"),
    "event-answered": (409, "The run has taken another answer"),
    "event-expired": (409, "The deadline of the wait has passed"),
    "run-finished": (410, "The run has finished"),
    "body-too-large": (413, "The body is too large"),
    "invalid": (422, "The request is not valid"),
    "key-reused": (422, "The idempotency key was used for another request"),
    "graph-faulty": (500, "The graph does not fit the app's other graphs"),
    "internal": (500, "Something went wrong on the server"),
    "deletion-unfinished": (503, "Not everything has been deleted yet"),
}


class Problem(Exception):  # noqa: N818 - it is the answer to a request, not a failure of the program
    """An answer that is a problem. Raised anywhere below a handler; becomes the response."""

    def __init__(self, code: str, detail: str, **members: Any) -> None:
        self.code, self.detail, self.members = code, detail, members
        self.status, self.title = _PROBLEMS[code]
        super().__init__(f"{self.status} {code}: {detail}")

    def response(self) -> Response:
        """The problem+json response."""
        body = {
            "type": f"urn:durable-graph:{self.code}",
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.members,
        }
        return Response(self.status, body, content_type=PROBLEM)


def read_json(request: Request, limit: int, empty: Any) -> Any:
    """The body as JSON, or `empty` where there is none. Problems: 413, 400 and, for what a run could not hold, 422."""
    if len(request.body) > limit:
        raise Problem("body-too-large", f"the body has {len(request.body)} bytes; the limit is {limit}")
    if not request.body.strip():
        return empty
    try:
        value = parse(request.body)
    except PayloadError as error:
        raise Problem("not-json", str(error)) from None
    try:
        check(value, "body", DEEPEST)
    except PayloadError as error:
        raise Problem("invalid", str(error)) from None
    return value


_DECIMAL = re.compile(r"([0-9]{1,9}(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?")
"""A number as JSON and JavaScript write it: Python reads 1_0 and digits of other scripts as well."""


def read_wait(request: Request, default: float) -> float:
    """`?wait=SECONDS`, between 0 and MAX_WAIT. Problem: 422."""
    text = request.query.get("wait")
    if text is None:
        return default
    seconds = float(text) if _DECIMAL.fullmatch(text) else -1.0
    if not 0 <= seconds <= MAX_WAIT:
        raise Problem("invalid", f"wait must be a number of seconds from 0 to {MAX_WAIT:.0f}, not {text!r}")
    return seconds


KEY_HEADER = "idempotency-key"
LONGEST_KEY = 200


def read_key(request: Request) -> str | None:
    """The client's `Idempotency-Key`, None where it sends none. Problem: 422."""
    key = request.headers.get(KEY_HEADER)
    if key is not None and not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise Problem("invalid", f"an Idempotency-Key must be 1 to {LONGEST_KEY} printable ASCII characters")
    return key
