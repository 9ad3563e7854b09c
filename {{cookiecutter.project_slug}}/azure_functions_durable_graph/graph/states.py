"""A pydantic model as the state of a run: JSON in, JSON out.

Inside a run a state is a dict under field names, whatever the model's config says (`serialize_by_alias`), as
`model_dump(mode="json", round_trip=True, by_alias=False)` returns it, with sets in canonical order. It is read back in
pydantic's JSON mode, so that datetime, UUID, Decimal, set, bytes and strict models survive.
"""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypeVar

from pydantic import BaseModel
from pydantic.errors import PydanticUserError

from ..errors import PayloadError
from .faithful import check_read_again, check_value_read, faithful

Model = TypeVar("Model", bound=BaseModel)

_NOISE = frozenset({"title", "description", "examples", "deprecated"})
"""Schema keywords that mean nothing to a run; they are removed so that a docstring does not change the hash."""

_NAMED = frozenset({"properties", "$defs", "patternProperties", "dependentSchemas"})
"""Schema keywords whose own keys are the user's names, not keywords."""


def load(model: type[Model], state: Any) -> Model:
    """A state from its JSON form, by field names or aliases. Raises pydantic's ValidationError."""
    return model.model_validate_json(json.dumps(state), by_alias=True, by_name=True)


def dump(state: BaseModel) -> dict[str, Any]:
    """The JSON form of a state: by field names, without computed fields, sets in canonical order.

    Raises PayloadError, which names the field, for a value that has no JSON form.
    """
    dumped = _dump(state)
    return faithful(state, dumped, "state") if _may_differ(type(state)) else dumped


def dump_checked(state: BaseModel, fields: set[str], *, only: bool = False) -> dict[str, Any]:
    """Like `dump`, but every value of `fields` is compared with its JSON form: nothing may be lost silently.

    With `only`, no other field is dumped.

    Raises PayloadError for a value whose JSON form loses something: an instance of a subclass in a field of its base
    class, NaN in a field of type Any, two keys of a dict that become one.
    """
    dumped = _dump(state, fields) if only else dump(state)
    for name in fields & set(dumped):
        dumped[name] = faithful(getattr(state, name), dumped[name], f"state.{name}")
    return dumped


def dump_to_send(given: BaseModel) -> dict[str, Any]:
    """A model as an input or a payload: by field names, without computed fields.

    Raises PayloadError for what a model hides when it is written: the run would get a mask or a default in its place.
    """
    kind = type(given)
    dumped = dump(given)
    for name in kind.model_fields:
        if name not in dumped and not kind.__pydantic_decorators__.model_serializers:
            raise PayloadError(
                f"{kind.__name__}.{name} is excluded from serialization, so it would be lost; send a dict"
            )
    if _has_secrets(kind):
        raise PayloadError(f"{kind.__name__} has a SecretStr or SecretBytes, which would be sent masked; send a dict")
    return dumped


def _has_secrets(model: type[BaseModel]) -> bool:
    try:
        return '"writeOnly": true' in json.dumps(schema_of(model), default=str)
    except PydanticUserError:  # it has no JSON Schema
        return False


def check_comes_back(state: BaseModel, dumped: Mapping[str, Any], fields: set[str]) -> None:
    """Raise PayloadError, which names the place, if one of the `fields` would be read as less than it is.

    Costs nothing for models of which everything that is written is read.
    """
    model = type(state)
    if reads_less(model):
        back = load(model, dumped)
        again = dump(back)
        for name in fields & set(dumped):
            check_read_again(dumped[name], again.get(name), f"state.{name}")
        for name in fields & set(model.model_fields):
            check_value_read(getattr(state, name), getattr(back, name), f"state.{name}")


@lru_cache(maxsize=256)
def reads_less(model: type[BaseModel]) -> bool:
    """Whether something of a value may not be read again.

    Fields of subclasses, where they are written (`SerializeAsAny`, `polymorphic_serialization`), those of a dataclass
    that its own code sets (`init=False`), and what a serializer of the user's leaves out or rounds.
    """
    schema = repr(getattr(model, "__pydantic_core_schema__", ""))
    serialized = ("'serialization': {'type': 'any'", "'serialization': {'type': 'function")
    signs = (*serialized, "'polymorphic_serialization': True", "'init': False")
    return any(sign in schema for sign in signs)


def _dump(state: BaseModel, only: set[str] | None = None) -> dict[str, Any]:
    try:
        return state.model_dump(mode="json", round_trip=True, by_alias=False, include=only)
    except RecursionError:
        raise PayloadError("state: nested too deeply") from None
    except Exception as error:  # pydantic does not say which field it was
        raise PayloadError(_dump_problem(state, error)) from None


def _dump_problem(state: BaseModel, error: Exception) -> str:
    for name in type(state).model_fields:
        try:
            state.model_dump(mode="json", round_trip=True, by_alias=False, include={name})
        except Exception as reason:
            return f"state.{name}: {type(getattr(state, name)).__name__} has no JSON form ({str(reason)[:200]})"
    return f"state: it has no JSON form ({str(error)[:200]})"


@lru_cache(maxsize=256)
def _may_differ(model: type[BaseModel]) -> bool:
    """Whether a JSON form may depend on the process (sets have no order), or lack something (the maxlen of a deque)."""
    schema = repr(getattr(model, "__pydantic_core_schema__", "'any'"))
    return any(f"'{kind}'" in schema for kind in ("set", "frozenset", "any", "is-instance", "deque"))


@lru_cache(maxsize=256)
def has_validators(model: type[BaseModel]) -> bool:
    """Whether validating the model runs its author's code."""
    schema = repr(getattr(model, "__pydantic_core_schema__", "'function-"))
    return any(sign in schema for sign in ("'function-", "'post_init'", "'custom_init': True"))


@lru_cache(maxsize=256)
def has_model_validators(model: type[BaseModel]) -> bool:
    """Whether the model checks its fields against each other: valid fields alone do not make a valid state."""
    found = model.__pydantic_decorators__
    return bool(found.model_validators or found.root_validators)


def apply_patch(state: Mapping[str, Any], patch: Mapping[str, Any], unset: list[str] | None = None) -> dict[str, Any]:
    """The state after a patch; the arguments are not changed."""
    merged = {**state, **patch}
    for key in unset or ():
        merged.pop(key, None)
    return merged


def schema_for_people(
    model: type[BaseModel], *, by_alias: bool = False, references: str | None = None
) -> dict[str, Any]:
    """The model's JSON Schema, with titles, descriptions and examples, and without infinities, which are not JSON.

    `references` is pydantic's `ref_template`.
    """
    template: dict[str, Any] = {} if references is None else {"ref_template": references}
    found = model.model_json_schema(mode="validation", by_alias=by_alias, **template)
    schema: dict[str, Any] = _without_infinities(found)
    return schema


def _without_infinities(schema: Any) -> Any:
    """A copy without limits and defaults that are infinite or NaN: no limit says the same, and a default is no rule."""
    if isinstance(schema, dict):
        return {key: _without_infinities(value) for key, value in schema.items() if not _is_infinite(value)}
    if isinstance(schema, list):
        return [_without_infinities(item) for item in schema if not _is_infinite(item)]
    return copy.deepcopy(schema)


def _is_infinite(value: Any) -> bool:
    return isinstance(value, float) and not math.isfinite(value)


def schema_of(model: type[BaseModel]) -> dict[str, Any]:
    """The same without those: what counts of it."""
    schema: dict[str, Any] = _strip_noise(schema_for_people(model))
    return schema


def _strip_noise(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strip_noise(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: {name: _strip_noise(item) for name, item in value.items()}
        if key in _NAMED and isinstance(value, dict)
        else (value if key in ("default", "const", "enum") else _strip_noise(value))
        for key, value in schema.items()
        if key not in _NOISE
    }
