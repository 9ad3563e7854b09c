"""What an orchestrator schedules: the SDK's action list (schema V3) as a tree of values.

The list is cumulative: every episode restates all actions since the start of the generation, compounds nested.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

ACTIVITY, ACTIVITY_RETRY, CHILD, CHILD_RETRY = 0, 1, 2, 3
CONTINUE_AS_NEW, TIMER, WAIT = 4, 5, 6
CALL_ENTITY, CALL_HTTP, SIGNAL_ENTITY = 7, 8, 9
WHEN_ANY, WHEN_ALL = 11, 12

NAMES = {
    ACTIVITY: "CallActivity",
    ACTIVITY_RETRY: "CallActivityWithRetry",
    CHILD: "CallSubOrchestrator",
    CHILD_RETRY: "CallSubOrchestratorWithRetry",
    CONTINUE_AS_NEW: "ContinueAsNew",
    TIMER: "CreateTimer",
    WAIT: "WaitForExternalEvent",
    CALL_ENTITY: "CallEntity",
    CALL_HTTP: "CallHttp",
    SIGNAL_ENTITY: "SignalEntity",
    WHEN_ANY: "WhenAny",
    WHEN_ALL: "WhenAll",
}

HTTP_ACTIVITY = "BuiltIn::HttpActivity"
"""The activity name that the Durable extension uses for a durable HTTP call."""

LONGEST = 100 * 366 * 24 * 3600 * 1000
"""Milliseconds of the longest pause between attempts; a time beyond the year 9999 cannot be written."""

MARKER = "\n\n$OutOfProcData$:"
"""Separates an orchestrator's error text from its state. User text may contain it too: the last one counts."""


@dataclass(frozen=True)
class Action:
    """One action. `name` is the function, event, or entity with its operation; `data` the SDK's dict."""

    kind: int
    name: str
    data: dict[str, Any]
    children: tuple[Action, ...] = ()

    def leaves(self) -> Iterator[Action]:
        """The action itself, or the leaves of a compound, depth first, in the order in which ids are assigned."""
        if self.kind in (WHEN_ANY, WHEN_ALL):
            for child in self.children:
                yield from child.leaves()
        else:
            yield self

    def __str__(self) -> str:
        return f"{NAMES.get(self.kind, self.kind)}({self.name})" if self.name else str(NAMES.get(self.kind, self.kind))


@dataclass(frozen=True)
class Outcome:
    """The result of one call of an orchestrator. `error` is set if it raised."""

    actions: tuple[Action, ...] = ()
    done: bool = False
    output: str | None = None
    error: str | None = None
    custom_status: str | None = None


def outcome_of_state(text: str) -> Outcome:
    """Read the state that the SDK's wrapper returns."""
    state = json.loads(text)
    lists = state.get("actions") or [[]]
    return Outcome(
        actions=tuple(_action(data) for data in lists[0]),
        done=bool(state.get("isDone")),
        output=json.dumps(state["output"]) if "output" in state else None,
        error=state.get("error"),
        custom_status=json.dumps(state["customStatus"]) if "customStatus" in state else None,
    )


def outcome_of_error(error: BaseException) -> Outcome:
    """Read what the SDK's wrapper raises: text, marker and state, or any error without a state."""
    text, marker, state = str(error).rpartition(MARKER)
    if marker:
        try:
            outcome = outcome_of_state(state)
        except ValueError:
            pass
        else:
            return Outcome(outcome.actions, False, None, outcome.error or text, outcome.custom_status)
    return Outcome(error=str(error) or repr(error))


def unusable(action: Action) -> str | None:
    """Why a leaf cannot be carried out: user code may put things into an action that no host can do or store."""
    data, retry = action.data, action.data.get("retryOptions")
    try:
        for key in ("functionName", "externalEventName", "instanceId", "operation", "input"):
            if data.get(key) is not None:
                data[key].encode()  # an id or a name may contain a lone surrogate, or not be a string
        if action.kind in (CALL_ENTITY, SIGNAL_ENTITY) and not re.match("@[^@]+@", data["instanceId"]):
            raise ValueError(f"an entity's id must look like '@name@key', not {data['instanceId']!r}")
        if action.kind == TIMER:
            datetime.fromisoformat(data["fireAt"].replace("Z", "+00:00"))
        if retry and not (
            retry["maxNumberOfAttempts"] > 0 and 0 <= retry["firstRetryIntervalInMilliseconds"] <= LONGEST
        ):
            raise ValueError(f"retry options are out of range: {retry}")
    except (AttributeError, LookupError, TypeError, ValueError) as error:
        return (
            f"the action {NAMES.get(action.kind, action.kind)} cannot be carried out ({type(error).__name__}: {error})"
        )
    return None


def _action(data: dict[str, Any]) -> Action:
    kind = data["actionType"]
    name = data.get("functionName") or data.get("externalEventName") or ""
    if kind in (CALL_ENTITY, SIGNAL_ENTITY):
        name = f"{data['instanceId']}.{data['operation']}"
    if kind == CALL_HTTP:
        name = HTTP_ACTIVITY
    return Action(kind, name, data, tuple(_action(child) for child in data.get("compoundActions", ())))
