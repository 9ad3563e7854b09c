"""As strict as Azure: what would hang there hangs here, and changed code is detected."""

from datetime import timedelta
from typing import Any

from functions import double, fail
from hub import Hub

from azure_functions_durable_graph.host.engine import history_events as hist
from azure_functions_durable_graph.host.engine.messages import TaskAnswered, TimerFired

# --- strictness -------------------------------------------------------------------------------------------------------


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


# --- generations ------------------------------------------------------------------------------------------------------


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
    answers = [event["Result"] for event in hub.events() if event["EventType"] == hist.TASK_COMPLETED]
    assert answers == ["2"], "the SDK drops a second answer by itself; a history must not even have it"
