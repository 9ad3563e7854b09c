"""What the policies of a parallel or a map come to: when it is over, whether it fails as a whole, and how."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from ..graph.plan import PlanNode
from ..graph.policies import error_target
from .messages import ErrorRecord
from .traversal import Traversal

FIRST_FAILURE = "first_failure"

TOLD = 20
"""Failures of branches or items that the failure of the whole lists."""


def enough_of(stop_when: str | int | None) -> Callable[[int, int], bool] | None:
    """Whether so many successes and failures are all that is needed: a first failure, or so many successes."""
    if stop_when is None:
        return None
    if stop_when == FIRST_FAILURE:
        return lambda succeeded, failed: failed > 0
    return lambda succeeded, failed: succeeded >= int(stop_when)


def stop_when_of(traversal: Traversal) -> str | int | None:
    """When the fan-out at the current node stops what is left; of a part of a map, as it was when that began."""
    if "share" in traversal.run:
        return traversal.run["share"].get("stop_when")
    return traversal.plan_node.get("stop_when")


def deadline_of(traversal: Traversal) -> datetime | None:
    """The deadline of the fan-out at the current node: decided when it begins, carried on, and given to its parts."""
    share, seconds = traversal.run.get("share"), traversal.plan_node.get("deadline")
    if share is not None:
        return datetime.fromisoformat(share["until"]) if "until" in share else None
    if seconds is None:
        return None
    fan = traversal.run.setdefault("fan_out", {"done": {}, "attempts": {}})
    if "until" not in fan:
        fan["until"] = (traversal.now() + timedelta(seconds=seconds)).isoformat()
    return datetime.fromisoformat(fan["until"])


def fails(plan: PlanNode, succeeded: int, failed: int) -> bool:
    """Whether a parallel or a map fails as a whole."""
    if "min_successful" in plan:
        return succeeded < plan["min_successful"]
    return failed > 0 and not plan.get("collect")


def keeps_for(plan: PlanNode, error: ErrorRecord) -> bool:
    """Whether what succeeded is kept: for the node that `on_error` names. Plans of an earlier release drop it."""
    return plan.get("keeps", False) and error_target(plan.get("on_error"), error) is not None


def failure_of(errors: list[dict[str, Any]], text: str, where: str) -> ErrorRecord:
    """One record for all failures; if they have one type, it keeps that type, so that on_error can name it."""
    first = errors[0] if errors else None
    single = first is not None and len({error["type"] for error in errors}) == 1
    named = [(error.get("node", error.get("item")), error["type"], error["message"]) for error in errors[:200]]
    details = "; ".join(f"{name}: {kind}: {message}" for name, kind, message in named)
    return {
        "type": first["type"] if first and single else "FanOutFailed",
        "bases": first["bases"] if first and single else ["Exception"],
        "message": f"{text}: {details}"[:2000] if details else text,
        "where": where,
        "errors": errors[:TOLD],
    }
