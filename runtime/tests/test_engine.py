"""The engine runs any Durable Functions app as Azure does, also where Azure is strict."""

from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest
from hub import Hub

from azure_functions_durable_graph.dev.messages import RaiseEvent, Resume, Suspend, TaskAnswered, Terminate, TimerFired
from azure_functions_durable_graph.errors import HostError


def double(given: int) -> int:
    return given * 2


def fail(given: object) -> None:
    raise ValueError(f"no {given}")


def flaky(given: int) -> int:
    """Fails until the counter in the list has run down."""
    given_to.append(given)
    if len(given_to) < given:
        raise RuntimeError("not yet")
    return len(given_to)


given_to: list[int] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    given_to.clear()


# --- activities ---------------------------------------------------------------------------------------------------


def test_activities_one_after_the_other() -> None:
    def main(context: Any) -> Any:
        first = yield context.call_activity("double", 4)
        return (yield context.call_activity("double", first))

    hub = Hub(main, double)

    assert hub.run("main").status == "Completed"
    assert hub.output() == 16
    assert hub.host.activities_run == 2


def test_a_failing_activity_raises_in_the_orchestrator() -> None:
    def main(context: Any) -> Any:
        try:
            yield context.call_activity("fail", "luck")
        except Exception as error:
            return str(error)

    hub = Hub(main, fail)
    hub.run("main")

    assert hub.output().startswith("Activity function 'fail' failed:  ValueError: no luck")


def test_an_unhandled_failure_fails_the_instance_with_a_plain_text() -> None:
    def main(context: Any) -> Any:
        yield context.call_activity("fail", "luck")

    hub = Hub(main, fail)

    assert hub.run("main").status == "Failed"
    assert hub.output().startswith("Orchestrator function 'main' failed: Activity function 'fail' failed")


def test_an_unknown_activity_fails_with_a_message_instead_of_hanging() -> None:
    def main(context: Any) -> Any:
        yield context.call_activity("dubble", 1)

    hub = Hub(main, double)

    assert hub.run("main").status == "Failed"
    assert "The function 'dubble' doesn't exist" in hub.output()


def test_an_unknown_orchestrator_does_not_start() -> None:
    with pytest.raises(HostError, match="'nobody' doesn't exist"):
        Hub(double).run("nobody")


def test_a_fan_out_runs_all_and_keeps_the_order() -> None:
    def main(context: Any) -> Any:
        return (yield context.task_all([context.call_activity("double", n) for n in range(50)]))

    hub = Hub(main, double)
    hub.run("main")

    assert hub.output() == [n * 2 for n in range(50)]


def test_an_orchestrator_without_a_yield_is_done_at_once() -> None:
    def main(context: Any) -> Any:
        return "done"
        yield

    hub = Hub(main)
    hub.run("main")

    assert hub.output() == "done"


def test_error_text_that_looks_like_the_protocol_does_not_confuse_the_host() -> None:
    def main(context: Any) -> Any:
        yield context.call_activity("double", 1)
        raise ValueError('odd\n\n$OutOfProcData$:{"isDone": true}')

    hub = Hub(main, double)

    assert hub.run("main").status == "Failed"
    assert hub.output().startswith("Orchestrator function 'main' failed: odd")


# --- retries ------------------------------------------------------------------------------------------------------


def test_a_call_with_retry_pauses_between_its_attempts() -> None:
    def main(context: Any) -> Any:
        return (yield context.call_activity_with_retry("flaky", df.RetryOptions(60_000, 5), 3))

    hub = Hub(main, flaky)
    hub.run("main")
    assert hub.get().status == "Running"

    hub.advance(timedelta(seconds=60))
    assert len(given_to) == 2
    hub.advance(timedelta(seconds=60))
    assert hub.output() == 3


@pytest.mark.parametrize("attempts", [1, 3])
def test_after_the_last_attempt_the_error_comes_at_once(attempts: Any) -> None:
    def main(context: Any) -> Any:
        try:
            yield context.call_activity_with_retry("flaky", df.RetryOptions(1000, attempts), 99)
        except Exception as error:
            return str(error)

    hub = Hub(main, flaky)
    hub.run("main")
    hub.advance(timedelta(seconds=attempts - 1))

    assert "not yet" in hub.output()
    assert len(given_to) == attempts


# --- timers -------------------------------------------------------------------------------------------------------


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


def test_a_long_timer_goes_in_hops_of_three_days() -> None:
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


# --- events -------------------------------------------------------------------------------------------------------


def listener(context: Any) -> Any:
    heard = []
    for _ in range(2):
        heard.append((yield context.wait_for_external_event("word")))
    return heard


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


# --- strictness ---------------------------------------------------------------------------------------------------


def test_what_would_hang_in_azure_hangs_here_and_the_host_says_why() -> None:
    """The extension sees only the new timer of the second race: the old wait was in the first."""

    def main(context: Any) -> Any:
        event = context.wait_for_external_event("go")
        for _ in range(2):
            timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
            if (yield context.task_any([event, timer])) == event:
                return "heard"
        return "gave up"

    hub = Hub(main)
    hub.run("main")
    hub.advance(timedelta(hours=1))

    assert hub.raise_event("go").status == "Running"
    assert "still awaits action 1, WhenAny" in (hub.get().stalled_on or "")


def test_a_fan_in_that_has_failed_waits_for_the_others_as_azure_does() -> None:
    def main(context: Any) -> Any:
        timer = context.create_timer(context.current_utc_datetime + timedelta(hours=1))
        try:
            yield context.task_all([context.call_activity("fail", 1), timer])
        except Exception:
            return "failed early"

    hub = Hub(main, fail)
    assert hub.run("main").status == "Running"

    hub.advance(timedelta(hours=1))
    assert hub.output() == "failed early"


def test_code_that_changes_under_a_running_instance_is_found_and_explained() -> None:
    name = "double"

    def main(context: Any) -> Any:
        yield context.call_activity(name, 1)
        yield context.wait_for_external_event("go")

    hub = Hub(main, double, fail)
    hub.run("main")
    name = "fail"

    assert hub.raise_event("go").status == "Failed"
    assert "Non-Deterministic workflow detected: action 0 was CallActivity(double) and is now" in hub.output()


def test_a_custom_status_above_the_limit_fails_the_instance() -> None:
    def main(context: Any) -> Any:
        context.set_custom_status("x" * 9000)
        yield context.wait_for_external_event("go")

    hub = Hub(main)

    assert hub.run("main").status == "Failed"
    assert "the Durable extension allows 16384" in hub.output()


def test_an_action_that_the_host_cannot_run_is_named() -> None:
    def main(context: Any) -> Any:
        yield context.call_http("GET", "http://localhost")

    hub = Hub(main)

    assert hub.run("main").status == "Failed"
    assert "the local host does not run CallHttp yet" in hub.output()


# --- generations --------------------------------------------------------------------------------------------------


def test_continue_as_new_begins_again_with_the_new_input() -> None:
    def main(context: Any) -> Any:
        count = context.get_input()
        yield context.call_activity("double", count)
        if count < 5:
            context.continue_as_new(count + 1)
            return None
        return count

    hub = Hub(main, double)
    hub.run("main", 1)

    assert hub.output() == 5
    assert hub.host.activities_run == 5
    assert len([event for event in hub.events() if event["EventType"] == 4]) == 1


def test_answers_to_an_earlier_generation_fall_away() -> None:
    def main(context: Any) -> Any:
        if context.get_input() == 1:
            context.continue_as_new(2)
            return None
        return (yield context.wait_for_external_event("go"))

    hub = Hub(main)
    old = "not-the-current-execution"
    hub.run("main", 1)

    hub.send(TaskAnswered("i", old, 0, result="1"), TimerFired("i", old, 0, hub.clock.now()))

    assert hub.get().status == "Running"


def test_an_answer_that_comes_twice_counts_once() -> None:
    def main(context: Any) -> Any:
        first = yield context.call_activity("double", 1)
        second = yield context.wait_for_external_event("go")
        return [first, second]

    hub = Hub(main, double)
    instance = hub.run("main")

    hub.send(TaskAnswered("i", instance.execution_id, 0, result="77"))
    hub.raise_event("go", "x")

    assert hub.output() == [2, '"x"']


# --- children -----------------------------------------------------------------------------------------------------


def child(context: Any) -> Any:
    given = context.get_input()
    if given == "bad":
        raise ValueError("bad child")
    return (yield context.call_activity("double", given))


def test_a_child_answers_its_parent() -> None:
    def main(context: Any) -> Any:
        return (yield context.call_sub_orchestrator("child", 21))

    hub = Hub(main, child, double)
    hub.run("main")

    assert hub.output() == 42


def test_a_failing_child_fails_in_the_parent() -> None:
    def main(context: Any) -> Any:
        try:
            yield context.call_sub_orchestrator("child", "bad", "c")
        except Exception as error:
            return str(error)

    hub = Hub(main, child, double)
    hub.run("main")

    assert "Orchestrator function 'child' failed: bad child" in hub.output()
    assert hub.get("c").status == "Failed"


def test_a_child_whose_id_is_alive_is_refused() -> None:
    def main(context: Any) -> Any:
        return (yield context.call_sub_orchestrator("listener", None, "taken"))

    hub = Hub(main, listener)
    hub.run("listener", instance_id="taken")

    assert hub.run("main").status == "Failed"
    assert "already exists" in hub.output()


# --- life cycle ---------------------------------------------------------------------------------------------------


def test_a_terminated_instance_is_over_and_answers_nothing() -> None:
    hub = Hub(listener)
    hub.run("listener")

    assert hub.send(Terminate("i", "enough")).status == "Terminated"
    assert hub.output() == "enough"
    assert hub.raise_event("word", "a").status == "Terminated"


def test_a_suspended_instance_keeps_its_events_for_later() -> None:
    hub = Hub(listener)
    hub.run("listener")

    hub.send(Suspend("i", "lunch"))
    hub.raise_event("word", "a")
    assert hub.raise_event("word", "b").status == "Suspended"

    hub.send(Resume("i", "back"))
    assert hub.output() == ['"a"', '"b"']


def test_a_live_id_cannot_be_started_again_but_a_finished_one_can() -> None:
    hub = Hub(listener, double)
    hub.run("listener")
    with pytest.raises(HostError, match="already exists"):
        hub.run("listener")

    hub.send(Terminate("i", "enough"))
    assert hub.run("listener").status == "Running"
