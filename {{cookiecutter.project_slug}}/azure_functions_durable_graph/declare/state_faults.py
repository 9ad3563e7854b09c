"""Why a model cannot be the state of a run, or the payload of an event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel
from pydantic.errors import PydanticUserError

from ..errors import Fault
from ..graph.reducers import reducers_of
from ..graph.signatures import awaits
from ..graph.states import schema_of
from ..graph.wording import brief_repr
from .round_trips import round_trip_faults

Examined = tuple[dict[str, Any], list[Fault]]
"""The JSON Schema for the manifest, and the faults; the schema is empty if there are any."""


def examine_state(model: Any, where: str) -> Examined:
    """Why a class cannot be the state of a run, which is converted to JSON and back between any two nodes."""
    schema, faults = examine_payload(model, where)
    if not faults and '"writeOnly": true' in json.dumps(schema, default=str):
        text = f"{model.__name__} contains a SecretStr or SecretBytes, which is masked whenever the state is saved"
        faults = [Fault(where, text, "Keep a reference to the secret in the state and read the secret in the node")]
    faults = faults or [*round_trip_faults(model, where), *_reducer_faults(model, where)]
    return ({}, faults) if faults else (schema, [])


def _reducer_faults(model: type[BaseModel], where: str) -> Iterator[Fault]:
    """A reducer is called while the state is merged, where nothing can be awaited."""
    for field, reducer in reducers_of(model).items():
        if awaits(reducer):
            fix = "Use a plain function of two arguments, and await in the node that returns the update"
            yield Fault(where, f"the reducer of field {field!r} is an async function", fix)


def examine_payload(model: Any, where: str) -> Examined:
    """Why a class cannot be the model of a payload, which is only read from JSON."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        name = getattr(model, "__name__", None) or brief_repr(model)
        return {}, [Fault(where, f"{name} is not a pydantic v2 model", "Derive it from pydantic.BaseModel")]
    if model is BaseModel:
        return {}, [Fault(where, "BaseModel has no fields", "Derive a class with fields from it")]
    if model.__pydantic_root_model__:
        fix = "Give it named fields: derive it from BaseModel"
        return {}, [Fault(where, f"{model.__name__} is a RootModel", fix)]
    try:
        return schema_of(model), []
    except PydanticUserError as error:
        fix = "Use types that JSON can represent, or give the field a WithJsonSchema annotation"
        return {}, [Fault(where, f"{model.__name__} has no JSON Schema ({error.message})", fix)]
