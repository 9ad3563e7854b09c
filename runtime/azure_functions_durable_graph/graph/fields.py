"""Under which names a model takes its fields, and which names it does not know."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pydantic import AliasChoices, AliasPath, BaseModel


def input_names(model: type[BaseModel]) -> set[str]:
    """Every key under which a field can be given.

    A state is loaded by name and by alias, whatever the model's config says of either; of an alias' path the first key
    counts.
    """
    names = set(model.model_fields)
    for info in model.model_fields.values():
        names.update(_keys(info.validation_alias))
    return names


def unknown_fields(model: type[BaseModel], keys: Iterable[object]) -> list[str]:
    """The keys that are no field of the model, in order. None for a model with `extra="allow"`."""
    if model.model_config.get("extra") == "allow":
        return []
    known = input_names(model)
    return [str(key) for key in keys if key not in known]


def reads_raw_input(model: type[BaseModel]) -> bool:
    """Whether code of the model sees the input before its fields do, and may know keys that are no fields.

    That is so for validators of the whole model with the mode "before" or "wrap", and for an `__init__` of its own.
    """
    validators = model.__pydantic_decorators__.model_validators.values()
    return model.__pydantic_custom_init__ or any(found.info.mode in ("before", "wrap") for found in validators)


def _keys(alias: str | AliasPath | AliasChoices | None) -> Iterator[str]:
    if isinstance(alias, AliasChoices):
        for choice in alias.choices:
            yield from _keys(choice)
    elif isinstance(alias, AliasPath):
        yield from (key for key in alias.path[:1] if isinstance(key, str))
    elif alias is not None:
        yield alias
