"""A journey that is booked in parts."""

from __future__ import annotations

import operator
from typing import Annotated, Any

from pydantic import BaseModel

from azure_functions_durable_graph import (
    ItemResult,
    NodeContext,
)


class Trip(BaseModel):
    """A journey that is booked in parts."""

    hotel: str = ""
    flight: str = ""
    cancelled: list[str] = []
    notes: Annotated[list[str], operator.add] = []
    numbers: list[int] = []
    halves: list[int] = []
    results: list[ItemResult[int]] = []
    seen: str = ""


def refund(state: Trip, context: NodeContext) -> dict[str, Any]:
    assert context.error is not None
    return {"cancelled": [state.hotel, *map(str, state.halves)], "seen": context.error["message"]}
