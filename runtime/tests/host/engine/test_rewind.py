"""Rewind: a failed instance repeats what has failed, under the same ids, and nothing else."""

from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest
from hub import Hub

from azure_functions_durable_graph.host.engine.instance import Instance
from azure_functions_durable_graph.host.engine.lifecycle import rewind_problem
from azure_functions_durable_graph.host.engine.messages import Rewind, Terminate

sick: set[object] = set()
calls: list[object] = []


@pytest.fixture(autouse=True)
def _fresh() -> None:
    sick.clear()
    calls.clear()


def work(given: object) -> object:
    """Fails while it is sick."""
    calls.append(given)
    if given in sick:
        raise ValueError(f"{given} is sick")
    return given


def rewound(hub: Hub) -> Instance:
    sick.clear()
    calls.clear()
    return hub.send(Rewind("i", "healed"))


def test_only_what_failed_is_done_again() -> None:
    def main(context: Any) -> Any:
        first = yield context.call_activity("work", "a")
        second = yield context.call_activity("work", "b")
        return [first, second, (yield context.call_activity("work", "c"))]

    sick.add("b")
    hub = Hub(main, work)
    assert hub.run("main").status == "Failed"

    assert rewound(hub).status == "Completed"
    assert hub.output() == ["a", "b", "c"]
    assert calls == ["b", "c"]


def test_siblings_that_succeeded_keep_their_results() -> None:
    def main(context: Any) -> Any:
        return (yield context.task_all([context.call_activity("work", given) for given in "abc"]))

    sick.add("b")
    hub = Hub(main, work)
    hub.run("main")

    rewound(hub)

    assert hub.output() == ["a", "b", "c"]
    assert calls == ["b"]


def test_a_call_with_retry_begins_with_its_first_attempt() -> None:
    def main(context: Any) -> Any:
        retry = df.RetryOptions(1000, 3)
        answer = yield context.call_activity_with_retry("work", retry, "a")
        return [answer, (yield context.call_activity("work", "b"))]

    sick.add("a")
    hub = Hub(main, work)
    hub.run("main")
    hub.advance(timedelta(minutes=1))
    assert (hub.get().status, calls) == ("Failed", ["a", "a", "a"])

    rewound(hub)

    assert hub.output() == ["a", "b"]
    assert [event["EventId"] for event in hub.events() if event["EventType"] == 4] == [0, 1]


def test_a_retry_that_had_succeeded_stays_as_it_was() -> None:
    def flaky(given: object) -> object:
        calls.append("flaky")
        if calls.count("flaky") == 1:
            raise ValueError("not yet")
        return "ok"

    def main(context: Any) -> Any:
        first = yield context.call_activity_with_retry("flaky", df.RetryOptions(1000, 3), "a")
        return [first, (yield context.call_activity("work", "b"))]

    sick.add("b")
    hub = Hub(main, work, flaky)
    hub.run("main")
    hub.advance(timedelta(minutes=1))
    assert hub.get().status == "Failed"

    rewound(hub)

    assert hub.output() == ["ok", "b"]
    assert calls == ["b"]


def test_a_failed_child_is_rewound_with_its_parent() -> None:
    def inner(context: Any) -> Any:
        yield context.call_activity("work", "a")
        return (yield context.call_activity("work", "b"))

    def main(context: Any) -> Any:
        return (yield context.call_sub_orchestrator("inner", None, "c"))

    sick.add("b")
    hub = Hub(main, inner, work)
    hub.run("main")
    assert (hub.get().status, hub.get("c").status) == ("Failed", "Failed")

    rewound(hub)

    assert (hub.output(), hub.output("c")) == ("b", "b")
    assert calls == ["b"]


def test_a_child_that_cannot_be_rewound_is_started_anew() -> None:
    def inner(context: Any) -> Any:
        return (yield context.call_activity("work", "a"))

    def main(context: Any) -> Any:
        return (yield context.call_sub_orchestrator("inner", None, "c"))

    sick.add("a")
    hub = Hub(main, inner, work)
    hub.run("main")
    hub.host.store.delete("c")

    rewound(hub)

    assert hub.output() == "a"


def test_a_failure_of_the_orchestrator_itself_is_replayed() -> None:
    def main(context: Any) -> Any:
        yield context.call_activity("work", "a")
        if sick:
            raise ValueError("the orchestrator is sick")
        return "well"

    sick.add("main")
    hub = Hub(main, work)
    hub.run("main")

    rewound(hub)

    assert hub.output() == "well"
    assert calls == []


def test_an_instance_that_continued_after_its_failure_is_left_alone() -> None:
    """A replay would assign the ids of its compensation to something else."""

    def main(context: Any) -> Any:
        try:
            yield context.call_activity("work", "a")
        except Exception:
            yield context.call_activity("work", "undo")
            raise

    sick.add("a")
    hub = Hub(main, work)
    hub.run("main")
    before = hub.get().history[:]

    assert rewind_problem(hub.get()) == "it continued after a failure (with work); restart it instead"
    assert rewound(hub).status == "Failed"
    assert hub.get().history == before


def test_what_has_not_failed_is_not_rewound() -> None:
    def main(context: Any) -> Any:
        yield context.wait_for_external_event("go")

    hub = Hub(main)
    hub.run("main")

    assert rewound(hub).status == "Running"


def test_a_child_that_starts_anew_is_not_woken_by_the_timer_of_the_earlier_one() -> None:
    def main(context: Any) -> Any:
        return (yield context.call_sub_orchestrator("child", None, "kid"))

    def child(context: Any) -> Any:
        began = context.current_utc_datetime
        yield context.create_timer(began + timedelta(hours=10))
        return (context.current_utc_datetime - began).total_seconds()

    hub = Hub(main, child)
    hub.run("main")
    hub.advance(timedelta(hours=1))
    hub.send(Terminate("kid", "by mistake"))
    hub.advance(timedelta(hours=2))

    rewound(hub)
    hub.advance(timedelta(hours=10))

    assert hub.output() == 10 * 3600
