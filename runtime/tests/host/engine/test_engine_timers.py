"""Timers and external events."""

from datetime import timedelta
from typing import Any

from functions import listener
from hub import Hub

from azure_functions_durable_graph.host.engine.messages import RaiseEvent

# --- timers -----------------------------------------------------------------------------------------------------------


def test_a_timer_fires_at_its_time() -> None:
    def main(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=2))
        return "woken"

    hub = Hub(main)
    hub.run("main")
    hub.advance(timedelta(hours=1))
    assert hub.get().status == "Running"

    hub.advance(timedelta(hours=1))
    assert hub.output() == "woken"


def test_a_timer_in_the_past_fires_at_once() -> None:
    def main(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime - timedelta(hours=2))
        return "woken"

    assert Hub(main).run("main").status == "Completed"


def test_a_long_timer_goes_in_segments_of_three_days() -> None:
    def main(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(days=10))
        return "woken"

    hub = Hub(main)
    hub.run("main")
    hub.advance(timedelta(days=9, hours=23))
    assert hub.get().status == "Running"

    hub.advance(timedelta(hours=1))
    assert hub.output() == "woken"
    assert len([event for event in hub.events() if event["EventType"] == 10]) == 3


def race(context: Any) -> Any:
    """An event against a timer; the loser is cancelled if it is the timer."""
    event = context.wait_for_external_event("go")
    timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    winner = yield context.task_any([event, timer])
    if winner == event:
        timer.cancel()
        return "event"
    return "timer"


def test_a_race_that_the_event_wins_is_over_at_once() -> None:
    hub = Hub(race)
    hub.run("race")

    hub.raise_event("go")

    assert hub.output() == "event"
    assert hub.host.next_timer is None


def test_a_race_that_the_timer_wins() -> None:
    hub = Hub(race)
    hub.run("race")

    hub.advance(timedelta(hours=1))

    assert hub.output() == "timer"


def test_a_timer_that_nobody_cancels_keeps_the_instance_running() -> None:
    def main(context: Any) -> Any:
        event = context.wait_for_external_event("go")
        yield context.task_any([event, context.create_timer(context.current_utc_datetime + timedelta(hours=1))])
        return "done"

    hub = Hub(main)
    hub.run("main")
    assert hub.raise_event("go").status == "Running"

    hub.advance(timedelta(hours=1))
    assert hub.get().status == "Completed"


# --- events -----------------------------------------------------------------------------------------------------------


def test_events_that_come_while_somebody_waits_are_taken_in_order() -> None:
    hub = Hub(listener)
    hub.run("listener")

    hub.raise_event("word", "a")
    hub.raise_event("word", "b")

    assert hub.output() == ['"a"', '"b"']


def test_two_events_at_the_same_instant_feed_two_waits() -> None:
    hub = Hub(listener)
    hub.run("listener")

    hub.send(RaiseEvent("i", "word", '"a"'), RaiseEvent("i", "word", '"b"'))

    assert hub.output() == ["a", "b"]


def test_an_event_for_an_unknown_instance_has_no_effect() -> None:
    hub = Hub(listener)

    assert hub.host._engine.apply(hub.clock.now(), RaiseEvent("nobody", "word", "1")) == []
