"""The waits that the source of a route shows: for pictures, and only as far as they are written down."""

from __future__ import annotations

import functools
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from shapes import Counter

from azure_functions_durable_graph import ManifestBuilder, RouteDecision
from azure_functions_durable_graph.declare.waits_in_code import waits_in_code

Route = Callable[[Any], Any]
NAME = "approval"


def one(state: Counter) -> RouteDecision:
    return RouteDecision.wait_for_event(event_name="approval", resume_node="b")


def one_with_a_deadline(state: Counter) -> RouteDecision:
    return RouteDecision.wait_for_event(
        event_name="approval", resume_node="b", timeout=timedelta(days=2, hours=1), timeout_node="c"
    )


def one_of_two(state: Counter) -> RouteDecision:
    if state.value:
        return RouteDecision.next("b")
    return RouteDecision.wait_for_any(
        {"approval": "b", "refusal": "c"}, timeout=timedelta(state.value), timeout_node="b"
    )


def asleep(state: Counter) -> RouteDecision:
    return RouteDecision.sleep(timedelta(minutes=5), resume_node="a")


def by_a_name(state: Counter) -> RouteDecision:
    return RouteDecision.wait_for_event(event_name=NAME, resume_node="b")


def by_a_name_that_is_none(state: Counter) -> RouteDecision:
    return RouteDecision.wait_for_event(event_name=state.said[0], resume_node="b")


def made_for(role: str, days: int) -> Route:
    def route(state: Counter) -> RouteDecision:
        return RouteDecision.wait_for_event(
            event_name=f"{role}al", resume_node="b", timeout=timedelta(days=days), timeout_node="c"
        )

    return route


def by_a_table(state: Counter) -> RouteDecision:
    events = {"approval": "b"}
    return RouteDecision.wait_for_any(events)


def asleep_for_a_while(state: Counter) -> RouteDecision:
    return RouteDecision.sleep(timedelta(seconds=state.value), resume_node="a")


def waits(route: Route) -> Any:
    builder = ManifestBuilder("waiting", Counter).set_entrypoint("a")
    builder.add_node("a", lambda state: None, route=route, targets=["a", "b", "c"])
    builder.add_node("b", lambda state: None, terminal=True).add_node("c", lambda state: None, terminal=True)
    for event in ("approval", "refusal"):
        builder.add_event_handler(event, lambda state, payload: None)
    return waits_in_code(builder.build())


@pytest.mark.parametrize(
    ("route", "expected"),
    [
        (one, {"events": {"approval": "b"}}),
        (one_with_a_deadline, {"events": {"approval": "b"}, "timeout": 176400.0, "timeout_node": "c"}),
        (one_of_two, {"events": {"approval": "b", "refusal": "c"}, "timeout": None, "timeout_node": "b"}),
        (by_a_name, {"events": {"approval": "b"}}),
        (made_for("approv", 3), {"events": {"approval": "b"}, "timeout": 259200.0, "timeout_node": "c"}),
        (asleep, {"seconds": 300.0, "resume_node": "a"}),
        (asleep_for_a_while, {"seconds": None, "resume_node": "a"}),
    ],
)
def test_a_wait_that_is_written_down_is_found(route: Route, expected: dict[str, Any]) -> None:
    assert waits(route) == [{"node": "a", **expected}]


@pytest.mark.parametrize("route", [by_a_name_that_is_none, by_a_table])
def test_what_only_the_route_knows_is_left_out(route: Route) -> None:
    assert waits(route) == []


def test_a_route_without_a_source_of_its_own_has_no_known_waits() -> None:
    namespace: dict[str, Any] = {}
    exec("def route(state): return 'b'", namespace)

    assert waits(namespace["route"]) == []
    assert waits(functools.partial(one)) == []


def test_a_route_that_waits_twice_alike_shows_it_once() -> None:
    def twice(state: Counter) -> RouteDecision:
        if state.value:
            return RouteDecision.wait_for_event(event_name="approval", resume_node="b")
        return RouteDecision.wait_for_event(event_name="approval", resume_node="b")

    assert waits(twice) == [{"node": "a", "events": {"approval": "b"}}]
