"""Compares the annotations of handlers and routes with the graph: mistakes that a type checker would find.

Only what is certain is a fault. Unions, protocols, `Any`, type variables, names that cannot be resolved and functions
that a decorator has replaced are ignored.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from inspect import Parameter
from typing import Any, NamedTuple, get_args

from pydantic import BaseModel

from ..errors import Fault
from ..graph.annotations import members, sure_class
from ..graph.signatures import is_wrapper, own_signature, scope_of

_NOT_AN_UPDATE = (list, tuple, set, frozenset, str, bytes, bool, int, float, complex)
_NOT_A_DECISION = (list, tuple, set, frozenset, bytes, bool, int, float, complex, BaseModel)
_PLAIN = (dict, *_NOT_AN_UPDATE)


class Role(NamedTuple):
    """What a piece of user code is for, and which arguments it gets."""

    word: str
    arguments: tuple[str, ...]

    @property
    def shapes(self) -> str:
        """How it can be declared: `handler(state) or handler(state, context: NodeContext)`."""
        name, given = self.word.rpartition(" ")[2], ", ".join(self.arguments)
        return f"{name}({given}) or {name}({given}, context: NodeContext)"


def annotation_faults(
    where: str, role: Role, code: Callable[..., Any], state_model: type[BaseModel] | None, second: Any
) -> Iterator[Fault]:
    """Arguments and return values with a wrong annotation; `second` is the type of the second argument."""
    signature = own_signature(code)
    if signature is None or is_wrapper(code) or state_model is None:
        return
    scope = scope_of(code)
    positional = [
        _class_of(p.annotation, scope)
        for p in signature.parameters.values()
        if p.kind in (p.POSITIONAL_ONLY, p.POSITIONAL_OR_KEYWORD)
    ]
    takes = [*positional, None, None]
    if takes[0] is not None and _is_definite(takes[0]) and not _fits(state_model, takes[0]):
        yield Fault(
            where,
            f"its {role.word} takes {_a(takes[0])}, but the state of the graph is {_a(state_model)}",
            f"Annotate its first argument as {state_model.__name__}",
        )
    if takes[1] is not None and len(role.arguments) > 1:
        yield from _check_second_argument(where, role, takes[1], second)
    yield from _check_result(where, role, _class_of(signature.return_annotation, scope), state_model)


def _check_second_argument(where: str, role: Role, takes: type, gives: Any) -> Iterator[Fault]:
    given = sure_class(gives)
    if gives is None and role.word == "event handler" and issubclass(takes, BaseModel):
        yield Fault(
            where,
            f"its event handler takes {_a(takes)}, but without a payload_model it gets plain JSON",
            f"Pass payload_model={takes.__name__}",
        )
    elif given is not None and _is_definite(takes) and not _fits(given, takes):
        what = role.arguments[1]
        yield Fault(
            where,
            f"its {role.word} takes {_a(takes)} as its {what}, but is given {_a(given)}",
            f"Annotate its {what} as {given.__name__}",
        )


def _check_result(where: str, role: Role, returns: type | None, state_model: type[BaseModel]) -> Iterator[Fault]:
    if returns is None or role.word == "map handler":
        return
    if role.word == "route":
        if issubclass(returns, _NOT_A_DECISION):
            fix = "Return a RouteDecision, the name of a node, a dict or None"
            yield Fault(where, f"its route returns {_a(returns)}", fix)
    elif issubclass(returns, _NOT_AN_UPDATE) or (
        issubclass(returns, BaseModel) and not _fits(returns, state_model) and not _fits(state_model, returns)
    ):
        fix = f"Return a dict of changed fields, {_a(state_model)} or None"
        yield Fault(where, f"its {role.word} returns {_a(returns)}", fix)


def element_type(model: type[BaseModel] | None, field: str | None) -> Any:
    """The type of the items of a list field, or None if it is not a single type."""
    info = None if model is None or field is None else model.model_fields.get(field)
    if info is None:
        return None
    lists = [member for member in members(info.annotation, {}) if member is not type(None)]
    cls = sure_class(lists[0]) if len(lists) == 1 else None
    if cls is None or not issubclass(cls, (Sequence, set, frozenset)):
        return None
    inner = get_args(lists[0])
    if len(inner) == 1 or (len(inner) == 2 and inner[1] is Ellipsis):
        (item, *others) = members(inner[0], {})
        return None if others else item
    return None


def item_type_faults(where: str, declared: Any, element: Any) -> Iterator[Fault]:
    """An `item_type` that is certainly not the type of the items."""
    wanted, given = sure_class(declared), sure_class(element)
    if wanted is not None and given is not None and _is_definite(wanted) and not _fits(given, wanted):
        yield Fault(
            where,
            f"item_type is {wanted.__name__}, but its items are of type {given.__name__}",
            f"Pass item_type={given.__name__}, or omit it",
        )


def _class_of(annotation: Any, scope: dict[str, Any]) -> type | None:
    if annotation is Parameter.empty:
        return None
    (found, *others) = members(annotation, scope)
    return None if others else sure_class(found)


def _is_definite(cls: type) -> bool:
    """Whether it is a model or a plain type; other classes may be base classes, or ABCs with registered subclasses."""
    return issubclass(cls, BaseModel) or cls in _PLAIN


def _fits(given: type, taken: type) -> bool:
    """Whether a value of class `given` may be passed to a parameter annotated as `taken`."""
    if issubclass(given, taken) or _origin(given) is _origin(taken):
        return True
    return taken in (float, complex) and issubclass(given, (int, float))


def _origin(cls: type) -> Any:
    """The generic model that a class specialises; otherwise the class itself."""
    return (getattr(cls, "__pydantic_generic_metadata__", None) or {}).get("origin") or cls


def _a(cls: type) -> str:
    name = cls.__name__
    return f"{'an' if name[:1].lower() in 'aeiou' else 'a'} {name}"
