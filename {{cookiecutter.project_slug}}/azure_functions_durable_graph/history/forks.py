"""A run as it stood when it came to a node: what another run needs to go on from there.

The history says it by being followed only so far. Nothing recorded is changed.
"""

from __future__ import annotations

from typing import Any

from ..run.messages import RunInput
from .lines import SeenTraversal
from .record import RunRecord
from .walk import follow

_IN_HAND = ("event", "error", "writes")


def at_node(record: RunRecord, node: str) -> RunInput | None:
    """The run as it stood when it came to a node for the last time; None where its history does not say.

    The history holds one generation: what came before the last continue-as-new is not known any more.
    """
    found: dict[int, RunInput] = {}
    for length in range(len(record.history) + 1):
        followed = follow(record.id, record.run, record.history[:length])
        run = followed.traversal.run
        here = [] if followed.over or _is_waiting(followed.traversal) else [run]
        for stood in (*followed.traversal.between, *here):
            if stood["node"] == node:
                found.setdefault(stood["step"], {**stood})
    if not found:
        return None
    stood = found[max(found)]
    stood.pop("fan_out", None)
    return stood


def at_failure(record: RunRecord) -> RunInput:
    """A failed run as it stood when it failed. Of a fan-out, what has come back without an error is kept."""
    run = follow(record.id, record.run, record.history).traversal.run
    if "fan_out" not in run:
        return run
    done = {key: one for key, one in run["fan_out"]["done"].items() if {"error", "stopped"}.isdisjoint(one)}
    return {**run, "fan_out": {"done": done, "attempts": {}}}


def go_on_from(stood: RunInput, start: RunInput) -> RunInput:
    """The input of a new run that goes on where another stood, with what that one had in hand."""
    kept: dict[str, Any] = {key: stood[key] for key in (*_IN_HAND, "fan_out") if key in stood}  # type: ignore[literal-required]
    return {**start, "node": stood["node"], **kept}  # type: ignore[typeddict-item]


def _is_waiting(traversal: SeenTraversal) -> bool:
    """Whether the run still waits before it goes on at its node."""
    return any(line.waited is not None and line.waited.outcome == "open" for line in traversal.lines.values())
