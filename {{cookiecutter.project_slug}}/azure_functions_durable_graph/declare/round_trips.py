"""Types that lose values between two nodes, found by converting samples to JSON and back.

Nearly every type survives JSON unchanged. Those that may not are tried while the graph is built: bytes, dict keys that
are not strings, unions, and values with a custom serializer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel
from pydantic_core import SchemaSerializer, SchemaValidator

from ..errors import Fault
from ..graph.wording import brief_repr
from .state_samples import Samples, Schema, choices, has_odd_members

if TYPE_CHECKING:
    from pydantic_core.core_schema import CoreConfig

Write = Callable[[Any], Any]

_NEVER = {
    "generator": "an iterable that can be read only once; a list, a set or a Sequence can be read again",
    "is-subclass": "a class, which has no JSON form",
}

_FIXES = {
    "bytes": "Set model_config = ConfigDict(ser_json_bytes='base64', val_json_bytes='base64') in its model",
    "dict": "Use strings, integers or dates as keys, or a list of pairs",
    "enum": "Give its members strings or numbers as values",
    "literal": "Derive the enum from str or int as well, as in `class Kind(str, Enum)`",
    "union": "Make its members differ in JSON: give models a Literal field as a discriminator, or drop a member",
    "serializer": "Let its serializer write what its validator reads, or drop the serializer",
}


def round_trip_faults(model: type[BaseModel], where: str) -> Iterator[Fault]:
    """A fault for each field of the model, or of a nested model, whose values do not survive."""
    schema: Schema = model.__pydantic_core_schema__
    definitions = {}
    if schema["type"] == "definitions":
        definitions = {item["ref"]: item for item in schema["definitions"]}
        schema = schema["schema"]
    yield from _Walk(definitions, where).faults(schema, {}, "")


class _Walk:
    """One pass over a model's core schema; every definition is visited once."""

    def __init__(self, definitions: Mapping[str, Schema], where: str) -> None:
        self._definitions = definitions
        self._samples = Samples(definitions)
        self._where = where
        self._seen: set[int] = set()

    def faults(
        self, schema: Schema, config: Mapping[str, Any], field: str, owner: type[BaseModel] | None = None
    ) -> Iterator[Fault]:
        """The faults at this schema and below it; `config` is that of the model around it, the `owner` of the field."""
        if id(schema) in self._seen:
            return
        self._seen.add(id(schema))
        core = _below_validators(schema)
        if core.get("type") == "definition-ref":
            yield from self.faults(self._definitions[core["schema_ref"]], config, field, owner)
            return
        config = core.get("config", config)
        if core.get("type") == "model":
            yield from self._hidden_fields(core["cls"], field)
        if core.get("type") == "dataclass":
            yield from self._arguments_only(core)
        if core.get("type") in _NEVER:
            text = f"field {field!r} may contain {_NEVER[core['type']]}"
            yield Fault(self._where, text, "Use a type with plain values")
            return
        kind = _risk(core)
        lost = kind and self._find_loss(schema, config, _writer_of(owner, field) if _is_method(core) else None)
        if kind and lost:
            yield Fault(self._where, f"field {field!r} may contain {lost}", _FIXES[kind])
        elif kind != "serializer":  # a custom serializer writes the whole value, parts included
            owner = core["cls"] if core.get("type") == "model" else owner
            for name, inner in _parts(core):
                yield from self.faults(inner, config, name or field, owner)

    def _hidden_fields(self, cls: type[BaseModel], field: str) -> Iterator[Fault]:
        if cls is BaseModel:
            text = (
                f"field {field!r} is annotated with BaseModel, which has no fields: those of its values would be lost"
            )
            yield Fault(self._where, text, "Annotate it with the model that it holds, or with a union of models")
            return
        for name in cls.__private_attributes__:
            yield Fault(
                self._where,
                f"{cls.__name__} has the private attribute {name!r}, which would be lost between two nodes",
                "Make it a field, or keep it out of the state",
            )
        for name, info in cls.model_fields.items():
            if info.exclude or getattr(info, "exclude_if", None):
                yield Fault(
                    self._where,
                    f"field {name!r} of {cls.__name__} is excluded from serialization, so it would be lost",
                    "Drop exclude, or keep the value out of the state",
                )
            if _is_infinite(info.default):
                yield Fault(
                    self._where,
                    f"field {name!r} of {cls.__name__} is {info.default} by default, which JSON does not have",
                    "Use None, or a number that is large enough",
                )

    def _arguments_only(self, schema: Schema) -> Iterator[Fault]:
        """A dataclass is made anew from its fields; an InitVar is not one of them."""
        inner = schema["schema"]
        while "fields" not in inner and isinstance(inner.get("schema"), Mapping):
            inner = inner["schema"]
        for argument in inner.get("fields", ()):
            if argument.get("init_only"):
                yield Fault(
                    self._where,
                    f"{schema['cls'].__name__} has the InitVar {argument['name']!r}, which would be lost "
                    "between two nodes",
                    "Make it a field, or keep it out of the state",
                )

    def _find_loss(self, schema: Schema, config: Mapping[str, Any], method: Write | None) -> str | None:
        """A sample that does not survive, and what becomes of it; None if all survive, or none can be tried.

        `method` writes by a serializer that is a method of the model.
        """
        settings = cast("CoreConfig", dict(config))
        whole: Any = {"type": "definitions", "schema": schema, "definitions": list(self._definitions.values())}
        try:
            writer, reader = SchemaSerializer(whole, settings), SchemaValidator(whole, settings)
        except Exception:  # a schema that cannot stand alone
            return None
        values = self._samples.of(schema)
        if method is not None:
            values = [value for value in values if _can_be_written(method, value)]
        for value in [*values, *_look_alikes(writer, values)]:
            with suppress(Exception):  # not a value of this type, or the user's own validator rejects it
                if _alike(reader.validate_python(value, by_alias=True, by_name=True), value):
                    lost = _round_trip_problem(method or partial(_write, writer), reader, value)
                    if lost is not None:
                        return lost
        return None


def _is_infinite(default: Any) -> bool:
    return isinstance(default, float) and not math.isfinite(default)


def _below_validators(schema: Schema) -> Schema:
    """The schema inside validator functions; the functions are tried together with it."""
    while str(schema.get("type")).startswith("function-") and "schema" in schema and not _has_serializer(schema):
        schema = schema["schema"]
    return schema


def _has_serializer(schema: Schema) -> bool:
    return str(schema.get("serialization", {}).get("type", "")).startswith("function")


def _risk(schema: Schema) -> str | None:
    """Why values of a schema might not survive, or None if they certainly do."""
    if _has_serializer(schema):
        return "serializer"
    kind = schema.get("type")
    if kind == "dict" and schema.get("keys_schema", {"type": "any"})["type"] not in ("str", "any"):
        return "dict"
    if kind in ("enum", "literal"):
        return kind if has_odd_members(schema) else None
    return kind if kind in ("bytes", "union") else None


def _parts(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The schemas of a schema's parts; fields come with their names."""
    fields = schema.get("fields", {})
    if isinstance(fields, Mapping):
        yield from fields.items()
    else:  # a dataclass, whose outer schema lists only the names
        yield from ((item["name"], item) for item in fields if isinstance(item, Mapping))
    if "choices" in schema:
        yield from (("", choice) for choice in choices(schema))
    for key in _PARTS:
        inner = schema.get(key)
        for part in inner if isinstance(inner, list) else [inner]:
            if isinstance(part, Mapping):
                yield "", part


_PARTS = (
    "schema",
    "items_schema",
    "keys_schema",
    "values_schema",
    "arguments_schema",
    "extras_schema",
    "python_schema",
    "strict_schema",
)


def _look_alikes(writer: SchemaSerializer, values: list[Any]) -> list[Any]:
    """Strings that look like another value: in a union of str and datetime, a str may look like a date."""
    found: list[Any] = []
    for value in values:
        with suppress(Exception):
            written = writer.to_python(value, mode="json", warnings=False)
            if isinstance(written, str):
                found.append(written)
    return found


def _write(writer: SchemaSerializer, value: Any) -> Any:
    return writer.to_python(value, mode="json", round_trip=True, warnings=False)


def _is_method(schema: Schema) -> bool:
    """Whether it is written by a `@field_serializer` that takes the model's instance."""
    return bool(schema.get("serialization", {}).get("is_field_serializer"))


def _writer_of(owner: type[BaseModel] | None, field: str) -> Write:
    """Writes a value as a field of a model that has nothing but defaults else."""

    def write(value: Any) -> Any:
        assert owner is not None
        made = owner.model_construct()
        made.__dict__[field] = value
        return made.model_dump(mode="json", round_trip=True, by_alias=False, include={field}, warnings=False)[field]

    return write


def _can_be_written(write: Write, value: Any) -> bool:
    """Whether a method writes a sample: it may need other fields, which samples do not have."""
    try:
        json.dumps(write(value))
    except Exception:
        return False
    return True


def _round_trip_problem(write: Write, reader: SchemaValidator, value: Any) -> str | None:
    """Write and read a value as states are written and read; what is wrong if it does not survive."""
    try:
        written = json.dumps(write(value))
    except Exception:
        return f"values such as {brief_repr(value)}, which cannot be written as JSON"
    try:
        back = reader.validate_json(written, by_alias=True, by_name=True)
    except Exception:
        return f"values such as {brief_repr(value)}, which cannot be read back from JSON"
    if _alike(back, value):
        return None
    return f"values such as {brief_repr(value)}, which come back from JSON as {brief_repr(back)}"


def _alike(first: Any, second: Any) -> bool:
    """Whether two values are equal and of the same types all the way down."""
    if type(first) is not type(second):
        return False
    if isinstance(first, Mapping):
        return len(first) == len(second) and _alike(list(first.items()), list(second.items()))
    if isinstance(first, (list, tuple)):
        return len(first) == len(second) and all(map(_alike, first, second))
    if isinstance(first, (set, frozenset)):
        return bool(first == second) and {type(item) for item in first} == {type(item) for item in second}
    if isinstance(first, BaseModel):
        return _alike(dict(first), dict(second))
    return bool(first == second)
