"""Whatever user code ends with is a value: the run ends as declared, can be read, and its host stays alive."""

from __future__ import annotations

import asyncio
import operator
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, field_validator

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, NodeContext, RetryPolicy
from azure_functions_durable_graph.testing import GraphHost, run_graph


class State(BaseModel):
    """A state."""

    value: int = 0
    items: list[int] = []
    found: list[int] = []
    notes: Annotated[list[str], operator.add] = []
    seen: str = ""


class Rude(BaseException):
    """A user's own, outside of Exception."""


class Unprintable(Exception):  # noqa: N818
    """Cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


ENDINGS: dict[str, Callable[[], BaseException]] = {
    "ValueError": lambda: ValueError("bad"),
    "StopIteration": StopIteration,
    "StopAsyncIteration": StopAsyncIteration,
    "SystemExit": lambda: SystemExit(3),
    "KeyboardInterrupt": KeyboardInterrupt,
    "GeneratorExit": GeneratorExit,
    "CancelledError": asyncio.CancelledError,
    "TimeoutError": TimeoutError,
    "Rude": lambda: Rude("out"),
    "Unprintable": Unprintable,
    "MemoryError": MemoryError,
    "RecursionError": RecursionError,
}


def raising(make: Callable[[], BaseException], *, is_async: bool) -> Any:
    if is_async:

        async def fail_async(*arguments: Any) -> Any:
            await asyncio.sleep(0)
            raise make()

        return fail_async

    def fail(*arguments: Any) -> Any:
        raise make()

    return fail


def remember(state: Any, context: NodeContext) -> dict[str, Any]:
    assert context.error is not None
    return {"seen": context.error["type"]}


def task(code: Any) -> ManifestBuilder:
    return ManifestBuilder("g", State).set_entrypoint("a").add_node("a", code, terminal=True, on_error="mend")


def route(code: Any) -> ManifestBuilder:
    builder = ManifestBuilder("g", State).set_entrypoint("a")
    return builder.add_node("a", lambda state: None, route=code, targets=["mend"], on_error="mend")


def branch(code: Any) -> ManifestBuilder:
    builder = ManifestBuilder("g", State).set_entrypoint("p")
    return builder.add_parallel("p", branches=["a"], on_error="mend").add_node("a", code)


def item(code: Any) -> ManifestBuilder:
    builder = ManifestBuilder("g", State).set_entrypoint("m")
    return builder.add_map("m", code, over="items", into="found", on_error="mend")


PLACES = {"task": task, "route": route, "branch": branch, "item": item}


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("is_async", [False, True], ids=["sync", "async"])
def test_whatever_is_raised_leads_to_on_error(ending: str, place: str, is_async: bool) -> None:
    graph = PLACES[place](raising(ENDINGS[ending], is_async=is_async)).add_node("mend", remember, terminal=True).build()

    run = run_graph(graph, {"items": [1]})

    expected = "RuntimeError" if is_async and ending == "StopIteration" else ending  # PEP 479
    assert (run.status, run.state.seen) == ("completed", expected)


@pytest.mark.parametrize("ending", ENDINGS)
def test_an_event_handler_may_raise_anything(ending: str) -> None:
    from azure_functions_durable_graph import RouteDecision

    builder = ManifestBuilder("g", State).set_entrypoint("a")
    builder.add_node(
        "a", lambda state: None, route=lambda state: RouteDecision.wait_for_event(event_name="e", resume_node="b")
    )
    builder.add_node("b", lambda state: None, terminal=True, on_error="mend").add_node("mend", remember, terminal=True)
    builder.add_event_handler("e", raising(ENDINGS[ending], is_async=False))
    run = run_graph(builder.build(), {}).send("e", {})

    assert (run.status, run.state.seen) == ("completed", ending)


def test_a_validator_may_raise_anything() -> None:
    class Leaving(BaseModel):
        value: int = 0
        seen: str = ""

        @field_validator("value")
        @classmethod
        def leave(cls, value: int) -> int:
            if value == 13:
                raise SystemExit(13)
            return value

    builder = ManifestBuilder("g", Leaving).set_entrypoint("a")
    builder.add_node("a", lambda state: {"value": 13}, terminal=True, on_error="mend")
    builder.add_node("mend", remember, terminal=True)

    assert run_graph(builder.build(), {}).state.seen == "SystemExit"


def test_what_is_no_exception_is_not_retried_unless_it_is_named() -> None:
    calls: list[int] = []

    def leave(state: State, context: NodeContext) -> None:
        calls.append(context.attempt)
        raise SystemExit(1)

    def attempts(policy: RetryPolicy) -> list[int]:
        calls.clear()
        run_graph(_one(leave, retry=policy), {}).advance(timedelta(hours=1))
        return list(calls)

    assert attempts(RetryPolicy(max_attempts=3)) == [1]
    assert attempts(RetryPolicy(max_attempts=3, retry_on=(SystemExit,))) == [1, 2, 3]


def _one(handler: Any, **policies: Any) -> GraphRegistration:
    return ManifestBuilder("g", State).set_entrypoint("a").add_node("a", handler, terminal=True, **policies).build()


# --- values that cannot cross -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("update", "error"),
    [
        ({"value": 10**5000}, "PayloadError"),
        ({"notes": ["\ud800"]}, "PayloadError"),
        ({"value": "many"}, "ValidationError"),
        ({"valeu": 1}, "TypeError"),
        (["a"], "TypeError"),
    ],
)
def test_an_update_that_cannot_be_kept_fails_the_node_and_is_not_tried_again(update: Any, error: str) -> None:
    calls: list[int] = []

    def handler(state: State) -> Any:
        calls.append(1)
        return update

    run = run_graph(_one(handler, retry=RetryPolicy(max_attempts=3)), {}).advance(timedelta(hours=1))

    assert run.error is not None
    assert (run.status, run.error["type"], len(calls)) == ("failed", error, 1)


def test_it_is_tried_again_where_the_policy_names_it() -> None:
    calls: list[int] = []

    def handler(state: State) -> Any:
        calls.append(1)
        return {"value": "many"}

    policy = RetryPolicy(max_attempts=3, retry_on=("ValidationError",))
    run_graph(_one(handler, retry=policy), {}).advance(timedelta(hours=1))

    assert len(calls) == 3


def test_an_error_that_the_users_own_code_raises_is_tried_again_whatever_its_type() -> None:
    calls: list[int] = []

    def handler(state: State) -> Any:
        calls.append(1)
        State.model_validate({"value": "what the model said"})  # a model's answer may be better next time

    run_graph(_one(handler, retry=RetryPolicy(max_attempts=3)), {}).advance(timedelta(hours=1))

    assert len(calls) == 3


# --- time-outs --------------------------------------------------------------------------------------------------------


def test_a_time_out_of_the_users_own_is_not_the_nodes() -> None:
    def handler(state: State) -> None:
        raise TimeoutError("the service did not answer")

    run = run_graph(_one(handler, timeout=timedelta(seconds=30)), {})

    assert run.error is not None
    assert (run.error["type"], run.error["message"]) == ("TimeoutError", "the service did not answer")


def test_a_task_that_cancels_itself_fails_the_node() -> None:
    async def handler(state: State) -> None:
        task = asyncio.current_task()
        assert task is not None
        task.cancel()
        await asyncio.sleep(0)

    run = run_graph(_one(handler), {})

    assert run.error is not None
    assert run.error["type"] == "CancelledError"


def test_a_node_that_is_late_times_out_and_what_it_does_later_is_ignored() -> None:
    release = threading.Event()

    def handler(state: State) -> dict[str, Any]:
        release.wait(30)
        return {"value": 1}

    run = run_graph(_one(handler, timeout=timedelta(milliseconds=20)), {})
    release.set()

    assert run.error is not None
    assert (run.error["type"], run.error["bases"][0], run.state.value) == ("NodeTimeout", "TimeoutError", 0)


def test_the_host_goes_on_after_all_of_them() -> None:
    host = GraphHost(_one(raising(lambda: SystemExit(1), is_async=False)))
    assert host.start("g", {}).status == "failed"
    host.deploy(_one(lambda state: {"value": 1}))

    assert host.start("g", {}).status == "completed"
