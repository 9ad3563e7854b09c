"""What an annotation says for certain. What cannot be resolved, or could mean several things, is ignored."""

from __future__ import annotations

import inspect
import re
import types
from typing import Annotated, Any, ForwardRef, Union, get_args, get_origin

from .context import NodeContext

UNKNOWN: Any = type("Unknown", (), {"__repr__": lambda self: "UNKNOWN"})()
"""An annotation that is missing, or that names something that cannot be found."""


def resolve(annotation: Any, scope: dict[str, Any], depth: int = 5) -> Any:
    """An annotation as an object: strings are evaluated in `scope`, `Annotated` and type aliases are unwrapped."""
    if annotation is inspect.Parameter.empty or not depth:
        return UNKNOWN
    try:
        text = text_of(annotation)
        if text is not None:
            return resolve(eval(text, scope), scope, depth - 1)  # the user's own code, as in typing.get_type_hints
        if get_origin(annotation) is Annotated:
            return resolve(get_args(annotation)[0], scope, depth - 1)
        if type(annotation).__name__ == "TypeAliasType":
            return resolve(annotation.__value__, scope, depth - 1)
    except Exception:  # a name for type checkers only, or one inside a function
        return UNKNOWN
    return annotation


def text_of(annotation: Any) -> str | None:
    """The text of an annotation that has not been evaluated."""
    if isinstance(annotation, ForwardRef):
        return annotation.__forward_arg__
    return annotation if isinstance(annotation, str) else None


def members(annotation: Any, scope: dict[str, Any]) -> list[Any]:
    """The members of a union, each resolved; for anything else, the annotation alone."""
    found = resolve(annotation, scope)
    if get_origin(found) in (Union, types.UnionType):
        return [member for part in get_args(found) for member in members(part, scope)]
    return [found]


def sure_class(annotation: Any) -> type | None:
    """The class that values certainly have: `list` for `list[int]`; None for Any or a Protocol."""
    found = get_origin(annotation) or annotation
    if not isinstance(found, type) or found in (Any, object) or getattr(found, "_is_protocol", False):
        return None
    return found


def admits_context(annotation: Any, scope: dict[str, Any]) -> bool:
    """Whether an annotation names NodeContext: alone, in a union, in Annotated, as text."""
    found = members(annotation, scope)
    if found == [UNKNOWN]:
        return re.search(r"\bNodeContext\b", text_of(annotation) or "") is not None
    return any(isinstance(member, type) and issubclass(member, NodeContext) for member in found)


def excludes_context(annotation: Any, scope: dict[str, Any]) -> bool:
    """Whether a value of this annotation certainly cannot be a NodeContext."""
    classes = [sure_class(member) for member in members(annotation, scope)]
    try:
        return all(cls is not None and not issubclass(NodeContext, cls) for cls in classes)
    except TypeError:  # a class that overrides the subclass check
        return False
