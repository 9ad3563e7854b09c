"""The keys under which a model's fields may be written: their names, aliases and validation aliases."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Any

from pydantic import AliasChoices, AliasPath, BaseModel


@lru_cache(maxsize=256)
def field_keys(model: type[BaseModel]) -> Mapping[str, str]:
    """Each key that names a whole field -> the field's name."""
    found: dict[str, str] = {}
    for name, info in model.model_fields.items():
        for alias in (info.alias, info.validation_alias):
            found.update({key: name for key, whole in _keys(alias) if whole})
    return {**found, **{name: name for name in model.model_fields}}


@lru_cache(maxsize=256)
def _known_keys(model: type[BaseModel]) -> frozenset[str]:
    """Every key that the model reads at its top level, those of alias paths included."""
    aliases = [alias for info in model.model_fields.values() for alias in (info.alias, info.validation_alias)]
    return frozenset(field_keys(model)) | {key for alias in aliases for key, _ in _keys(alias)}


def unknown_fields(model: type[BaseModel], keys: Iterable[Any]) -> list[str]:
    """The keys that the model does not have, in their order. None are unknown where it allows extra fields."""
    if model.model_config.get("extra") == "allow":
        return []
    known: Collection[Any] = _known_keys(model)
    return [str(key) for key in keys if key not in known]


def _keys(alias: Any) -> list[tuple[str, bool]]:
    """The top-level keys of an alias, each with whether it stands for the whole field."""
    if isinstance(alias, str):
        return [(alias, True)]
    if isinstance(alias, AliasPath):
        return [(str(alias.path[0]), len(alias.path) == 1)]
    if isinstance(alias, AliasChoices):
        return [key for choice in alias.choices for key in _keys(choice)]
    return []
