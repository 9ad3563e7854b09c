"""What a callable accepts: whether it can be called with its arguments, and where a NodeContext fits.

What counts is the callable itself: `inspect.signature` follows `__wrapped__`, but a wrapper `def wrapper(state)` takes
one argument, whatever it wraps. A wrapper that takes everything (`*args, **kwargs`) passes it on: in that case the
wrapped function determines whether a context is passed.
"""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from functools import lru_cache, partial
from inspect import Parameter
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import Any, NamedTuple

from .annotations import admits_context, excludes_context

if sys.version_info >= (3, 14):
    from annotationlib import Format

    _signature_of = partial(inspect.signature, follow_wrapped=False, annotation_format=Format.FORWARDREF)
else:
    _signature_of = partial(inspect.signature, follow_wrapped=False)

_POSITIONAL = (Parameter.POSITIONAL_ONLY, Parameter.POSITIONAL_OR_KEYWORD)
_ANYTHING = [Parameter("args", Parameter.VAR_POSITIONAL), Parameter("kwargs", Parameter.VAR_KEYWORD)]
_DEEPEST = 32
"""Decorators that are followed; more than these must be a cycle."""


class ContextParameter(NamedTuple):
    """How a handler takes its NodeContext: after the given arguments, or by keyword."""

    name: str
    keyword_only: bool


def context_parameter(code: Callable[..., Any], given: int) -> ContextParameter | None:
    """The parameter that takes a NodeContext, beyond the `given` positional arguments.

    It is annotated as one (`NodeContext | None`, `Annotated[…]`, a string), or named `context`, or the only other
    argument that the handler requires, unless that is annotated as something else.
    """
    found: ContextParameter | None = _cached(_look_up_context, code, given)
    return found


def signature_problem(code: Callable[..., Any], given: int) -> str | None:
    """Why a call with `given` positional arguments, and a NodeContext if it takes one, must fail; or None."""
    problem: str | None = _cached(_look_up_problem, code, given)
    return problem


def awaits(code: Callable[..., Any]) -> bool:
    """Whether calling it returns a coroutine: an `async def`, a partial or method of one, an async `__call__`."""
    while isinstance(code, partial):
        code = code.func
    if inspect.iscoroutinefunction(code):
        return True
    return not isinstance(code, type) and inspect.iscoroutinefunction(type(code).__call__)


def _look_up_context(code: Callable[..., Any], given: int, depth: int = 0) -> ContextParameter | None:
    parameters = _parameters(code)
    found = _own_context(code, parameters, given)
    if found is not None or depth == _DEEPEST:
        return found
    kinds = {parameter.kind for parameter in parameters}
    wrapped = _wrapped(code)
    if wrapped is None or kinds.isdisjoint({Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD}):
        return None
    inner = _look_up_context(wrapped, given, depth + 1)
    if inner is None or (not inner.keyword_only and Parameter.VAR_POSITIONAL in kinds):
        return inner
    return ContextParameter(inner.name, keyword_only=True) if Parameter.VAR_KEYWORD in kinds else None


def _own_context(code: Callable[..., Any], parameters: list[Parameter], given: int) -> ContextParameter | None:
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    further = positional[given : given + 1]
    by_keyword = [p for p in positional[given + 1 :] if p.kind is Parameter.POSITIONAL_OR_KEYWORD]
    by_keyword += [p for p in parameters if p.kind is Parameter.KEYWORD_ONLY and p.name not in _bound(code)]
    candidates = [*further, *by_keyword]
    scope = scope_of(code)
    for chosen in (
        [p for p in candidates if admits_context(p.annotation, scope)],
        [p for p in candidates if p.name == "context" and not excludes_context(p.annotation, scope)],
        [p for p in candidates if p.default is p.empty and not excludes_context(p.annotation, scope)],
    ):
        if chosen:
            return ContextParameter(chosen[0].name, keyword_only=chosen[0] not in further)
    return None


def _look_up_problem(code: Callable[..., Any], given: int) -> str | None:
    parameters = _parameters(code)
    positional = [parameter for parameter in parameters if parameter.kind in _POSITIONAL]
    if len(positional) < given and all(p.kind is not Parameter.VAR_POSITIONAL for p in parameters):
        takes = f"takes {len(positional) or 'no'} argument{'' if len(positional) == 1 else 's'}"
        return f"{takes}, but is called with {given}"
    context = context_parameter(code, given)
    missing = [
        p
        for p in [*positional[given:], *(p for p in parameters if p.kind is Parameter.KEYWORD_ONLY)]
        if p.default is p.empty and (context is None or p.name != context.name)
    ]
    return f"requires the argument {missing[0].name!r}, which nothing passes" if missing else None


def own_signature(code: Callable[..., Any]) -> inspect.Signature | None:
    """The signature of the callable itself, or None if it is unknown."""
    try:
        return _signature_of(code)
    except Exception:  # a builtin without a signature, or a __signature__ of the user's that fails
        return None


def is_wrapper(code: Callable[..., Any]) -> bool:
    """Whether a decorator has replaced the function whose name it has: its annotations are copies."""
    return _wrapped(code) is not None


def _parameters(code: Callable[..., Any]) -> list[Parameter]:
    signature = own_signature(code)
    return _ANYTHING if signature is None else list(signature.parameters.values())


def _wrapped(code: Callable[..., Any]) -> Callable[..., Any] | None:
    """What a decorator that used `functools.wraps` wraps, with the same arguments bound."""
    if isinstance(code, partial):
        inner = _wrapped(code.func)
        return inner and partial(inner, *code.args, **code.keywords)
    if isinstance(code, MethodType):
        inner = _wrapped(code.__func__)
        return inner and partial(inner, code.__self__)
    inner = getattr(code, "__dict__", {}).get("__wrapped__")
    if inner is None and isinstance(type(code).__call__, FunctionType):
        return _wrapped(MethodType(type(code).__call__, code))
    return inner if callable(inner) else None


def _bound(code: Callable[..., Any]) -> set[str]:
    """The keywords that a partial has bound: they belong to the user."""
    return {*code.keywords, *_bound(code.func)} if isinstance(code, partial) else set()


def scope_of(code: Callable[..., Any]) -> dict[str, Any]:
    """The names that a string annotation of this callable may use."""
    for layer in _layers(code):
        if isinstance(layer, FunctionType):
            return layer.__globals__
    return {}


def _layers(code: Any) -> Iterator[Any]:
    """A callable and the function underneath it, without unwrapping decorators."""
    yield code
    if isinstance(code, partial):
        yield from _layers(code.func)
    elif isinstance(code, MethodType):
        yield code.__func__
    elif not isinstance(code, (type, FunctionType, BuiltinFunctionType)):
        yield type(code).__call__


def _cached(look_up: Callable[[Callable[..., Any], int], Any], code: Callable[..., Any], given: int) -> Any:
    try:
        return _remembered(look_up, code, given)
    except TypeError:  # a callable object that is not hashable
        return look_up(code, given)


@lru_cache(maxsize=1024)
def _remembered(look_up: Callable[[Callable[..., Any], int], Any], code: Callable[..., Any], given: int) -> Any:
    return look_up(code, given)
