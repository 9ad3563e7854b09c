"""What a route handler's source gives away: declared targets, and literals that name nodes and events. Floor 3.

Targets that count (reachability, diagrams, the hash) are declared: `targets=[…]` or a `Literal[…]` annotation.
Literals found in the source only ever accuse: a `wait_for_event(event_name="aproval")` that nobody handles is
reported while building instead of after a person has answered.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints


@dataclass(frozen=True)
class Literals:
    """Names that a route handler's source mentions literally."""

    nodes: frozenset[str] = frozenset()
    events: frozenset[str] = frozenset()


def annotated_targets(route: Callable[..., Any], otherwise: str) -> tuple[str, ...] | None:
    """The targets that `-> Literal["a", "__complete__"]` promises, or None where the annotation is open.

    `otherwise` is what a returned None stands for.
    """
    try:
        answer = get_type_hints(route).get("return")
    except Exception:  # annotations are the user's code: a name that does not resolve is no fault of the graph
        return None
    parts = get_args(answer) if get_origin(answer) in (Union, types.UnionType) else (answer,)
    targets: list[str] = []
    for part in parts:
        if get_origin(part) is Literal and all(isinstance(value, str) for value in get_args(part)):
            targets.extend(get_args(part))
        elif part is type(None) and len(parts) > 1:
            targets.append(otherwise)
        else:
            return None
    return tuple(sorted(set(targets))) if targets else None


def literals(route: Callable[..., Any]) -> Literals:
    """The literal arguments of RouteDecision calls in the source; nothing where there is no source."""
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(route)))
    except (OSError, TypeError, SyntaxError):
        return Literals()
    nodes: set[str] = set()
    events: set[str] = set()
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and _is_decision(call.func.value):
            bins = {"next": {"node": nodes}, "wait_for_event": {"event_name": events, "resume_node": nodes}}
            for name, text in _arguments(call):
                target = bins.get(call.func.attr, {}).get(name)
                if target is not None:
                    target.add(text)
    return Literals(frozenset(nodes), frozenset(events))


def _is_decision(value: ast.expr) -> bool:
    name = value.attr if isinstance(value, ast.Attribute) else getattr(value, "id", "")
    return name == "RouteDecision"


def _arguments(call: ast.Call) -> Iterator[tuple[str, str]]:
    positional = [("node", argument) for argument in call.args[:1]]
    for name, value in [*positional, *((keyword.arg, keyword.value) for keyword in call.keywords)]:
        if name and isinstance(value, ast.Constant) and isinstance(value.value, str):
            yield name, value.value
