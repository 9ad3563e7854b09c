"""What keeps a model from being the state of a run, or the payload of an event."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, RootModel
from pydantic.errors import PydanticUserError

from ..errors import Fault


def state_faults(model: Any, where: str) -> Iterator[Fault]:
    """What keeps a class from being the state of a run."""
    if not (isinstance(model, type) and issubclass(model, BaseModel)):
        yield Fault(
            where,
            f"{getattr(model, '__name__', None) or repr(model)} is no pydantic v2 model",
            "Derive it from pydantic.BaseModel",
        )
        return
    if issubclass(model, RootModel):
        yield Fault(where, f"{model.__name__} is a RootModel", "A state has named fields: derive it from BaseModel")
        return
    for name, info in model.model_fields.items():
        if info.exclude:
            yield Fault(
                where,
                f"field {name!r} has exclude=True and would be lost between two nodes",
                "Drop exclude=True, or keep the value out of the state",
            )
    try:
        schema = model.model_json_schema()
    except PydanticUserError as error:
        yield Fault(
            where,
            f"{model.__name__} has no JSON Schema ({error.message})",
            "Use types that JSON can hold, or give the field a WithJsonSchema annotation",
        )
        return
    if '"writeOnly": true' in json.dumps(schema, default=str):
        yield Fault(
            where,
            f"{model.__name__} holds a SecretStr or SecretBytes, which is masked whenever the state is saved",
            "Keep a reference to the secret in the state and read the secret in the node",
        )


def payload_faults(model: Any, where: str) -> Iterator[Fault]:
    """What keeps a class from being the model of a payload."""
    yield from state_faults(model, where)
