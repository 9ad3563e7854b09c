"""How a handler can be called: provisional, replaced by the full version."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from .context import NodeContext


@dataclass(frozen=True)
class ContextParameter:
    """The parameter that takes the NodeContext."""

    name: str
    keyword_only: bool


def context_parameter(code: Callable[..., Any], given: int) -> ContextParameter | None:
    """The parameter of `code` that takes a NodeContext after `given` arguments, if there is one."""
    try:
        parameters = list(inspect.signature(code).parameters.values())
    except (TypeError, ValueError):
        return None
    for p in parameters:
        if p.kind is p.KEYWORD_ONLY and (p.name == "context" or p.annotation in (NodeContext, "NodeContext")):
            return ContextParameter(p.name, True)
    positional = [p for p in parameters if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)]
    if len(positional) <= given:
        return None
    extra = positional[given]
    if extra.default is extra.empty or extra.name == "context" or extra.annotation in (NodeContext, "NodeContext"):
        return ContextParameter(extra.name, False)
    return None


def awaits(code: Callable[..., Any]) -> bool:
    """Whether a call of `code` gives a coroutine."""
    while isinstance(code, functools.partial):
        code = code.func
    return inspect.iscoroutinefunction(code) or inspect.iscoroutinefunction(type(code).__call__)
