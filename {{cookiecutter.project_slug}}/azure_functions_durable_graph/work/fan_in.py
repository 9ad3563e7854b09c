"""Results of items and of a child run, checked against the types of the state that receives them.

Most results can be checked at once: an item by the type of the list's items, a child's field by its schema. The others
are merged in a separate activity (`merge`), so that the node that returned them is the one that fails.
"""

from __future__ import annotations

import json
import operator
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError

from ..graph.faithful import check_read_again, check_value_read, faithful
from ..graph.item_results import value_type
from ..graph.plain_json import canonical, check
from ..graph.reducers import adapter_of, reducers_of, to_json
from ..graph.states import has_model_validators, has_validators, reads_less, schema_of


class ItemReader:
    """Reads the results of a map whose list goes into the field `into`."""

    def __init__(self, model: type[BaseModel], into: str, collect: bool = False) -> None:
        self._item = _item_adapter(model, into, collect)
        self.needs_merge = needs_merge(model, into)
        self._into = into
        self._model = model

    def read(self, result: Any, who: str) -> Any:
        """One result as JSON. Raises ValidationError or PayloadError if it is not valid."""
        where = f"the result of {who}"
        if self._item is None:
            value = to_json(result, where, self._model)
        else:
            valid = self._validate(result)
            value = faithful(valid, to_json(valid, where, self._model, self._item), where)
            self._check_comes_back(valid, value, where)
        check(value, where)
        return value

    def _check_comes_back(self, valid: Any, value: Any, where: str) -> None:
        if self._item is not None and reads_less(self._model):
            back = self._item.validate_json(json.dumps(value), by_alias=True, by_name=True)
            check_read_again(value, to_json(back, where, self._model, self._item), where)
            check_value_read(valid, back, where)

    def _validate(self, result: Any) -> Any:
        assert self._item is not None
        try:
            return self._item.validate_python(result, by_alias=True, by_name=True)
        except ValidationError:
            if not isinstance(result, BaseModel):
                raise
            text = json.dumps(to_json(result, "the result", self._model))
            return self._item.validate_json(text, by_alias=True, by_name=True)


@lru_cache(maxsize=256)
def _item_adapter(model: type[BaseModel], into: str, collect: bool) -> TypeAdapter[Any] | None:
    """The type of one result in a list field; None if the annotation does not say it."""
    annotation = model.model_fields[into].annotation if into in model.model_fields else None
    if get_origin(annotation) is not list:
        return None
    (item,) = get_args(annotation)
    return adapter_of(model, value_type(item) if collect else item)


@lru_cache(maxsize=256)
def needs_merge(model: type[BaseModel], field: str) -> bool:
    """Whether a list of valid items may still be an invalid value of the field, or has to be reduced."""
    info = model.model_fields.get(field)
    if info is None or field in reducers_of(model) or has_model_validators(model):
        return True
    checked = has_validators(model) or bool(info.metadata)
    return checked or get_origin(info.annotation) is not list


def surely_reduces(model: type[BaseModel], writes: Mapping[str, Any]) -> bool:
    """Whether reducing these updates cannot fail: lists that are appended, in a model without rules of its own.

    Then the next activity can do it on its way; anything else is merged before the run goes on.
    """
    return not has_validators(model) and all(_appends(model, field, update) for field, update in writes.items())


def _appends(model: type[BaseModel], field: str, update: Any) -> bool:
    info = model.model_fields[field]
    if list(info.metadata) != [operator.add] or get_origin(info.annotation) is not list:
        return False
    try:
        adapter_of(model, info.annotation).validate_json(json.dumps(update), by_alias=True, by_name=True)
    except ValidationError:
        return False
    return True


@lru_cache(maxsize=256)
def _field_schemas(model: type[BaseModel]) -> Mapping[str, str]:
    schema = schema_of(model)
    definitions = schema.get("$defs", {})
    return {
        name: canonical([{k: v for k, v in entry.items() if k != "default"}, definitions])
        for name, entry in schema.get("properties", {}).items()
    }


def child_fits(parent: type[BaseModel], child: type[BaseModel], output: Mapping[str, str]) -> bool:
    """Whether every value that the child's fields can have is a valid value of the parent's."""
    if has_validators(parent):
        return not output
    mine, theirs = _field_schemas(parent), _field_schemas(child)
    return all(
        field not in reducers_of(parent) and field in mine and mine[field] == theirs.get(source)
        for field, source in output.items()
    )
