"""A state as one visit of a node leaves it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from azure_functions_durable_graph.work.visit_state import VisitState


def visited(model: Any, before: Mapping[str, Any], update: Any, who: str = "node 'a'") -> VisitState[Any]:
    state = VisitState(model, before)
    state.apply(update, who)
    return state
