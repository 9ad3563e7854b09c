"""Activities: in sequence, in parallel, failing, and retried."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest
from functions import double, fail, flaky, given_to
from hub import Hub

from azure_functions_durable_graph.errors import HostError
from azure_functions_durable_graph.host.engine.messages import RaiseEvent, TaskAnswered


@pytest.fixture(autouse=True)
def _fresh() -> None:
    given_to.clear()


# --- activities -------------------------------------------------------------------------------------------------------


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


# --- retries ----------------------------------------------------------------------------------------------------------


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


def test_a_failure_that_is_retried_comes_alone() -> None:
    """The SDK assigns the pause's id while it handles the failure: with others in one episode ids would swap."""

    def main(context: Any) -> Any:
        retried = context.call_activity_with_retry("flaky", df.RetryOptions(1000, 3), 2)
        yield context.task_any([context.call_activity("double", 1), retried, context.wait_for_external_event("x")])
        return (yield context.call_activity("double", 21))

    hub = Hub(main, double, flaky)
    answers: list[Any] = []
    send = hub.host.send
    hub.host.send = lambda message: (  # type: ignore[method-assign]
        answers.append(message) if isinstance(message, TaskAnswered) else send(message)
    )
    hub.run("main")
    hub.host.send = send  # type: ignore[method-assign]

    hub.send(RaiseEvent("i", "noise", "1"), *answers)
    hub.advance(timedelta(minutes=1))

    assert (hub.get().status, hub.output()) == ("Completed", 42)


@pytest.mark.parametrize("kind", ["thread", "coroutine"])
def test_an_activity_that_exceeds_the_function_timeout_fails_and_is_heard_no_more(kind: str) -> None:
    release = threading.Event()

    def in_thread(given: object) -> str:
        release.wait(60)
        return "late"

    async def in_coroutine(given: object) -> str:
        await asyncio.Event().wait()
        return "late"

    def main(context: Any) -> Any:
        try:
            return (yield context.call_activity(context.get_input(), None))
        except Exception as error:
            return str(error).splitlines()[0]

    hub = Hub(main, in_thread, in_coroutine)
    hub.host.worker._timeout = 0.05
    hub.run("main", f"in_{kind}")
    release.set()

    text = f"Timeout value of 0:00:00.050000 was exceeded by function: Functions.in_{kind}"
    assert hub.output().strip() == f"Activity function 'in_{kind}' failed:  FunctionTimeout: {text}"
