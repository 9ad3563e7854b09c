"""Reducers: how several updates of one field are combined.

Declared as LangGraph users do: `notes: Annotated[list[str], operator.add]`. A handler that returns a dict never
overwrites a field with a reducer: the reducer combines the current value with the returned one, in any node. If the
current value is None there is nothing to combine, and the update becomes the value.
"""

from __future__ import annotations

import inspect
import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from functools import lru_cache, partial
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, PydanticUserError, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo
from pydantic_core import to_jsonable_python

from ..errors import PayloadError
from .faithful import faithful
from .plain_json import check

Reducer = Callable[[Any, Any], Any]


class ReducerFailed(Exception):  # noqa: N818 - carries what the user's reducer raised
    """A reducer raised `error`, which may be any BaseException."""

    def __init__(self, field: str, error: BaseException) -> None:
        self.field, self.error = field, error
        super().__init__(f"the reducer of field {field!r} raised {type(error).__name__}")


@lru_cache(maxsize=256)
def reducers_of(model: type[BaseModel]) -> Mapping[str, Reducer]:
    """The reducer of each field that declares one: a function of two arguments in the annotation's metadata."""
    found: dict[str, Reducer] = {}
    for name, info in model.model_fields.items():
        for item in _metadata(info):
            if _is_reducer(item):
                found[name] = item
    return found


def reducer_names(model: type[BaseModel]) -> dict[str, str]:
    """Reducers by name, as in the manifest."""
    return {name: _name(code) for name, code in reducers_of(model).items()}


def reduce_field(model: type[BaseModel], field: str, current: Any, update: Any) -> Any:
    """The new value of a field that has a reducer. Raises ReducerFailed for whatever the reducer raises."""
    if current is None:
        return update
    try:
        return reducers_of(model)[field](current, update)
    except BaseException as error:
        raise ReducerFailed(field, error) from None


def read_update(model: type[BaseModel], field: str, value: Any) -> Any:
    """A JSON update of a reducer's field as a Python value: of the field's type, or one of its items, where it fits."""
    for adapter in _update_types(model, field):
        try:
            return adapter.validate_json(json.dumps(value), by_alias=True, by_name=True)
        except ValidationError:
            continue  # a reducer may take something else than the field's own type
    return value


@lru_cache(maxsize=256)
def _update_types(model: type[BaseModel], field: str) -> tuple[TypeAdapter[Any], ...]:
    """What an update of the field may be: a value of its type, then one item where that is a list, set or tuple."""
    annotation: Any = model.model_fields[field].annotation
    items = get_args(annotation) if get_origin(annotation) in (list, set, frozenset, tuple, deque) else ()
    return tuple(adapter_of(model, kind) for kind in (annotation, *items) if kind is not ...)


def write_update(model: type[BaseModel], field: str, value: Any) -> Any:
    """An update of a reducer's field as JSON, to be read again by `read_update`.

    Raises PayloadError for a value that has no JSON form, or that would not come back as a whole.
    """
    if isinstance(value, Iterator):  # it can be read once, and is written by several types in turn
        value = list(value)
    update = _update_to_json(model, field, value)
    check(update, f"state.{field}")
    back = read_update(model, field, update)
    return faithful(value, _update_to_json(model, field, back), f"state.{field}")


def _update_to_json(model: type[BaseModel], field: str, value: Any) -> Any:
    """Written as its type is, where it is of one that the field or an item of it has; otherwise as pydantic can."""
    for adapter in _update_types(model, field):
        with suppress(Exception):  # it is of another type
            return adapter.dump_python(value, mode="json", round_trip=True, by_alias=False, warnings="error")
    return to_json(value, f"state.{field}", model)


def adapter_of(model: type[BaseModel], kind: Any) -> TypeAdapter[Any]:
    """Reads and writes values of a type as the fields of the model are, by the model's config (strict, base64, …)."""
    try:
        return TypeAdapter(kind, config=model.model_config)
    except PydanticUserError as error:
        if error.code != "type-adapter-config-unused":
            raise
        return TypeAdapter(kind)  # a model or a dataclass has a config of its own


def to_json(value: Any, where: str, model: type[BaseModel], kind: TypeAdapter[Any] | None = None) -> Any:
    """A value of a type, or any that pydantic can write, as JSON values under field names.

    Raises PayloadError that begins with `where`.
    """
    try:
        if kind is not None:
            return kind.dump_python(value, mode="json", round_trip=True, by_alias=False)
        return to_jsonable_python(value, by_alias=False, bytes_mode=model.model_config.get("ser_json_bytes", "utf8"))
    except Exception as error:  # pydantic's own, or one of a serializer of the user's
        raise PayloadError(f"{where}: {type(value).__name__} has no JSON form ({str(error)[:200]})") from None


def _metadata(info: FieldInfo) -> Iterator[Any]:
    """The metadata of a field, of its type alias, and of the members of a union.

    `Optional[Annotated[list[str], operator.add]]`, and `type Notes = Annotated[list[str], operator.add]`.
    """
    yield from info.metadata
    yield from _nested_metadata(info.annotation)


def _nested_metadata(annotation: Any) -> Iterator[Any]:
    from types import UnionType

    if type(annotation).__name__ == "TypeAliasType":
        yield from _nested_metadata(annotation.__value__)
    elif get_origin(annotation) is Annotated:
        yield from annotation.__metadata__
        yield from _nested_metadata(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for member in get_args(annotation):
            yield from _nested_metadata(member)


def _is_reducer(item: Any) -> bool:
    """Whether a piece of metadata can be called with a current value and an update."""
    if not callable(item) or isinstance(item, type):
        return False
    try:
        inspect.signature(item).bind(None, None)
    except TypeError:
        return False
    except ValueError:  # a builtin without a signature
        return inspect.isroutine(item)
    return True


def _name(code: Reducer) -> str:
    if isinstance(code, partial):
        return f"partial({_name(code.func)})"
    return getattr(code, "__name__", None) or type(code).__name__
