"""What changed between two JSON Schemas, for data that was written under the old one.

The question is always the same: can a value that the old schema accepted still be read under the new one?
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class SchemaChange:
    """One difference: where it is, what it is, and whether data written under the old schema can still be read."""

    path: str
    text: str
    readable: bool


def schema_changes(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[SchemaChange]:
    """Every difference between two schemas of objects, nested models included."""
    yield from _object_changes(old, new, path)
    old_models, new_models = old.get("$defs", {}), new.get("$defs", {})
    for name in sorted(set(old_models) & set(new_models)):
        yield from _object_changes(old_models[name], new_models[name], f"{path}({name})")
    # A model that was removed or added shows in the field that refers to it.


def _object_changes(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[SchemaChange]:
    if "properties" not in old or "properties" not in new:
        yield from _value_changes(old, new, path)
        return
    before, after = old.get("properties", {}), new.get("properties", {})
    required = set(new.get("required", ()))
    for name in sorted(set(before) - set(after)):
        yield SchemaChange(f"{path}.{name}", "was removed", readable=False)
    for name in sorted(set(after) - set(before)):
        text = "is new and required" if name in required else "is new, with a default"
        yield SchemaChange(f"{path}.{name}", text, readable=name not in required)
    for name in sorted(set(before) & set(after)):
        yield from _value_changes(before[name], after[name], f"{path}.{name}")
        if name in required and name not in old.get("required", ()):
            yield SchemaChange(f"{path}.{name}", "is now required", readable=False)
    yield from _additional_fields(old.get("additionalProperties", True), new.get("additionalProperties", True), path)


def _additional_fields(old: Any, new: Any, path: str) -> Iterator[SchemaChange]:
    """What changed for fields without a name in the model: True accepts any, False none, a schema those that fit it."""
    if old != new:
        text = "no longer accepts additional fields" if new is False else "has a different rule for additional fields"
        schemas = isinstance(old, Mapping) and isinstance(new, Mapping)
        yield SchemaChange(path, text, readable=old is False or new is True or (schemas and _is_wider(old, new)))


def _value_changes(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[SchemaChange]:
    bare_old, bare_new = _bare(old), _bare(new)
    if bare_old != bare_new:
        yield SchemaChange(
            path, f"changed from {_brief(bare_old)} to {_brief(bare_new)}", readable=_is_wider(bare_old, bare_new)
        )
    elif {**old, "$defs": None} != {**new, "$defs": None}:
        yield SchemaChange(path, f"now has the default {new.get('default')!r}", readable=True)


def _is_wider(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the new schema accepts all that the old one accepted, as far as comparing alternatives shows."""
    beside = {key: value for key, value in new.items() if key != "anyOf"}  # holds for each alternative, as a bound does
    if "anyOf" in new and not _asks_no_more(beside, old):
        return False
    return all(any(_takes(option, given) for option in new.get("anyOf", [new])) for given in old.get("anyOf", [old]))


def _takes(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether one alternative takes all that another took: conditions were dropped, or values of a Literal added."""
    return _asks_no_more(new, old) or (bool(_values(old)) and _values(old) <= _values(new))


def _asks_no_more(new: Mapping[str, Any], old: Mapping[str, Any]) -> bool:
    """Whether every condition of the new schema is one of the old one's."""
    return all(key in old and old[key] == value for key, value in new.items())


def _values(schema: Mapping[str, Any]) -> set[str]:
    """The values of a Literal or an Enum; nothing for any other schema."""
    return {repr(value) for value in schema.get("enum", [schema["const"]] if "const" in schema else [])}


def _bare(schema: Mapping[str, Any]) -> dict[str, Any]:
    """A schema without its default, and without the models that it refers to, which are compared by themselves."""
    return {key: value for key, value in schema.items() if key not in ("default", "$defs")}


def _brief(schema: Mapping[str, Any]) -> str:
    """A schema in a word or two: `integer`, `Line`, `string or null`."""
    if "anyOf" in schema:
        return " or ".join(_brief(option) for option in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema or "const" in schema:
        return "one of " + ", ".join(map(repr, schema.get("enum", [schema.get("const")])))
    kind = str(schema.get("format") or schema.get("type") or "anything")
    if kind == "array" and "items" in schema:
        return f"array of {_brief(schema['items'])}"
    rest = {k: v for k, v in schema.items() if k not in ("type", "format") and not isinstance(v, dict)}
    return kind + (f" ({', '.join(f'{k} {v}' for k, v in sorted(rest.items()))})" if rest else "")
