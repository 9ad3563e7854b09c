"""A state as one visit of a node leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from azure_functions_durable_graph.work.visit_state import VisitState


class Inner(BaseModel):
    """A nested model."""

    tags: set[str] = set()
    size: int = 0


class State(BaseModel):
    """A state with plain fields."""

    name: str = ""
    count: int = 0
    inner: Inner = Inner()
    words: set[str] = set()


def visited(model: Any, before: Mapping[str, Any], update: Any, who: str = "node 'a'") -> VisitState[Any]:
    state = VisitState(model, before)
    state.apply(update, who)
    return state
