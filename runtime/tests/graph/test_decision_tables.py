"""What each action of a decision needs, what it may have besides, and what it refuses: no action without a row."""

from dataclasses import fields
from typing import Any

import pytest

from azure_functions_durable_graph import RouteAction, RouteDecision
from azure_functions_durable_graph.errors import DecisionError
from azure_functions_durable_graph.graph.decisions import MOST_EVENTS

VALUES: dict[str, Any] = {
    "next_node": "a",
    "event_name": "e",
    "resume_node": "b",
    "events": {"e": "a"},
    "timeout": 5.0,
    "timeout_node": "c",
    "duration": 7.0,
    "prompt": {"title": "Ship?"},
}
"""A good value for each field that an action may need."""

BAD: dict[str, tuple[list[Any], str]] = {
    "next_node": ([None, "", 3], "a non-empty string"),
    "event_name": ([None, "", 3], "a non-empty string"),
    "resume_node": ([None, "", 3], "a non-empty string"),
    "events": (
        [None, {}, {"e": ""}, {"": "a"}, {"e": 3}, ["e"], {f"e{n}": "a" for n in range(MOST_EVENTS + 1)}],
        f"a non-empty dict of at most {MOST_EVENTS} event names to nodes",
    ),
    "duration": ([None], "a timedelta"),
}
"""Values that a needed field cannot have, and how the field is described."""

WAITING = {"timeout", "timeout_node", "prompt"}

ACTIONS: dict[RouteAction, tuple[set[str], set[str], list[str], dict[str, str]]] = {
    RouteAction.NEXT: ({"next_node"}, set(), ["a"], {}),
    RouteAction.WAIT_FOR_EVENT: ({"event_name", "resume_node"}, WAITING, ["b", "c"], {"e": "b"}),
    RouteAction.WAIT_FOR_ANY: ({"events"}, WAITING, ["a", "c"], {"e": "a"}),
    RouteAction.SLEEP: ({"duration", "resume_node"}, set(), ["b"], {}),
    RouteAction.COMPLETE: (set(), set(), [], {}),
}
"""Action -> the fields that it needs, those that it may have, where it leads with all of them, and what wakes it."""

FIELDS = [field.name for field in fields(RouteDecision) if field.name not in ("action", "note")]


def decision(action: RouteAction, **changed: Any) -> RouteDecision:
    """A decision with all that its action takes, but for what is changed."""
    needed, allowed, _, _ = ACTIONS[action]
    return RouteDecision(action, **{**{name: VALUES[name] for name in needed | allowed}, **changed})


@pytest.mark.parametrize("action", RouteAction)
def test_an_action_leads_where_its_fields_say(action: RouteAction) -> None:
    _, _, targets, awaited = ACTIONS[action]

    assert (decision(action).targets, dict(decision(action).awaited)) == (targets, awaited)


@pytest.mark.parametrize("action", RouteAction)
def test_an_action_survives_the_wire(action: RouteAction) -> None:
    needed, allowed, _, _ = ACTIONS[action]
    wire = decision(action, note="why").to_dict()

    assert wire == {"action": action.value, "note": "why", **{name: VALUES[name] for name in needed | allowed}}
    assert RouteDecision.from_dict(wire) == decision(action, note="why")


@pytest.mark.parametrize("action", RouteAction)
@pytest.mark.parametrize("field", FIELDS)
def test_an_action_needs_takes_or_refuses_a_field(action: RouteAction, field: str) -> None:
    needed, allowed, _, _ = ACTIONS[action]
    if field in needed:
        values, kind = BAD[field]
        for value in values:
            with pytest.raises(DecisionError, match=f"a '{action.value}' decision needs {field} as {kind}"):
                decision(action, **{field: value})
    elif field == "prompt" and field in allowed:
        assert decision(action, prompt=None).prompt is None
    elif field in allowed:
        with pytest.raises(DecisionError, match="timeout and timeout_node go together"):
            decision(action, **{field: None})
    else:
        with pytest.raises(DecisionError, match=f"a '{action.value}' decision does not take {field}"):
            decision(action, **{field: VALUES[field]})


@pytest.mark.parametrize("action", RouteAction)
def test_what_is_allowed_may_be_left_out(action: RouteAction) -> None:
    _, allowed, _, _ = ACTIONS[action]

    assert decision(action, **dict.fromkeys(allowed)).timeout is None


def test_a_wait_may_name_as_many_events_as_the_custom_status_holds() -> None:
    assert len(RouteDecision.wait_for_any({f"e{n}": "a" for n in range(MOST_EVENTS)}).awaited) == MOST_EVENTS


def test_a_note_is_text() -> None:
    with pytest.raises(DecisionError, match="a decision's note must be a string, not int"):
        decision(RouteAction.COMPLETE, note=3)


def test_no_time_is_a_duration() -> None:
    assert decision(RouteAction.SLEEP, duration=0.0).duration == 0
