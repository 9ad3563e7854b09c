"""A value compared with its JSON form: put into canonical order, and rejected if something was lost.

pydantic writes a set in the order of its hashes, which differs from process to process; it writes an instance of a
subclass with the fields of the declared class only, and NaN in an `Any` field as null.
"""

from __future__ import annotations

import dataclasses
import math
from collections import deque
from collections.abc import Mapping
from datetime import date, time, timedelta
from decimal import Decimal
from types import NoneType
from typing import Any
from uuid import UUID

from pydantic import BaseModel

from ..errors import PayloadError
from .fields import unknown_attributes
from .names import did_you_mean
from .plain_json import canonical, same_json
from .wording import brief_repr


def faithful(value: Any, dumped: Any, where: str) -> Any:
    """`dumped`, the JSON form of `value`, with unordered values sorted.

    Raises PayloadError, which begins with the place, if `dumped` does not contain the whole value.
    """
    try:
        return _faithful(value, dumped, where)
    except RecursionError:
        raise PayloadError(f"{where}: nested too deeply") from None


def _faithful(value: Any, dumped: Any, where: str) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        raise PayloadError(f"{where}: {value} is not a JSON value")
    if isinstance(value, deque) and value.maxlen is not None:
        raise PayloadError(
            f"{where}: is a deque with maxlen={value.maxlen}, which would be lost, and the deque would grow; "
            f"write its items without it, as in [*items, new][-{value.maxlen}:]"
        )
    if isinstance(value, BaseModel) and isinstance(dumped, dict):
        for name in unknown_attributes(value):
            hint = did_you_mean(name, type(value).model_fields)
            raise PayloadError(f"{where}: {name!r} is not a field of {type(value).__name__}; {hint}")
        return _fields(type(value).__name__, _model_fields(value), dumped, where)
    if dataclasses.is_dataclass(value) and not isinstance(value, type) and isinstance(dumped, dict):
        names = {field.name: getattr(value, field.name, None) for field in dataclasses.fields(value)}
        return _fields(type(value).__name__, names, dumped, where)
    if isinstance(value, Mapping) and isinstance(dumped, dict):
        return _mapping(value, dumped, where)
    if isinstance(dumped, list) and isinstance(value, (set, frozenset, list, tuple, deque)):
        if len(value) != len(dumped):
            return dumped
        items = [
            _faithful(item, form, f"{where}[{n}]") for n, (item, form) in enumerate(zip(value, dumped, strict=True))
        ]
        return sorted(items, key=canonical) if isinstance(value, (set, frozenset)) else items
    return dumped


def _model_fields(value: BaseModel) -> dict[str, Any]:
    """What the JSON form of a model has to contain, unless the model has a serializer of its own."""
    kind = type(value)
    if kind.__pydantic_decorators__.model_serializers:
        return {}
    return {name: getattr(value, name) for name, info in kind.model_fields.items() if not info.exclude}


def _fields(kind: str, values: Mapping[str, Any], dumped: dict[str, Any], where: str) -> dict[str, Any]:
    lost = [name for name in values if name not in dumped]
    if lost:
        raise PayloadError(
            f"{where}: is a {kind}, whose {', '.join(map(repr, lost))} would be lost; "
            f"declare the field as {kind}, or as a union that includes it"
        )
    return {
        key: _faithful(values[key], form, f"{where}.{key}") if key in values else form for key, form in dumped.items()
    }


def _mapping(value: Mapping[Any, Any], dumped: dict[str, Any], where: str) -> dict[str, Any]:
    if len(value) > len(dumped):
        raise PayloadError(f"{where}: two of its keys become the same string in JSON")
    if len(value) < len(dumped):
        return dumped
    return {
        key: _faithful(item, form, f"{where}.{key}")
        for item, (key, form) in zip(value.values(), dumped.items(), strict=True)
    }


def check_read_again(written: Any, read: Any, where: str) -> None:
    """Raise PayloadError if a JSON form that was `read` and written again is not what was `written` before."""
    if isinstance(written, dict) and isinstance(read, dict):
        for key, value in written.items():
            if key not in read:
                raise PayloadError(
                    f"{where}: {key!r} would be lost, since a base class is read there; "
                    "declare the field as a union of the classes that it may hold"
                )
            check_read_again(value, read[key], f"{where}.{key}")
    elif isinstance(written, list) and isinstance(read, list) and len(written) == len(read):
        for index, (before, after) in enumerate(zip(written, read, strict=True)):
            check_read_again(before, after, f"{where}[{index}]")
    elif not same_json(written, read):
        raise PayloadError(
            f"{where}: {brief_repr(written)} would be read as {brief_repr(read)}; its class sets it anew"
        )


_PLAIN = (str, bytes, int, float, Decimal, date, time, timedelta, UUID, NoneType)
"""Types whose values can be compared; of others it is not known what their equality means."""


def check_value_read(value: Any, back: Any, where: str) -> None:
    """Raise PayloadError if what was read `back` from JSON is not the `value` that was written. Other types pass."""
    if isinstance(value, BaseModel) and type(value) is type(back):
        for name in type(value).model_fields:
            check_value_read(getattr(value, name), getattr(back, name), f"{where}.{name}")
    elif isinstance(value, Mapping) and isinstance(back, Mapping) and value.keys() == back.keys():
        for key, item in value.items():
            check_value_read(item, back[key], f"{where}.{key}")
    elif isinstance(value, (list, tuple)) and isinstance(back, (list, tuple)) and len(value) == len(back):
        for index, (before, after) in enumerate(zip(value, back, strict=True)):
            check_value_read(before, after, f"{where}[{index}]")
    elif isinstance(value, _PLAIN) and isinstance(back, _PLAIN) and value != back:
        text = f"{brief_repr(value)} would be read as {brief_repr(back)}, since a serializer writes less than the value"
        raise PayloadError(f"{where}: {text}")
