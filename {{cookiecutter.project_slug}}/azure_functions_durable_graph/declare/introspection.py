"""What can be read from handlers: targets in a route's annotation, events and fields in the source.

Targets that count (reachability, diagrams, the hash) are declared: `targets=[…]` or a `Literal[…]` annotation. The
source is read only to report mistakes while building instead of when a run gets there: an event without a handler, as
in `wait_for_event(event_name="aproval")`, and two branches that write the same field.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from typing import Any, Literal, get_args, get_origin

from ..graph.annotations import members
from ..graph.signatures import own_signature, scope_of


def annotated_targets(route: Callable[..., Any], otherwise: str) -> tuple[str, ...] | None:
    """The targets that `-> Literal["a", "__complete__"]` declares, or None if the annotation is open.

    `otherwise` is what a returned None means. Only the answer's annotation is read: those of the arguments may name
    what is imported for type checkers only.
    """
    signature = own_signature(route)
    if signature is None:
        return None
    parts = members(signature.return_annotation, scope_of(inspect.unwrap(route)))
    targets: list[str] = []
    for part in parts:
        if get_origin(part) is Literal and all(isinstance(value, str) for value in get_args(part)):
            targets.extend(get_args(part))
        elif part is type(None) and len(parts) > 1:
            targets.append(otherwise)
        else:
            return None
    return tuple(sorted(set(targets))) if targets else None


def awaited_events(route: Callable[..., Any]) -> set[str]:
    """The literal event names of `wait_for_event` calls in the source; none if there is no source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(route)))
    except (OSError, TypeError, SyntaxError):
        return set()
    return {
        keyword.value.value
        for call in ast.walk(tree)
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and call.func.attr == "wait_for_event"
        for keyword in call.keywords
        if keyword.arg == "event_name"
        and isinstance(keyword.value, ast.Constant)
        and isinstance(keyword.value.value, str)
    }


def returned_keys(handler: Callable[..., Any]) -> set[str]:
    """The fields that a handler certainly writes: the literal dict keys that all its `return` statements share."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(handler)))
    except (OSError, TypeError, SyntaxError):
        return set()
    function = tree.body[0] if tree.body else None
    if not isinstance(function, (ast.FunctionDef, ast.AsyncFunctionDef)):
        return set()
    returns = [node for node in ast.walk(function) if isinstance(node, ast.Return)]
    keys = [_literal_keys(item.value) for item in returns]
    return set.intersection(*keys) if keys else set()


def _literal_keys(value: ast.expr | None) -> set[str]:
    if not isinstance(value, ast.Dict):
        return set()
    return {key.value for key in value.keys if isinstance(key, ast.Constant) and isinstance(key.value, str)}
