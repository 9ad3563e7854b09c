"""Plain JSON: the only thing that crosses the durable boundary. Canonical text, digests, and the check."""

from __future__ import annotations

import hashlib
import json
import math
from collections.abc import Callable
from typing import Any, NoReturn

from ..errors import PayloadError

CODEC_KEYS = frozenset({"__class__", "__module__", "__data__"})
"""Keys that the SDK's JSON codec resolves to loaded classes (azure-functions 1.26, `_durable_functions.py`).
A posted payload with such keys could call `from_json` of any class, or break every replay of the run."""


MOST_DIGITS = 4300
MOST_BITS = 14_284
"""The longest integer that CPython converts to and from text by default (`sys.set_int_max_str_digits`)."""


def canonical(value: Any) -> str:
    """JSON text that is the same for equal values: sorted keys, no blanks, ASCII, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)


def same_json(first: Any, second: Any) -> bool:
    """Whether two JSON values have the same text: True, 1 and 1.0 are equal in Python, but not in JSON."""
    if first is second:
        return True
    if first != second:
        return False
    try:
        return json.dumps(first, sort_keys=True) == json.dumps(second, sort_keys=True)
    except (ValueError, TypeError, RecursionError):  # changed in place into something that is not JSON
        return False


def digest(value: Any) -> str:
    """sha256 over the canonical text, as 64 hex digits."""
    return hashlib.sha256(canonical(value).encode("ascii")).hexdigest()


def parse(text: str | bytes) -> Any:
    """Read JSON strictly.

    Raises PayloadError, never another type: for text that is not JSON or not UTF-8, for NaN and infinities (which
    Python reads, though they are not JSON), and for nesting too deep for the parser.
    """
    try:
        if isinstance(text, bytes):  # Python's parser would read UTF-16 and UTF-32 as well
            text = text.decode("utf-8-sig", "surrogatepass")  # `check` tells which value has a surrogate
        return json.loads(text, parse_constant=_reject_constant)
    except PayloadError:
        raise
    except RecursionError:
        raise PayloadError("the JSON is nested too deeply") from None
    except UnicodeDecodeError:
        raise PayloadError("the body is not UTF-8 text") from None
    except ValueError as error:
        raise PayloadError(f"not JSON: {error}") from None


def _reject_constant(name: str) -> NoReturn:
    raise PayloadError(f"{name} is not a JSON value")


MOST_LEVELS = 150
"""Levels of nesting that a value may have: pydantic's JSON parser, which reads states, gives up at about 200."""


def check(value: Any, where: str, levels: int = MOST_LEVELS) -> None:
    """Raise PayloadError if `value` is not plain JSON, cannot be stored, or has a key of the SDK's codec at any depth.

    `where` begins the error's text; the path inside the value follows it.
    """
    try:
        _check(value, where, levels)
    except _TooDeep:
        raise PayloadError(f"{where}: nested more than {levels} levels deep") from None


class _TooDeep(Exception):  # noqa: N818 - ends the descent
    pass


def _check(value: Any, where: str, left: int) -> None:
    if value is None or isinstance(value, bool):
        return
    if left < 0:
        raise _TooDeep
    for kinds, checker in _CHECKERS:
        if isinstance(value, kinds):
            return checker(value, where, left - 1)
    raise PayloadError(f"{where}: {type(value).__name__} is not a JSON value")


def _check_text(text: str, where: str, left: int) -> None:
    """A lone surrogate is not text: UTF-8 cannot encode it, and other JSON readers reject it."""
    if not text.isascii():
        try:
            text.encode("utf-8")
        except UnicodeEncodeError:
            raise PayloadError(f"{where}: the text contains a lone surrogate, which UTF-8 cannot encode") from None


def _check_int(value: int, where: str, left: int) -> None:
    if value.bit_length() > MOST_BITS:
        raise PayloadError(f"{where}: an integer of more than {MOST_DIGITS} digits cannot be stored")


def _check_float(value: float, where: str, left: int) -> None:
    if not math.isfinite(value):
        raise PayloadError(f"{where}: {value} is not a JSON value")


def _check_object(value: dict[Any, Any], where: str, left: int) -> None:
    for key, item in value.items():
        if not isinstance(key, str):
            raise PayloadError(f"{where}: the key {key!r} is not a string")
        if key in CODEC_KEYS:
            raise PayloadError(f"{where}: the key {key!r} is reserved by the durable codec; rename it")
        _check_text(key, f"{where}: a key", left)
        _check(item, f"{where}.{key}", left)


def _check_array(value: list[Any] | tuple[Any, ...], where: str, left: int) -> None:
    for index, item in enumerate(value):
        _check(item, f"{where}[{index}]", left)


_CHECKERS: tuple[tuple[Any, Callable[[Any, str, int], None]], ...] = (
    (str, _check_text),
    (int, _check_int),
    (float, _check_float),
    (dict, _check_object),
    ((list, tuple), _check_array),
)
