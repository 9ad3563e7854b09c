"""The few expressions of Bicep that compose names, evaluated as Bicep does.

No Bicep compiler is at hand, and pycep leaves interpolations as text. This reads `var` declarations from the file
itself and knows only what they use; an unknown function is an error, not a guess.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from typing import Any

TOKEN = re.compile(r"\s*(?:(\d+)|([A-Za-z_]\w*)|('(?:\\.|\$\{(?:[^{}])*\}|[^'\\])*')|(&&|\|\||[<>=!]=|[-?:!<>(),.{}]))")


def unique_string(*parts: str) -> str:
    """13 characters of a-z and 2-7, always the same for the same parts. Azure's own hash is another one."""
    digest = hashlib.sha256("\0".join(parts).encode()).digest()
    return base64.b32encode(digest).decode().lower()[:13]


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "take": lambda text, count: text[:count],
    "replace": lambda text, old, new: text.replace(old, new),
    "toLower": str.lower,
    "length": len,
    "empty": lambda value: not value,
    "endsWith": str.endswith,
    "int": int,
    "uniqueString": unique_string,
}


class Expression:
    """One expression, read from left to right: `?:` binds weakest, then `&&`/`||`, comparisons, `!`."""

    def __init__(self, text: str, values: Mapping[str, Any]) -> None:
        self._tokens = [match.group(match.lastindex or 0) for match in TOKEN.finditer(text)]
        self._values, self._at = values, 0

    def value(self) -> Any:
        condition = self._logical()
        if not self._took("?"):
            return condition
        chosen = self.value()
        self._expect(":")
        other = self.value()
        return chosen if condition else other

    def _logical(self) -> Any:
        left = self._comparison()
        while (operator := self._peek()) in {"&&", "||"}:
            self._at += 1
            right = self._comparison()
            left = (left and right) if operator == "&&" else (left or right)
        return left

    def _comparison(self) -> Any:
        left = self._unary()
        operators = {"==": left.__eq__, "!=": left.__ne__, "<=": getattr(left, "__le__", None)}
        if (operator := self._peek()) in operators:
            self._at += 1
            return operators[operator](self._unary())
        return left

    def _unary(self) -> Any:
        if self._took("!"):
            return not self._unary()
        token = self._next()
        if token.isdigit():
            return int(token)
        if token.startswith("'"):
            return interpolated(token[1:-1], self._values)
        found = (
            FUNCTIONS[token](*self._arguments()) if self._peek() == "(" and token in FUNCTIONS else self._name(token)
        )
        while self._took("."):
            found = found[self._next()]
        return found

    def _name(self, token: str) -> Any:
        if self._peek() == "(":
            return self._values[f"{token}()"] if not self._arguments() else None
        return self._values[token]

    def _arguments(self) -> list[Any]:
        self._expect("(")
        found: list[Any] = []
        while not self._took(")"):
            found.append(self.value())
            self._took(",")
        return found

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        self._at += 1
        return self._tokens[self._at - 1]

    def _took(self, token: str) -> bool:
        taken = self._peek() == token
        self._at += taken
        return taken

    def _expect(self, token: str) -> None:
        assert self._took(token), f"expected {token!r}, got {self._peek()!r} in {self._tokens}"


def interpolated(text: str, values: Mapping[str, Any]) -> str:
    """A string's text with the value of each `${…}`."""
    return re.sub(r"\$\{([^{}]*)\}", lambda match: str(Expression(match[1], values).value()), text)


def names_of(text: str, values: Mapping[str, Any]) -> dict[str, str]:
    """The object `var names`, with the variables that it uses, for these parameters."""
    known = dict(values)
    code = re.sub(r"(?m)\s*//.*$", "", text)
    for name, expression in re.findall(r"(?m)^var (\w+) = (?!\{|\[)(.+)$", code):
        if not re.search(r"\? \[", expression + " "):
            known[name] = Expression(expression, known).value()
    body = re.search(r"(?ms)^var names = \{(.*?)^\}", code)
    assert body is not None
    return {
        key: Expression(expression, known).value() for key, expression in re.findall(r"(?m)^  (\w+): (.+)$", body[1])
    }
