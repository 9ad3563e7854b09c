"""What the Python worker rejects when it loads a function, exactly, in sentences that a person can act on.

The rules are those of `azure_functions_worker/functions.py` (worker 4.x, up to Python 3.12) and of
`azure_functions_runtime/functions.py` (3.13 and newer). The template's tests compare these rules with the library.
"""

from __future__ import annotations

import collections.abc
import inspect
import sys
import time
import typing
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from azure.functions import meta

OUT, INOUT = 1, 2
"""Directions of a binding, as the SDK numbers them."""

_CONTEXT_ONLY = {"orchestrationTrigger": "orchestrator", "entityTrigger": "entity"}
_ALIASES = (typing._GenericAlias, typing._SpecialGenericAlias)  # type: ignore[attr-defined]  # as the worker checks
_NOT_GENERIC = (typing.Union, tuple, typing.ClassVar, collections.abc.Callable)


@dataclass(frozen=True)
class Declaration:
    """A function as its decorators and its signature declare it. `bindings` has all but `$return`."""

    name: str
    parameters: Mapping[str, inspect.Parameter]
    hints: Mapping[str, Any]
    bindings: Mapping[str, Any]
    result: str | None
    """The type of the binding that takes the return value; None if nothing may be returned."""

    explicit_result: bool
    retry: Mapping[str, Any]

    def converter_type(self, parameter: str) -> str:
        """The binding type whose converter makes the argument; a str or bytes annotation usually means the raw data."""
        kind = str(self.bindings[parameter].type)
        plain = _expected(self.hints.get(parameter)) in (str, bytes)
        return "generic" if plain and not _has_implicit_output(kind) else kind


def declaration(item: Any) -> Declaration:
    """Read one function of `app.get_functions()`. Raises whatever reading its signature and annotations raises."""
    code, bindings = item.get_user_function(), item.get_bindings()
    inspect.getfile(code)  # the worker needs its folder
    explicit = [binding.type for binding in bindings if binding.name == "$return"]
    implicit = [binding.type for binding in bindings if _has_implicit_output(binding.type)]
    return Declaration(
        name=item.get_function_name(),
        parameters=inspect.signature(code).parameters,
        hints=typing.get_type_hints(code),
        bindings={binding.name: binding for binding in bindings if binding.name != "$return"},
        result=next(iter([*explicit, *reversed(implicit)]), None),
        explicit_result=bool(explicit),
        retry=item.get_settings_dict("retry_policy") or {},
    )


def load_problems(item: Any) -> Iterator[str]:
    """Why the worker would reject one function of `app.get_functions()`: a sentence for each reason."""
    name = item.get_function_name()
    for binding in item.get_bindings():
        if binding.direction == INOUT:
            yield f"{name}: the binding {binding.name!r} has the direction 'inout', which Python does not support"
        if binding.name == "$return" and binding.direction != OUT:
            yield f"{name}: the binding '$return' must have the direction 'out'"
    try:
        declared = declaration(item)
    except Exception as error:  # the annotations are the app's code
        yield f"{name}: its signature or annotations cannot be read ({type(error).__name__}: {error})"
        return
    kind = item.get_trigger().type
    if kind in _CONTEXT_ONLY and "context" not in declared.bindings:
        yield f"{name}: the {_CONTEXT_ONLY[kind]}'s context_name must be 'context'"
        return
    for rule in (_parameter_problems, _return_problems, _retry_problems):
        yield from (f"{name}: {problem}" for problem in rule(declared))


def _parameter_problems(declared: Declaration) -> Iterator[str]:
    for parameter in declared.parameters:
        if parameter in declared.bindings:
            yield from _annotation_problems(declared, parameter)
        elif parameter == "context":
            wanted = declared.hints.get("context")
            if "context" in declared.hints and not (isinstance(wanted, type) and wanted.__name__ == "Context"):
                yield f"'context' is annotated {_display(wanted)}; it must be azure.functions.Context"
        elif not _is_settlement_client(declared, parameter):
            yield f"the parameter {parameter!r} has no binding"
    for binding in sorted(set(declared.bindings) - set(declared.parameters)):
        yield f"the binding {binding!r} has no parameter"


def _annotation_problems(declared: Declaration, parameter: str) -> Iterator[str]:
    if parameter not in declared.hints:
        return
    hint, binding = declared.hints[parameter], declared.bindings[parameter]
    expected, is_out = _expected(hint), _is_out(hint)
    if is_out and len(_arguments(hint)) != 1:
        yield f"{parameter!r} is annotated {_display(hint)}; add the type that it takes, as in func.Out[str]"
    elif _is_builtin_alias(hint) or not (isinstance(expected, type) or _is_typing_alias(expected)):
        yield f"{parameter!r} is annotated {_display(hint)}; the worker accepts only plain classes and typing aliases"
    elif binding.direction == OUT and not is_out:
        yield f"{parameter!r} is an output binding; annotate it as func.Out[…], not {_display(hint)}"
    elif binding.direction != OUT and is_out:
        yield f"{parameter!r} is annotated {_display(hint)}, but its binding is an input"
    elif not _fits(declared.converter_type(parameter), expected, is_out, _is_deferred(hint)):
        if binding.type == "httpTrigger":
            yield f"{parameter!r} must be an HttpRequest"
        else:
            yield f"{parameter!r} is annotated {_display(hint)}, which the binding {binding.type} does not accept"


def _return_problems(declared: Declaration) -> Iterator[str]:
    if not declared.explicit_result or "return" not in declared.hints:
        return
    hint = declared.hints["return"]
    if isinstance(hint, type) and _fits(str(declared.result), hint, True, False):
        return
    if declared.result == "http":
        yield "an HTTP function must return HttpResponse or str"
    else:
        yield f"it is annotated to return {_display(hint)}, which the binding {declared.result} does not accept"


def _retry_problems(declared: Declaration) -> Iterator[str]:
    """What is wrong with the retry policy, whose numbers the worker reads while it loads the function."""
    if not declared.retry:
        return
    spans = ["delay_interval"] if declared.retry.get("strategy") == "fixed_delay" else []
    spans += [key for key in ("minimum_interval", "maximum_interval") if not spans and declared.retry.get(key)]
    try:
        int(declared.retry.get("max_retry_count"))  # type: ignore[arg-type]
        for key in spans:
            time.strptime(declared.retry.get(key), "%H:%M:%S")  # type: ignore[arg-type]
    except (TypeError, ValueError) as error:
        yield f"its retry policy cannot be read ({error}); write counts as numbers, intervals as hh:mm:ss"


def _is_typing_alias(hint: Any) -> bool:
    """Whether it is like `Dict[str, Any]`, not `dict[str, Any]` or a union."""
    return isinstance(hint, _ALIASES) and hint.__origin__ not in _NOT_GENERIC


def _is_builtin_alias(hint: Any) -> bool:
    return type(hint) is type(list[int])  # on Python 3.10 it counts as a type


def _is_out(hint: Any) -> bool:
    named = hint.__origin__ if isinstance(hint, _ALIASES) else hint
    return isinstance(named, type) and named.__name__ == "Out"


def _arguments(hint: Any) -> tuple[Any, ...]:
    return tuple(hint.__args__) if isinstance(hint, _ALIASES[0]) else ()


def _expected(hint: Any) -> Any:
    """The type that is checked with the converter: `str` for `Out[str]`."""
    return _arguments(hint)[0] if _is_out(hint) and len(_arguments(hint)) == 1 else hint


def _fits(kind: str, expected: Any, is_out: bool, deferred: bool) -> bool:
    try:
        if kind in _STREAMED and (extension := _http_extension()) is not None:
            return bool(getattr(extension, _STREAMED[kind]).check_type(expected))
        converter = _deferred_registry().get(kind) if deferred else meta.get_binding_registry().get(kind)  # type: ignore[no-untyped-call]
        if converter is None:
            return issubclass(expected, (str, bytes, bytearray) if is_out else (str, bytes))
        check = converter.check_output_type_annotation if is_out else converter.check_input_type_annotation
        return bool(check(expected))
    except Exception:  # a typing alias is not a class: the worker fails on it as well
        return False


_STREAMED = {"httpTrigger": "RequestTrackerMeta", "http": "ResponseTrackerMeta"}
"""Bindings whose types the extension for HTTP streaming replaces, and the functions that check them then."""


def _has_implicit_output(kind: str) -> bool:
    converter = meta.get_binding_registry().get(kind)  # type: ignore[no-untyped-call]
    if converter is None:
        return kind != "durableClient"
    return bool(getattr(converter, "has_implicit_output", lambda: False)())


def _extension() -> Any:
    """`azurefunctions.extensions.base`, if the app has imported it: it allows types of Azure's SDKs as parameters."""
    return sys.modules.get("azurefunctions.extensions.base")


def _deferred_registry() -> Any:
    return _extension().get_binding_registry()


def _is_deferred(hint: Any) -> bool:
    return _extension() is not None and bool(_deferred_registry().check_supported_type(hint))


def _http_extension() -> Any:
    extension = _extension()
    return extension if extension is not None and extension.HttpV2FeatureChecker.http_v2_enabled() else None


def _is_settlement_client(declared: Declaration, parameter: str) -> bool:
    """Whether it is the only parameter that needs no binding: Service Bus's client, known by its annotation."""
    loose = set(declared.parameters) - set(declared.bindings) - {"context"}
    try:
        return len(loose) == 1 and bool(
            _deferred_registry().check_supported_grpc_client_type(declared.hints.get(parameter))
        )
    except AttributeError:  # no such extension
        return False


def _display(hint: Any) -> str:
    return hint.__name__ if isinstance(hint, type) and not _is_builtin_alias(hint) else str(hint)
