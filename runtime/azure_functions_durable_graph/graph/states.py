"""A pydantic model as the state of a run: JSON in, JSON out, and the merge rules.

Inside a run a state is a dict under field names, as `model_dump(mode="json", round_trip=True)` gives it. It is read
back in pydantic's JSON mode, so that datetime, UUID, Decimal, set, bytes and strict models survive.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel

from .names import did_you_mean
from .reducers import read_writes, reduced

Model = TypeVar("Model", bound=BaseModel)

_NOISE = frozenset({"title", "description", "examples", "deprecated"})
"""Schema keywords that change nothing for a run. Without them a better docstring does not change the hash."""

_NAMED = frozenset({"properties", "$defs", "patternProperties", "dependentSchemas"})
"""Schema keywords under which the keys are the user's names, not keywords."""


def load(model: type[Model], state: Any) -> Model:
    """A state from its JSON form; field names and aliases both count. Raises pydantic's ValidationError."""
    return model.model_validate_json(json.dumps(state), by_alias=True, by_name=True)


def dump(state: BaseModel) -> dict[str, Any]:
    """The JSON form of a state: field names, no computed fields."""
    return state.model_dump(mode="json", round_trip=True)


def merge(model: type[Model], state: Mapping[str, Any], update: Any, who: str) -> Model:
    """Apply what a handler returned to a state in JSON form.

    dict: shallow merge; a field with a reducer is reduced instead. BaseModel: full replacement. None: unchanged.
    Anything else is a TypeError that begins with `who`, and so is a dict key that is no field. The result is validated:
    raises pydantic's ValidationError.
    """
    if update is None:
        return load(model, state)
    if isinstance(update, BaseModel):
        return _validated(model, dict(update))
    if not isinstance(update, Mapping):
        raise TypeError(
            f"{who} returned {type(update).__name__}; a handler returns a dict of changed fields, "
            "a state model, or None"
        )
    _refuse_unknown_fields(model, update, who)
    return _validated(model, reduced(model, dict(load(model, state)), update))


def reduce_writes(model: type[Model], state: Mapping[str, Any], writes: Mapping[str, Any]) -> Model:
    """Apply the updates that one branch has left for the fields with a reducer."""
    return _validated(model, reduced(model, dict(load(model, state)), read_writes(model, writes)))


def _validated(model: type[Model], values: Mapping[str, Any]) -> Model:
    return model.model_validate(values, by_alias=True, by_name=True)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], list[str]]:
    """The top-level fields that changed, and those that are gone.

    Compares JSON text: Python holds True, 1 and 1.0 for equal, JSON does not.
    """
    patch = {
        key: value for key, value in after.items() if key not in before or json.dumps(before[key]) != json.dumps(value)
    }
    return patch, [key for key in before if key not in after]


def apply_patch(state: Mapping[str, Any], patch: Mapping[str, Any], unset: list[str] | None = None) -> dict[str, Any]:
    """The state after a difference. Leaves its arguments as they are."""
    merged = {**state, **patch}
    for key in unset or ():
        merged.pop(key, None)
    return merged


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The model's JSON Schema without what only people read (titles, descriptions, examples)."""
    schema: dict[str, Any] = _quiet(copy.deepcopy(model.model_json_schema(mode="validation", by_alias=False)))
    return schema


def _refuse_unknown_fields(model: type[BaseModel], update: Mapping[str, Any], who: str) -> None:
    if model.model_config.get("extra") == "allow":
        return
    known = set(model.model_fields)
    known |= {info.alias for info in model.model_fields.values() if info.alias}
    for key in update:
        if key not in known:
            raise TypeError(f"{who} returned the unknown field {key!r}; {did_you_mean(str(key), model.model_fields)}")


def _quiet(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_quiet(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _quiet(item) for name, item in value.items()}
        if key in _NAMED and isinstance(value, dict)
        else (value if key in ("default", "const", "enum") else _quiet(value))
        for key, value in schema.items()
        if key not in _NOISE
    }
