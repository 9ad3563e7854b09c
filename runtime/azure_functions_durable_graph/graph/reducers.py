"""Reducers: how several updates of one field become one.

Declared as LangGraph users do: `notes: Annotated[list[str], operator.add]`. A handler that returns a dict never
overwrites a field with a reducer: the reducer combines the current value with the returned one, in any node.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Any, cast

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import to_jsonable_python

Reducer = Callable[[Any, Any], Any]


@lru_cache(maxsize=256)
def reducers_of(model: type[BaseModel]) -> Mapping[str, Reducer]:
    """The reducer of each field that declares one: a function among the annotation's metadata."""
    found: dict[str, Reducer] = {}
    for name, info in model.model_fields.items():
        for item in info.metadata:
            if inspect.isroutine(item):
                found[name] = item
    return found


def reducer_names(model: type[BaseModel]) -> dict[str, str]:
    """Reducers by name, as the manifest holds them."""
    return {name: getattr(code, "__name__", repr(code)) for name, code in reducers_of(model).items()}


def reduced(model: type[BaseModel], values: Mapping[str, Any], update: Mapping[str, Any]) -> dict[str, Any]:
    """The values with an update applied: by the field's reducer where it has one, by replacement elsewhere."""
    reducers = reducers_of(model)
    return {
        **values,
        **{
            key: reducers[key](values[key], value) if key in reducers and key in values else value
            for key, value in update.items()
        },
    }


def raw_writes(model: type[BaseModel], update: Any) -> tuple[dict[str, Any], Any]:
    """Split what a branch returned: updates of fields with a reducer as JSON, and the rest."""
    if not isinstance(update, Mapping):
        return {}, update
    reducers = reducers_of(model)
    writes = {key: to_json(value) for key, value in update.items() if key in reducers}
    return writes, {key: value for key, value in update.items() if key not in reducers}


def read_writes(model: type[BaseModel], writes: Mapping[str, Any]) -> dict[str, Any]:
    """JSON updates as Python values: of the field's type where they fit it, as they are elsewhere."""
    found = {}
    for key, value in writes.items():
        try:
            found[key] = TypeAdapter(cast(Any, model.model_fields[key].annotation)).validate_python(value)
        except ValidationError:
            found[key] = value  # a reducer may take something else than the field's own type, such as one item
    return found


def to_json(value: Any) -> Any:
    """Any value that pydantic can write, as JSON values under field names."""
    return to_jsonable_python(value, by_alias=False)
