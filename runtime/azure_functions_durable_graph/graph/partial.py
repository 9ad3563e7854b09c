"""A state as the handler of one item sees it: everything as it is, but of the list that is mapped the own item alone.

Rules that a model has for that list, or for its fields together, hold for the state of the run, and are checked where
the results are merged. So an item's state is read field by field, with the validators of each field, and the list by
the type of its items.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic_core import SchemaValidator

from .states import load

Model = TypeVar("Model", bound=BaseModel)

_INSIDE = {
    "default": "schema",
    "nullable": "schema",
    "function-before": "schema",
    "function-after": "schema",
    "function-wrap": "schema",
    "model": "schema",
    "definitions": "schema",
    "json-or-python": "json_schema",
    "lax-or-strict": "lax_schema",
}
"""pydantic's schemas that surround another, and where that is."""

_OF_ITEMS = ("type", "items_schema", "keys_schema", "values_schema", "variadic_item_index")
"""What a container's schema says of its items, without its length."""


def load_item(model: type[Model], state: Mapping[str, Any], field: str) -> tuple[Model, Any]:
    """The state, whose `field` holds one item, and that item: of an object the pair of key and value.

    Raises pydantic's ValidationError, and TypeError for a field whose value is not a collection.
    """
    reader = _reader(model, field)
    if reader is None:
        value = load(model, state)
        return value, _first(getattr(value, field), field)
    rest, alone = reader
    text = json.dumps({name: value for name, value in state.items() if name != field})
    fields, extra, given = rest.validate_json(text, by_alias=True, by_name=True)
    held = state.get(field)
    if not isinstance(held, (list, dict)):
        raise TypeError(f"the field {field!r} holds a {type(held).__name__}, not a list")
    holder = held if alone is None else alone.validate_json(json.dumps(held), by_alias=True, by_name=True)
    return _instance(model, {**fields, field: holder}, extra, {*given, field}), _first(holder, field)


def _instance(model: type[Model], fields: Mapping[str, Any], extra: Any, given: set[str]) -> Model:
    """A model with these fields, which are valid one by one."""
    made = model.__new__(model)
    object.__setattr__(made, "__dict__", {name: fields[name] for name in model.model_fields if name in fields})
    object.__setattr__(made, "__pydantic_fields_set__", given)
    object.__setattr__(made, "__pydantic_extra__", extra)
    object.__setattr__(made, "__pydantic_private__", None)
    if getattr(model, "__pydantic_post_init__", None):
        made.model_post_init(None)
    return made


def _first(holder: Any, field: str) -> Any:
    if isinstance(holder, (str, bytes, BaseModel)) or not hasattr(holder, "__iter__"):
        raise TypeError(f"the field {field!r} holds a {type(holder).__name__}, not a list")
    return next(iter(holder.items() if isinstance(holder, Mapping) else holder))


@lru_cache(maxsize=256)
def _reader(model: type[BaseModel], field: str) -> tuple[SchemaValidator, SchemaValidator | None] | None:
    """Reads all fields but one, and a collection of that one's items; None for a model that is not read by fields."""
    schema: Any = model.__pydantic_core_schema__
    definitions = _definitions(schema)
    found = _unwrapped(schema, definitions, "model-fields")
    if found is None or field not in found["fields"]:
        return None
    config = _config(schema, definitions)
    others = {name: one for name, one in found["fields"].items() if name != field}
    rest = _validator({**found, "fields": others}, definitions, config)
    items = _unwrapped(found["fields"][field]["schema"], definitions, "list", "set", "frozenset", "tuple", "dict")
    if items is None:
        return rest, None
    return rest, _validator({key: items[key] for key in _OF_ITEMS if key in items}, definitions, config)


def _definitions(schema: Any) -> dict[str, Any]:
    return {one["ref"]: one for one in schema.get("definitions", ())} if schema.get("type") == "definitions" else {}


def _validator(schema: Any, definitions: Mapping[str, Any], config: Any) -> SchemaValidator:
    whole = {"type": "definitions", "schema": schema, "definitions": list(definitions.values())}
    return SchemaValidator(whole if definitions else schema, config)


def _unwrapped(schema: Any, definitions: Mapping[str, Any], *wanted: str) -> dict[str, Any] | None:
    """The first schema of a wanted type beneath those that surround it."""
    while schema["type"] not in wanted:
        if schema["type"] == "definition-ref":
            schema = definitions.get(schema["schema_ref"])
        else:
            schema = schema.get(_INSIDE.get(schema["type"], ""))
        if schema is None:
            return None
    found: dict[str, Any] = schema
    return found


def _config(schema: Any, definitions: Mapping[str, Any]) -> Any:
    model = _unwrapped(schema, definitions, "model")
    return None if model is None else model.get("config")
