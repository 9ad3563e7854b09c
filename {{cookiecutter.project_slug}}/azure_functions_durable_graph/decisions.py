"""What a route handler decides: the next node, to wait for an event, or to complete. Floor 1.

A decision is a frozen value. Route handlers may return shorter forms; `as_decision` is the one place that
reads them. On the wire a decision is the dict of `to_dict`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from .errors import DecisionError
from .names import COMPLETE


class RouteAction(str, Enum):
    """What happens after a node."""

    NEXT = "next"
    WAIT_FOR_EVENT = "wait_for_event"
    COMPLETE = "complete"


@dataclass(frozen=True)
class RouteDecision:
    """Where a run goes after a node. Build it with `next`, `wait_for_event` or `complete`."""

    action: RouteAction
    next_node: str | None = None
    event_name: str | None = None
    resume_node: str | None = None
    note: str | None = None

    def __post_init__(self) -> None:
        for name in _NEEDED[self.action]:
            value = getattr(self, name)
            if not isinstance(value, str) or not value:
                raise DecisionError(
                    f"a {self.action.value!r} decision needs {name} as a non-empty string, not {value!r}"
                )
        for name in _OPTIONAL - set(_NEEDED[self.action]):
            if getattr(self, name) is not None:
                raise DecisionError(f"a {self.action.value!r} decision takes no {name}")
        if self.note is not None and not isinstance(self.note, str):
            raise DecisionError(f"a decision's note is text, not {type(self.note).__name__}")

    @classmethod
    def next(cls, node: str, *, note: str | None = None) -> RouteDecision:
        """Go on with `node`."""
        return cls(RouteAction.NEXT, next_node=node, note=note)

    @classmethod
    def wait_for_event(cls, *, event_name: str, resume_node: str, note: str | None = None) -> RouteDecision:
        """Stop until `event_name` is posted; its handler and then `resume_node` run in one activity."""
        return cls(RouteAction.WAIT_FOR_EVENT, event_name=event_name, resume_node=resume_node, note=note)

    @classmethod
    def complete(cls, *, note: str | None = None) -> RouteDecision:
        """End the run; its state becomes its output."""
        return cls(RouteAction.COMPLETE, note=note)

    @property
    def target(self) -> str | None:
        """The node at which the run goes on, now or after the event."""
        return self.next_node or self.resume_node

    def to_dict(self) -> dict[str, str]:
        """The fields that are set, as plain JSON."""
        wire = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**{k: v for k, v in wire.items() if v is not None}, "action": self.action.value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RouteDecision:
        """Read `to_dict`'s form. Raises DecisionError naming the bad key."""
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(map(str, data)) - known)
        if unknown:
            raise DecisionError(f"a decision has no key {unknown[0]!r}; known: {', '.join(sorted(known))}")
        try:
            action = RouteAction(data.get("action"))
        except ValueError:
            actions = ", ".join(repr(action.value) for action in RouteAction)
            raise DecisionError(f"a decision's action is one of {actions}, not {data.get('action')!r}") from None
        return cls(**{**data, "action": action})


_NEEDED: dict[RouteAction, tuple[str, ...]] = {
    RouteAction.NEXT: ("next_node",),
    RouteAction.WAIT_FOR_EVENT: ("event_name", "resume_node"),
    RouteAction.COMPLETE: (),
}
_OPTIONAL = {"next_node", "event_name", "resume_node"}


def as_decision(answer: Any, default_next: str | None) -> RouteDecision:
    """Read what a route handler returned.

    A decision stays; a string is a node's name or "__complete__"; a dict is `RouteDecision.from_dict`;
    None means `default_next` if there is one, else complete. Anything else raises DecisionError.
    """
    if isinstance(answer, RouteDecision):
        return answer
    if answer is None:
        return RouteDecision.next(default_next) if default_next else RouteDecision.complete()
    if isinstance(answer, str):
        return RouteDecision.complete() if answer == COMPLETE else RouteDecision.next(answer)
    if isinstance(answer, Mapping):
        return RouteDecision.from_dict(answer)
    raise DecisionError(
        f"a route handler returns a RouteDecision, a node's name, {COMPLETE!r}, a dict or None, "
        f"not {type(answer).__name__}"
    )


def decision_after(plan_node: Mapping[str, Any], result: Mapping[str, Any]) -> RouteDecision:
    """What follows a node that succeeded: its route's decision, or the static edge, or the end."""
    if "decision" in result:
        return RouteDecision.from_dict(result["decision"])
    following = plan_node.get("next")
    return RouteDecision.next(following) if following else RouteDecision.complete()
