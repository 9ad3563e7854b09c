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
    if "properties" not in old and "properties" not in new:
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
    if old.get("additionalProperties", True) != new.get("additionalProperties", True):
        closed = new.get("additionalProperties") is False
        text = "no longer accepts additional fields" if closed else "has a different rule for additional fields"
        yield SchemaChange(path, text, readable=not closed)


def _value_changes(old: Mapping[str, Any], new: Mapping[str, Any], path: str) -> Iterator[SchemaChange]:
    bare_old, bare_new = _without_default(old), _without_default(new)
    if bare_old != bare_new:
        yield SchemaChange(
            path, f"changed from {_brief(bare_old)} to {_brief(bare_new)}", readable=_is_wider(bare_old, bare_new)
        )
    elif old != new:
        yield SchemaChange(path, f"now has the default {new.get('default')!r}", readable=True)


def _is_wider(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the new schema accepts all that the old one accepted, as far as comparing alternatives shows."""
    if not new:
        return True  # no constraint at all
    before, after = _alternatives(old), _alternatives(new)
    if all(option in after for option in before):
        return True
    enums = [set(map(repr, schema["enum"])) if "enum" in schema else None for schema in (old, new)]
    return enums[0] is not None and enums[1] is not None and enums[0] <= enums[1]


def _alternatives(schema: Mapping[str, Any]) -> list[Any]:
    return list(schema["anyOf"]) if "anyOf" in schema else [dict(schema)]


def _without_default(schema: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "default"}


def _brief(schema: Mapping[str, Any]) -> str:
    """A schema in a word or two: `integer`, `Line`, `string or null`."""
    if "anyOf" in schema:
        return " or ".join(_brief(option) for option in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "enum" in schema:
        return "one of " + ", ".join(map(repr, schema["enum"]))
    kind = str(schema.get("format") or schema.get("type") or "anything")
    if kind == "array" and "items" in schema:
        return f"array of {_brief(schema['items'])}"
    rest = {k: v for k, v in schema.items() if k not in ("type", "format", "items") and not isinstance(v, dict)}
    return kind + (f" ({', '.join(f'{k} {v}' for k, v in sorted(rest.items()))})" if rest else "")
