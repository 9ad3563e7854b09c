"""The outcome of visiting a node: one of three types."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Union

from ..graph.decisions import RouteDecision
from .messages import ErrorRecord


@dataclass(frozen=True)
class Moved:
    """The node is done; the decision determines what follows."""

    decision: RouteDecision


@dataclass(frozen=True)
class Failed:
    """The node has failed, with no attempt left."""

    error: ErrorRecord


@dataclass(frozen=True)
class Revisit:
    """The node has to be visited again: its version is not deployed, an attempt is left, or the history is long."""


NodeOutcome = Union[Moved, Failed, Revisit]
