"""Sample values of a type, made from its core schema.

A type without samples is not tried. Constraints are ignored here: a sample that the type does not accept is not used.
"""

from __future__ import annotations

import ipaddress
import pathlib
from collections import deque
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from types import NoneType
from typing import Any
from uuid import UUID

from pydantic_core import SchemaValidator

Schema = Mapping[str, Any]

_MOST = 4
_DEEPEST = 6

_SCALARS: dict[str, list[Any]] = {
    "none": [None],
    "bool": [True],
    "int": [1],
    "float": [0.5, 1.0],
    "str": ["a"],
    "bytes": [b"\xff\x00"],
    "decimal": [Decimal("1.50")],
    "date": [date(2024, 2, 29)],
    "time": [time(12, 30, 1)],
    "datetime": [datetime(2024, 2, 29, 12, 30, tzinfo=timezone.utc)],
    "timedelta": [timedelta(days=1, seconds=1)],
    "uuid": [UUID(int=7)],
}

_INSTANCES: dict[type, Any] = {
    pathlib.Path: pathlib.Path("a/b"),
    pathlib.PurePath: pathlib.PurePath("a/b"),
    ipaddress.IPv4Address: ipaddress.IPv4Address("10.0.0.1"),
    ipaddress.IPv6Address: ipaddress.IPv6Address("::1"),
}


class Samples:
    """Makes samples; `definitions` are the schemas that others refer to."""

    def __init__(self, definitions: Mapping[str, Schema]) -> None:
        self._definitions = definitions

    def of(self, schema: Schema, depth: int = 0) -> list[Any]:
        """A few values of a schema, or none."""
        kind = schema["type"]
        if kind in _SCALARS:
            return _SCALARS[kind]
        make = _MAKERS.get(kind)
        if make is not None and depth < _DEEPEST:
            return make(self, schema, depth + 1)[:_MOST]
        inner = schema.get("schema") or schema.get("python_schema") or schema.get("strict_schema")
        return self.of(inner, depth + 1) if isinstance(inner, Mapping) and depth < _DEEPEST else []

    def _url(self, schema: Schema, depth: int) -> list[Any]:
        """A URL needs the class that its validator makes; other wrappers accept what they wrap."""
        inner = schema["schema"]
        if inner["type"] != "url":
            return self.of(inner, depth)
        whole: Any = schema
        try:
            return [SchemaValidator(whole).validate_python("https://example.com/a")]
        except Exception:  # it allows only other schemes
            return []

    def _referred(self, schema: Schema, depth: int) -> list[Any]:
        return self.of(self._definitions[schema["schema_ref"]], depth)

    def _union(self, schema: Schema, depth: int) -> list[Any]:
        return [value for choice in choices(schema) for value in self.of(choice, depth)[:2]]

    def _nullable(self, schema: Schema, depth: int) -> list[Any]:
        return [*self.of(schema["schema"], depth), None]

    def _items(self, schema: Schema, depth: int) -> list[Any]:
        make: Callable[[list[Any]], Any] = _COLLECTIONS[schema["type"]]
        return [make([item]) for item in self.of(schema.get("items_schema", {"type": "str"}), depth)]

    def _tuple(self, schema: Schema, depth: int) -> list[Any]:
        parts = [self.of(part, depth)[:1] for part in schema["items_schema"]]
        return [tuple(part[0] for part in parts)] if all(parts) else []

    def _dict(self, schema: Schema, depth: int) -> list[Any]:
        values = self.of(schema.get("values_schema", {"type": "str"}), depth) or ["a"]
        return [{key: values[0]} for key in self.of(schema.get("keys_schema", {"type": "str"}), depth)]

    def _typed_dict(self, schema: Schema, depth: int) -> list[Any]:
        found = {name: self.of(field["schema"], depth)[:1] for name, field in schema["fields"].items()}
        return [{name: values[0] for name, values in found.items()}] if all(found.values()) else []

    def _model(self, schema: Schema, depth: int) -> list[Any]:
        cls, fields = schema["cls"], _inner_fields(schema["schema"])
        required = [name for name, info in cls.model_fields.items() if info.is_required()]
        if schema.get("root_model"):
            return [cls.model_construct(value) for value in self.of(schema["schema"], depth)]
        found = {name: self.of(fields[name]["schema"], depth)[:1] for name in required if name in fields}
        if len(found) < len(required) or not all(found.values()):
            return []
        return [cls.model_construct(**{name: values[0] for name, values in found.items()})]


def choices(schema: Schema) -> list[Schema]:
    """The members of a union."""
    listed = schema["choices"]
    found = listed.values() if isinstance(listed, Mapping) else listed
    return [choice[0] if isinstance(choice, tuple) else choice for choice in found]


def _inner_fields(schema: Schema) -> Mapping[str, Any]:
    """The fields of a model, below its validators."""
    while "fields" not in schema and isinstance(schema.get("schema"), Mapping):
        schema = schema["schema"]
    found: Mapping[str, Any] = schema.get("fields", {})
    return found


def members_of(schema: Schema) -> list[Any]:
    """The values of an enum or a Literal, the odd ones first."""
    return sorted(schema[_MEMBERS[schema["type"]]], key=lambda member: not _is_odd(member, schema))


def has_odd_members(schema: Schema) -> bool:
    """Whether an enum or a Literal has values that may come back from JSON as something else, or not at all."""
    return any(_is_odd(member, schema) for member in schema[_MEMBERS[schema["type"]]])


def _is_odd(member: Any, schema: Schema) -> bool:
    """Not text or a number: an enum is read by its members' values, a Literal by its members as they are."""
    value = member.value if schema["type"] == "enum" else member
    return not isinstance(value, (str, int, float, NoneType))


_MEMBERS = {"enum": "members", "literal": "expected"}

_COLLECTIONS: dict[str, Any] = {"list": list, "set": set, "frozenset": frozenset, "deque": deque}

_MAKERS: dict[str, Callable[[Samples, Schema, int], list[Any]]] = {
    "definition-ref": Samples._referred,
    "function-wrap": Samples._url,
    "union": Samples._union,
    "tagged-union": Samples._union,
    "nullable": Samples._nullable,
    **dict.fromkeys(_COLLECTIONS, Samples._items),
    "tuple": Samples._tuple,
    "dict": Samples._dict,
    "typed-dict": Samples._typed_dict,
    "model": Samples._model,
    "enum": lambda samples, schema, depth: members_of(schema),
    "literal": lambda samples, schema, depth: members_of(schema),
    "is-instance": lambda samples, schema, depth: [_INSTANCES[schema["cls"]]] if schema["cls"] in _INSTANCES else [],
}
