"""What becomes of one item of a map that collects failures: a value, or an error."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class ItemError(BaseModel):
    """Why an item failed, after its last attempt. `bases` are the names of the exception's base classes."""

    type: str
    bases: list[str] = []
    message: str = ""
    where: str = ""


class ItemResult(BaseModel, Generic[T]):
    """The value of an item, or its error: `scores: list[ItemResult[int]]`, with `on_item_error="collect"`."""

    value: T | None = None
    error: ItemError | None = None

    @property
    def ok(self) -> bool:
        """Whether the item has a value."""
        return self.error is None


def value_type(item: object) -> Any:
    """What `ItemResult[int]` holds: int; None for what is not an ItemResult of something."""
    if isinstance(item, type) and issubclass(item, ItemResult):
        (held,) = item.__pydantic_generic_metadata__["args"] or (None,)
        return held
    return None
