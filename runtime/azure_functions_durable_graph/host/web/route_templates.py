"""HTTP routes as the Functions host matches them: ASP.NET templates, tried in the order of the functions' names.

There is no precedence by specificity: the first route that matches wins. A constraint or method that does not match
rules a route out, so that an unknown verb is a 404, never a 405.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import unquote
from uuid import UUID

from ...errors import HostError

Check = Callable[[str], bool]


_PARTS = re.compile(r"([^{}]+)|\{((?:\{\{|\}\}|[^{}])*)\}")
"""Literals and parameters of one segment; braces inside a constraint are doubled."""


@dataclass(frozen=True)
class Endpoint:
    """One function's route. Empty `methods` means all of them."""

    function: str
    template: str
    methods: frozenset[str]
    pattern: re.Pattern[str]
    checks: tuple[tuple[str, Check], ...]
    defaults: tuple[tuple[str, str], ...]

    def match(self, method: str, path: str) -> dict[str, str] | None:
        """The route's values, decoded, or None. `path` is the raw path below the prefix, without outer slashes."""
        found = self.pattern.fullmatch(path)
        if found is None or (self.methods and method.upper() not in self.methods):
            return None
        values = {name: unquote(value) for name, value in found.groupdict().items() if value is not None}
        if not all(check(values[name]) for name, check in self.checks if name in values):
            return None
        return {**{name: value for name, value in self.defaults if name not in values}, **values}


def endpoint(function: str, template: str, methods: Iterable[str] = ()) -> Endpoint:
    """Compile a template. Raises HostError if the Functions host would reject it."""
    text = template.strip("/")
    if re.match(r"(admin|runtime)(/|$)", text, re.IGNORECASE):
        raise HostError(f"function {function!r}: the route {template!r} begins with a word reserved by the host")
    pattern, checks, defaults = "", [], []
    for index, segment in enumerate(text.split("/") if text else ()):
        part, optional = "", False
        for literal, parameter in _PARTS.findall(segment):
            if literal:
                part += re.escape(literal)
                continue
            name, found, default, kind = _parameter(function, parameter)
            checks += [(name, check) for check in found]
            if default is not None:
                defaults.append((name, default))
            optional = kind == "optional" or default is not None
            part += f"(?P<{name}>{'.*' if kind == 'rest' else '[^/]+'})"
            optional = optional or kind == "rest"
        slash = "/" if index else ""
        pattern += f"(?:{slash}{part})?" if optional else slash + part
    compiled = re.compile(pattern, re.IGNORECASE)
    return Endpoint(function, template, frozenset(m.upper() for m in methods), compiled, tuple(checks), tuple(defaults))


def match(endpoints: Iterable[Endpoint], method: str, path: str) -> tuple[Endpoint, dict[str, str]] | None:
    """The first endpoint, by function name, that matches."""
    for candidate in sorted(endpoints, key=lambda endpoint: endpoint.function.lower()):
        values = candidate.match(method, path.strip("/"))
        if values is not None:
            return candidate, values
    return None


def clashes(endpoints: Iterable[Endpoint]) -> list[str]:
    """A sentence for each pair of functions that the host would not load together: same template, same method."""
    listed = sorted(endpoints, key=lambda endpoint: endpoint.function.lower())
    return [
        f"functions {first.function!r} and {second.function!r} both take {first.template!r}"
        for number, first in enumerate(listed)
        for second in listed[number + 1 :]
        if first.template.strip("/").lower() == second.template.strip("/").lower()
        and (not first.methods or not second.methods or first.methods & second.methods)
    ]


def _parameter(function: str, text: str) -> tuple[str, list[Check], str | None, str]:
    """Name, checks, default and kind of `{name}`, `{name?}`, `{name=default}`, `{*rest}`, `{name:int:min(1)}`."""
    kind = "one"
    if text.startswith("*"):
        kind, text = "rest", text.lstrip("*")
    text, equals, default = text.partition("=") if "(" not in text else (text, "", "")
    if text.endswith("?"):
        kind, text = "optional", text[:-1]
    name, *constraints = re.split(r":(?![^()]*\))", text)
    if not name.isidentifier():
        raise HostError(f"function {function!r}: {name!r} is not a valid name for a route parameter")
    return name, [_check(function, constraint) for constraint in constraints], default if equals else None, kind


def _parses(parse: Callable[[str], Any]) -> Check:
    def check(value: str) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return check


def _within(low: float, high: float, measure: Callable[[str], int]) -> Check:
    def check(value: str) -> bool:
        try:
            return low <= measure(value) <= high
        except ValueError:
            return False

    return check


def _searches(pattern: re.Pattern[str]) -> Check:
    return lambda value: pattern.search(value) is not None


def _check(function: str, constraint: str) -> Check:
    name, _, argument = constraint.partition("(")
    try:
        return _CONSTRAINTS[name.lower()](argument[:-1])
    except (KeyError, ValueError, re.error):
        raise HostError(f"function {function!r}: unknown route constraint {constraint!r}") from None


def _range(argument: str) -> tuple[int, int]:
    low, _, high = argument.partition(",")
    return int(low), int(high or low)


_CONSTRAINTS: dict[str, Callable[[str], Check]] = {
    "int": lambda _: lambda v: bool(re.fullmatch(r"-?[0-9]{1,10}", v)) and -(2**31) <= int(v) < 2**31,
    "long": lambda _: lambda v: bool(re.fullmatch(r"-?[0-9]{1,19}", v)) and -(2**63) <= int(v) < 2**63,
    "bool": lambda _: lambda v: v.lower() in ("true", "false"),
    "datetime": lambda _: _parses(datetime.fromisoformat),
    "decimal": lambda _: _parses(float),
    "double": lambda _: _parses(float),
    "float": lambda _: _parses(float),
    "guid": lambda _: _parses(UUID),
    "alpha": lambda _: lambda v: bool(re.fullmatch(r"[A-Za-z]*", v)),
    "required": lambda _: lambda v: bool(v.strip()),
    "min": lambda a: _within(int(a), math.inf, int),
    "max": lambda a: _within(-math.inf, int(a), int),
    "range": lambda a: _within(*_range(a), int),
    "length": lambda a: _within(*_range(a), len),
    "minlength": lambda a: _within(int(a), math.inf, len),
    "maxlength": lambda a: _within(0, int(a), len),
    "regex": lambda a: _searches(re.compile(a.replace("{{", "{").replace("}}", "}"), re.IGNORECASE)),
}
