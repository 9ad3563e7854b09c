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
    neither a literal nor a name for one, outside of the route, is left out.
    """
    found: list[dict[str, Any]] = []
    for name, code in graph.nodes.items():
        for call, names in _decisions(code.route) if code.route is not None else ():
            wait = _READERS[call.func.attr](call, names)  # type: ignore[attr-defined]
            if wait and (line := {"node": name, **wait}) not in found:
                found.append(line)
    return found


Names = Mapping[str, Any]
"""What the names in a route stand for, outside of it."""


def _decisions(route: Handler) -> Iterator[tuple[ast.Call, Names]]:
    """The calls in a route's source that make a decision to wait."""
    try:
        function = inspect.unwrap(route)
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
        outside = inspect.getclosurevars(function)
    except (OSError, TypeError, ValueError, SyntaxError):
        return
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr in _READERS:
            yield call, {**outside.globals, **outside.nonlocals}


def _one(call: ast.Call, names: Names) -> dict[str, Any]:
    given = _keywords(call)
    event, resume = _text(given.get("event_name"), names), _text(given.get("resume_node"), names)
    return {"events": {event: resume}, **_deadline(given, names)} if event and resume else {}


def _any(call: ast.Call, names: Names) -> dict[str, Any]:
    given = _keywords(call)
    table = given.get("events", call.args[0] if call.args else None)
    if not isinstance(table, ast.Dict):
        return {}
    pairs = {_text(key, names): _text(value, names) for key, value in zip(table.keys, table.values, strict=True)}
    return {"events": pairs, **_deadline(given, names)} if all([*pairs, *pairs.values()]) else {}


def _sleep(call: ast.Call, names: Names) -> dict[str, Any]:
    given = _keywords(call)
    resume = _text(given.get("resume_node"), names)
    seconds = _seconds(given.get("duration", call.args[0] if call.args else None), names)
    return {"seconds": seconds, "resume_node": resume} if resume else {}


_READERS = {"wait_for_event": _one, "wait_for_any": _any, "sleep": _sleep}


def _deadline(given: Mapping[str, ast.expr], names: Names) -> dict[str, Any]:
    node = _text(given.get("timeout_node"), names)
    return {} if node is None else {"timeout": _seconds(given.get("timeout"), names), "timeout_node": node}


def _keywords(call: ast.Call) -> dict[str, ast.expr]:
    return {word.arg: word.value for word in call.keywords if word.arg is not None}


def _value(given: ast.expr | None, names: Names) -> Any:
    """The value of a literal, a name, or an f-string of those; None for anything else."""
    if isinstance(given, ast.Constant):
        return given.value
    if isinstance(given, ast.Name):
        found = names.get(given.id)
        return found if type(found) in (str, int, float, timedelta) else None
    if isinstance(given, ast.FormattedValue) and given.format_spec is None and given.conversion == -1:
        return _value(given.value, names)
    if isinstance(given, ast.JoinedStr):
        parts = [_value(part, names) for part in given.values]
        return None if None in parts else "".join(map(str, parts))
    return None


def _text(given: ast.expr | None, names: Names) -> str | None:
    found = _value(given, names)
    return found if isinstance(found, str) else None


def _seconds(given: ast.expr | None, names: Names) -> float | None:
    """The length of `timedelta(days=3)`, or of a name for one."""
    named = _value(given, names)
    if isinstance(named, timedelta):
        return named.total_seconds()
    if (
        not isinstance(given, ast.Call)
        or given.args
        or not _UNITS.issuperset(word.arg or "" for word in given.keywords)
    ):
        return None
    parts = {word.arg: _value(word.value, names) for word in given.keywords}
    with contextlib.suppress(TypeError, OverflowError):
        return timedelta(**parts).total_seconds()  # type: ignore[arg-type]
    return None
