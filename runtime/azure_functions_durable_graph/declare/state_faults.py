"""What keeps a model from being the state of a run, or the payload of an event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, RootModel
from pydantic.errors import PydanticUserError

from ..errors import Fault
from ..graph.wording import shown
from .round_trips import round_trip_faults


def state_faults(model: Any, where: str) -> Iterator[Fault]:
    """What keeps a class from being the state of a run: it goes through JSON between any two nodes."""
    faults = list(_model_faults(model, where))
    yield from faults
    if faults:
        return
    if '"writeOnly": true' in json.dumps(model.model_json_schema(), default=str):
        yield Fault(
            where,
            f"{model.__name__} holds a SecretStr or SecretBytes, which is masked whenever the state is saved",
            "Keep a reference to the secret in the state and read the secret in the node",
        )
        return
    yield from round_trip_faults(model, where)


def payload_faults(model: Any, where: str) -> Iterator[Fault]:
    """What keeps a class from being the model of a payload: it is only read."""
    yield from _model_faults(model, where)


def _model_faults(model: Any, where: str) -> Iterator[Fault]:
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        name = getattr(model, "__name__", None) or shown(model)
        yield Fault(where, f"{name} is not a pydantic v2 model", "Derive it from pydantic.BaseModel")
        return
    if issubclass(model, RootModel):
        yield Fault(where, f"{model.__name__} is a RootModel", "Give it named fields: derive it from BaseModel")
        return
    try:
        model.model_json_schema()
    except PydanticUserError as error:
        yield Fault(
            where,
            f"{model.__name__} has no JSON Schema ({error.message})",
            "Use types that JSON can hold, or give the field a WithJsonSchema annotation",
        )
