"""The waits that the source of a graph's routes shows, for pictures: `wait_for_event(event_name="…", resume_node="…")`.

What a route decides is known only when it runs. So a picture shows what is written down, and says nothing about the
rest; nothing else may depend on it.
"""

from __future__ import annotations

import ast
import contextlib
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from ..graph.registration import GraphRegistration, Handler

_UNITS = frozenset({"weeks", "days", "hours", "minutes", "seconds"})


def waits_in_code(graph: GraphRegistration) -> list[dict[str, Any]]:
    """Each wait with its `node`, what opens it (`events` with the nodes to which they lead) and its deadline.

    `timeout` is in seconds, `timeout_node` where the run goes then; a sleep has no events, and `resume_node`. What is
    not written as a literal is left out.
    """
    found: list[dict[str, Any]] = []
    for name, code in graph.nodes.items():
        for call in _decisions(code.route) if code.route is not None else ():
            wait = _READERS[call.func.attr](call)  # type: ignore[attr-defined]
            if wait and (line := {"node": name, **wait}) not in found:
                found.append(line)
    return found


def _decisions(route: Handler) -> Iterator[ast.Call]:
    """The calls in a route's source that make a decision to wait."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(inspect.unwrap(route))))
    except (OSError, TypeError, ValueError, SyntaxError):
        return
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _READERS:
            yield call


def _one(call: ast.Call) -> dict[str, Any]:
    given = _keywords(call)
    event, resume = _text(given.get("event_name")), _text(given.get("resume_node"))
    return {"events": {event: resume}, **_deadline(given)} if event and resume else {}


def _any(call: ast.Call) -> dict[str, Any]:
    given = _keywords(call)
    table = given.get("events", call.args[0] if call.args else None)
    if not isinstance(table, ast.Dict):
        return {}
    pairs = {_text(key): _text(value) for key, value in zip(table.keys, table.values, strict=True)}
    return {"events": pairs, **_deadline(given)} if all([*pairs, *pairs.values()]) else {}


def _sleep(call: ast.Call) -> dict[str, Any]:
    given = _keywords(call)
    resume = _text(given.get("resume_node"))
    seconds = _seconds(given.get("duration", call.args[0] if call.args else None))
    return {"seconds": seconds, "resume_node": resume} if resume else {}


_READERS = {"wait_for_event": _one, "wait_for_any": _any, "sleep": _sleep}


def _deadline(given: Mapping[str, ast.expr]) -> dict[str, Any]:
    node = _text(given.get("timeout_node"))
    return {} if node is None else {"timeout": _seconds(given.get("timeout")), "timeout_node": node}


def _keywords(call: ast.Call) -> dict[str, ast.expr]:
    return {word.arg: word.value for word in call.keywords if word.arg is not None}


def _text(value: ast.expr | None) -> str | None:
    return value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else None


def _seconds(value: ast.expr | None) -> float | None:
    """The length of a literal `timedelta(days=3)`."""
    if not (isinstance(value, ast.Call) and isinstance(value.func, (ast.Name, ast.Attribute))):
        return None
    named = {word.arg: word.value.value for word in value.keywords if isinstance(word.value, ast.Constant)}
    if not named or len(named) < len(value.keywords) + len(value.args) or not _UNITS.issuperset(named):
        return None
    with contextlib.suppress(TypeError, OverflowError):
        return timedelta(**named).total_seconds()  # type: ignore[arg-type]
    return None
