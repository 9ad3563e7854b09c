"""The keys under which a model's fields may be written: their names and validation aliases."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from pydantic import AliasChoices, AliasPath, BaseModel


@lru_cache(maxsize=256)
def field_keys(model: type[BaseModel]) -> Mapping[str, str]:
    """Each key that names a whole field -> the field's name."""
    found = {
        key: name for name, info in model.model_fields.items() for key, whole in _keys(info.validation_alias) if whole
    }
    return {**found, **{name: name for name in model.model_fields}}


@lru_cache(maxsize=256)
def input_names(model: type[BaseModel]) -> frozenset[str]:
    """Every key under which a field can be given.

    A state is loaded by name and by alias, whatever the model's config says about either. Of an alias path, the first
    key counts.
    """
    aliases = (info.validation_alias for info in model.model_fields.values())
    return frozenset(model.model_fields) | {key for alias in aliases for key, _ in _keys(alias)}


def unknown_fields(model: type[BaseModel], keys: Iterable[object]) -> list[str]:
    """The keys that are not fields of the model, in order. None for a model with `extra="allow"`."""
    if model.model_config.get("extra") == "allow":
        return []
    known = input_names(model)
    return [str(key) for key in keys if key not in known]


def unknown_attributes(value: BaseModel) -> list[str]:
    """What an instance holds that its class does not know: `model_copy(update={"typo": 1})` checks nothing.

    Cached properties are attributes of the class; names with an underscore are the user's own business.
    """
    kind = type(value)
    return [
        name for name in vars(value) if name not in kind.model_fields and name[:1] != "_" and not hasattr(kind, name)
    ]


def reads_raw_input(model: type[BaseModel]) -> bool:
    """Whether the model's own code sees the input before its fields do, and may accept keys that are not fields.

    True for model validators with the mode "before" or "wrap", and for a custom `__init__`.
    """
    validators = model.__pydantic_decorators__.model_validators.values()
    return model.__pydantic_custom_init__ or any(found.info.mode in ("before", "wrap") for found in validators)


def _keys(alias: str | AliasPath | AliasChoices | None) -> Iterator[tuple[str, bool]]:
    """The top-level keys of an alias, each with whether it names the whole field."""
    if isinstance(alias, AliasChoices):
        for choice in alias.choices:
            yield from _keys(choice)
    elif isinstance(alias, AliasPath):
        yield from ((key, len(alias.path) == 1) for key in alias.path[:1] if isinstance(key, str))
    elif alias is not None:
        yield alias, True
