"""What a handler may know about its call, besides the state."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class NodeContext:
    """The optional last argument of a handler: `def handler(state, context)`.

    `attempt` counts from 1. `idempotency_key` is the same for every attempt of a step and different for every step,
    branch and item: hand it to whatever must recognise a repetition. `error` is set in the node to which `on_error` has
    led: `type`, `bases`, `message`, `node`, `step` and `attempts` of what failed.
    """

    run_id: str
    graph: str
    graph_hash: str
    version: str
    node: str
    step: int
    attempt: int
    idempotency_key: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    error: Mapping[str, Any] | None = None


def idempotency_key(run_id: str, step: int, branch: str | None = None, item: int | None = None) -> str:
    """The key of one step of one run, or of one of its branches or items."""
    parts = [run_id, str(step), *([branch] if branch else []), *([str(item)] if item is not None else [])]
    return ":".join(parts)
