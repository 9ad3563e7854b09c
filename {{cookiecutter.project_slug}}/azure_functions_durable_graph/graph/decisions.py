"""What a route handler decides: the next node, to wait, to sleep, or to complete.

A decision is a frozen value. Route handlers may return shorter forms; `as_decision` is the one place that
reads them. On the wire a decision is the dict of `to_dict`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from datetime import timedelta
from enum import Enum
from functools import lru_cache
from typing import Any

from ..errors import DecisionError, PayloadError
from .durations import seconds_problem
from .names import COMPLETE, plain_name
from .plain_json import canonical, check
from .wording import brief_repr


class RouteAction(str, Enum):
    """What happens after a node."""

    NEXT = "next"
    WAIT_FOR_EVENT = "wait_for_event"
    WAIT_FOR_ANY = "wait_for_any"
    SLEEP = "sleep"
    COMPLETE = "complete"


@dataclass(frozen=True)
class RouteDecision:
    """Where a run continues after a node. Build it with one of the class methods.

    `timeout` and `duration` are in seconds, from 0 to 3650 days. Raises DecisionError for invalid fields.
    """

    action: RouteAction
    next_node: str | None = None
    event_name: str | None = None
    resume_node: str | None = None
    events: Mapping[str, str] | None = None
    timeout: float | None = None
    timeout_node: str | None = None
    duration: float | None = None
    note: str | None = None
    prompt: Any = None

    def __post_init__(self) -> None:
        for name in _NAMES:
            if isinstance(getattr(self, name), str):
                object.__setattr__(self, name, plain_name(getattr(self, name)))
        needed, allowed = _FIELDS[self._known_action()]
        for name in needed:
            self._check_present(name)
        for name in _ALL - needed - allowed:
            if getattr(self, name) is not None:
                raise DecisionError(f"a {self.action.value!r} decision does not take {name}")
        if self.events is not None:
            object.__setattr__(self, "events", {plain_name(k): plain_name(v) for k, v in self.events.items()})
        self._check_times()
        if self.note is not None and not isinstance(self.note, str):
            raise DecisionError(f"a decision's note must be a string, not {type(self.note).__name__}")
        if self.prompt is not None:
            _check_prompt(self.prompt)

    def _known_action(self) -> RouteAction:
        try:
            action = RouteAction(self.action)
        except ValueError:
            actions = ", ".join(repr(action.value) for action in RouteAction)
            raise DecisionError(
                f"a decision's action must be one of {actions}, not {brief_repr(self.action)}"
            ) from None
        object.__setattr__(self, "action", action)
        return action

    def _check_present(self, name: str) -> None:
        value = getattr(self, name)
        if not _IS_VALID[name](value):
            needed = f"a {self.action.value!r} decision needs {name} as {_KINDS[name]}"
            raise DecisionError(f"{needed}, not {brief_repr(value)}")

    def _check_times(self) -> None:
        if (self.timeout is None) != (self.timeout_node is None):
            raise DecisionError("timeout and timeout_node go together: when to give up, and where to continue then")
        if self.timeout_node is not None and not _is_text(self.timeout_node):
            raise DecisionError(f"timeout_node is {brief_repr(self.timeout_node)}; use the name of a node")
        for name in ("timeout", "duration"):
            seconds = getattr(self, name)
            if seconds is None:
                continue
            problem = seconds_problem(seconds, zero=True)
            if problem is not None:
                raise DecisionError(f"the {name} of a {self.action.value!r} decision {problem}")
            object.__setattr__(self, name, float(seconds))

    @classmethod
    def next(cls, node: str, *, note: str | None = None) -> RouteDecision:
        """Continue at `node`."""
        return cls(RouteAction.NEXT, next_node=node, note=note)

    @classmethod
    def wait_for_event(
        cls,
        *,
        event_name: str,
        resume_node: str,
        timeout: timedelta | None = None,
        timeout_node: str | None = None,
        note: str | None = None,
        prompt: Any = None,
    ) -> RouteDecision:
        """Stop until `event_name` is posted; its handler and then `resume_node` run in one activity.

        After `timeout` without the event, the run continues at `timeout_node` instead. `prompt` is the question, as
        plain JSON of at most 2,000 bytes: the run's status shows it with the wait.
        """
        return cls(
            RouteAction.WAIT_FOR_EVENT,
            event_name=event_name,
            resume_node=resume_node,
            timeout=_seconds(timeout),
            timeout_node=timeout_node,
            note=note,
            prompt=prompt,
        )

    @classmethod
    def wait_for_any(
        cls,
        events: Mapping[str, str],
        *,
        timeout: timedelta | None = None,
        timeout_node: str | None = None,
        note: str | None = None,
        prompt: Any = None,
    ) -> RouteDecision:
        """Stop until one of several events is posted: `{"approved": "ship", "rejected": "refund"}`."""
        return cls(
            RouteAction.WAIT_FOR_ANY,
            events=events,
            timeout=_seconds(timeout),
            timeout_node=timeout_node,
            note=note,
            prompt=prompt,
        )

    @classmethod
    def sleep(cls, duration: timedelta, *, resume_node: str, note: str | None = None) -> RouteDecision:
        """Sleep for `duration`, then continue at `resume_node`."""
        return cls(RouteAction.SLEEP, duration=_seconds(duration), resume_node=resume_node, note=note)

    @classmethod
    def complete(cls, *, note: str | None = None) -> RouteDecision:
        """End the run; its state becomes its output."""
        return cls(RouteAction.COMPLETE, note=note)

    @property
    def awaited(self) -> dict[str, str]:
        """Each event that would wake the run, and the node at which it would continue."""
        if self.event_name and self.resume_node:
            return {self.event_name: self.resume_node}
        return dict(self.events or {})

    @property
    def targets(self) -> list[str]:
        """Every node at which the run may continue."""
        if self.action is RouteAction.NEXT:
            return [str(self.next_node)]
        named = [self.next_node, self.resume_node, *(self.events or {}).values(), self.timeout_node]
        return list(dict.fromkeys(name for name in named if name))

    def to_dict(self) -> dict[str, Any]:
        """The fields that are set, as plain JSON."""
        wire = {field.name: getattr(self, field.name) for field in fields(self)}
        return {**{k: v for k, v in wire.items() if v is not None}, "action": self.action.value}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RouteDecision:
        """Read `to_dict`'s form. Raises DecisionError naming the bad key."""
        if len(data) == 2 and data.get("action") == RouteAction.NEXT and isinstance(data.get("next_node"), str):
            return _next(data["next_node"])
        known = {field.name for field in fields(cls)}
        unknown = sorted(set(map(str, data)) - known)
        if unknown:
            raise DecisionError(f"a decision has no key {unknown[0]!r}; known keys: {', '.join(sorted(known))}")
        times = {key: _seconds(data.get(key)) for key in ("timeout", "duration")}
        return cls(**{"action": None, **data, **times})


@lru_cache(maxsize=1024)
def _next(node: str) -> RouteDecision:
    """A decision is frozen: every replay reads the same ones again."""
    return RouteDecision.next(node)


def _seconds(span: Any) -> Any:
    """A timedelta as seconds; anything else is left to the decision's own checks."""
    return span.total_seconds() if isinstance(span, timedelta) else span


LONGEST_PROMPT = 2000
"""Bytes of JSON that a prompt may have: it has to fit into the custom status beside the waits."""


def _check_prompt(prompt: Any) -> None:
    """Raise DecisionError for a prompt that is not plain JSON, or too long."""
    try:
        check(prompt, "prompt")
    except PayloadError as error:
        raise DecisionError(f"a decision's prompt is plain JSON: {error}") from None
    size = len(canonical(prompt))
    if size > LONGEST_PROMPT:
        raise DecisionError(
            f"a decision's prompt has {size} bytes of JSON; the limit is {LONGEST_PROMPT}: put what is long into the "
            "state, and a reference into the prompt"
        )


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and bool(value)


MOST_EVENTS = 20
"""Events in one wait: every open wait has to fit into the custom status, which Azure limits to 16 KB."""


def _is_events(value: Any) -> bool:
    if not isinstance(value, Mapping) or not 1 <= len(value) <= MOST_EVENTS:
        return False
    return all(_is_text(event) and _is_text(node) for event, node in value.items())


_NAMES = ("next_node", "event_name", "resume_node", "timeout_node")
_ALL = frozenset({"next_node", "event_name", "resume_node", "events", "timeout", "timeout_node", "duration", "prompt"})
_WAITING = frozenset({"timeout", "timeout_node", "prompt"})

_FIELDS: dict[RouteAction, tuple[frozenset[str], frozenset[str]]] = {
    RouteAction.NEXT: (frozenset({"next_node"}), frozenset()),
    RouteAction.WAIT_FOR_EVENT: (frozenset({"event_name", "resume_node"}), _WAITING),
    RouteAction.WAIT_FOR_ANY: (frozenset({"events"}), _WAITING),
    RouteAction.SLEEP: (frozenset({"duration", "resume_node"}), frozenset()),
    RouteAction.COMPLETE: (frozenset(), frozenset()),
}
"""The fields that each action requires, and those that it may have."""

_IS_VALID: dict[str, Callable[[Any], bool]] = {
    "next_node": _is_text,
    "event_name": _is_text,
    "resume_node": _is_text,
    "events": _is_events,
    "duration": lambda value: value is not None,
}
_KINDS = {
    **dict.fromkeys(("next_node", "event_name", "resume_node"), "a non-empty string"),
    "events": f"a non-empty dict of at most {MOST_EVENTS} event names to nodes",
    "duration": "a timedelta",
}


def as_decision(answer: Any, default_next: str | None) -> RouteDecision:
    """Read what a route handler returned.

    A decision is returned unchanged; a string is a node's name or "__complete__"; a dict is read by
    `RouteDecision.from_dict`; None means `default_next` if there is one, else complete. Anything else raises
    DecisionError.
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
        f"a route handler must return a RouteDecision, a node's name, {COMPLETE!r}, a dict or None, "
        f"not {type(answer).__name__}"
    )


def decision_after(plan_node: Mapping[str, Any], result: Mapping[str, Any]) -> RouteDecision:
    """What follows a node that succeeded: its route's decision, or the static edge, or the end."""
    if "decision" in result:
        return RouteDecision.from_dict(result["decision"])
    next_node = plan_node.get("next")
    return _next(next_node) if next_node else RouteDecision.complete()
