"""What a visit of a node comes to: exactly one of three things."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from ..graph.decisions import RouteDecision
from .messages import ErrorRecord


@dataclass(frozen=True)
class Moved:
    """The node is done, and the decision says what follows."""

    decision: RouteDecision


@dataclass(frozen=True)
class Failed:
    """The node has failed for good: no attempt is left."""

    error: ErrorRecord


@dataclass(frozen=True)
class Revisit:
    """The node is to be visited once more: its version is not deployed, an attempt is left, or the history is full."""


NodeOutcome = Union[Moved, Failed, Revisit]
