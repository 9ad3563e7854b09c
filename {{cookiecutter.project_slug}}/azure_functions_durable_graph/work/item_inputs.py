"""The input of the run for one item of a map, from the item and the fields of the state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from ..errors import PayloadError
from ..graph.names import did_you_mean, item_path
from ..graph.reducers import to_json


def item_input(
    table: Mapping[str, str] | None, state: Mapping[str, Any], item: Any, model: type[BaseModel]
) -> dict[str, Any]:
    """The child's fields by the map's `input`; without one the item itself. All is JSON.

    Raises PayloadError for an item that does not have a part, or is not an object where it has to be one.
    """
    if not table:
        if not isinstance(item, dict):
            text = f"the item is of type {type(item).__name__}, not an object: name the field for it with input={{…}}"
            raise PayloadError(text)
        return dict(item)
    return {theirs: _value(source, state, item, model) for theirs, source in table.items()}


def _value(source: str, state: Mapping[str, Any], item: Any, model: type[BaseModel]) -> Any:
    path = item_path(source)
    if path is not None:
        return _part(source, item, path)
    if source in state or source not in model.model_fields:
        return state.get(source)
    return to_json(model.model_fields[source].get_default(call_default_factory=True), f"state.{source}", model)


def _part(source: str, item: Any, path: list[str]) -> Any:
    """The item, or a part of it: a field of an object, an index of a list."""
    found = item
    for key in path:
        known = found if isinstance(found, dict) else dict(enumerate(found)) if isinstance(found, (list, tuple)) else {}
        place: Any = int(key) if not isinstance(found, dict) and key.isdigit() else key
        if place not in known:
            raise PayloadError(f"{source}: the item has no {key!r}; {did_you_mean(key, map(str, known))}")
        found = known[place]
    return found
