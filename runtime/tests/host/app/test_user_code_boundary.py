"""Whatever a function of the app ends with is an outcome: the host, its loops and its threads live on."""

import asyncio
import json
import logging
from collections.abc import Iterator
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import httpx
import pytest
from hub import Hub
from served import served

from azure_functions_durable_graph.host.app.loader import index_app
from azure_functions_durable_graph.host.app.loops import LoopThread
from azure_functions_durable_graph.host.app.worker import Worker


class UnprintableError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("not even this")


class Base(BaseException):
    pass


ENDINGS = [
    ValueError("no"),
    StopIteration(1),
    StopAsyncIteration(),
    SystemExit(3),
    KeyboardInterrupt(),
    GeneratorExit(),
    asyncio.CancelledError(),
    asyncio.TimeoutError(),
    UnprintableError(),
    Base("own"),
    ValueError("\ud800"),
    ValueError("x" * 5_000_000),
]
endings = pytest.mark.parametrize("ending", ENDINGS, ids=lambda error: f"{type(error).__name__}-{len(error.args)}")


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Half of a surrogate pair in a log record cannot be sent from one process of pytest to another."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def raising(ending: BaseException) -> Any:
    def code(given: object) -> None:
        raise ending

    return code


@endings
def test_an_activity_that_ends_so_fails_and_the_orchestrator_is_told(ending: BaseException) -> None:
    code = raising(ending)

    def main(context: Any) -> Any:
        try:
            yield context.call_activity("code", 1)
        except Exception as error:
            return str(error).partition("failed:  ")[2].partition(":")[0].partition(" ")[0].strip()

    assert Hub(main, code).run("main").output == json.dumps(type(ending).__name__)


@endings
def test_an_async_activity_that_ends_so_fails_too(ending: BaseException) -> None:
    async def code(given: object) -> None:
        raise ending

    def main(context: Any) -> Any:
        try:
            yield context.call_activity("code", 1)
        except Exception as error:
            return type(ending).__name__ in str(error)

    assert Hub(main, code).run("main").output == "true"


@endings
def test_an_orchestrator_that_ends_so_fails(ending: BaseException) -> None:
    def main(context: Any) -> Any:
        if not context.is_replaying:
            raise ending
        yield

    instance = Hub(main).run("main")

    assert instance.status == "Failed"
    assert str(instance.output).startswith("Orchestrator function 'main' failed: ")


@endings
def test_an_entity_that_ends_so_answers_its_caller_with_a_failure(ending: BaseException) -> None:
    def counter(context: Any) -> None:
        raise ending

    def main(context: Any) -> Any:
        try:
            yield context.call_entity(df.EntityId("counter", "a"), "add", 1)
        except Exception:
            return "told"

    assert Hub(main, entities=(counter,)).run("main").output == '"told"'


def app_that_ends(ending: BaseException) -> Any:
    app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route(route="sync")
    def in_a_thread(req: func.HttpRequest) -> str:
        raise ending

    @app.route(route="async")
    async def on_the_loop(req: func.HttpRequest) -> str:
        raise ending

    @app.route(route="task")
    async def in_a_task_of_its_own(req: func.HttpRequest) -> str:
        async def end() -> None:
            raise ending

        task = asyncio.get_running_loop().create_task(end())
        await asyncio.wait([task])
        return "went on"

    @app.route(route="well")
    async def well(req: func.HttpRequest) -> str:
        return "well"

    return app


@endings
def test_an_http_function_that_ends_so_answers_500_and_the_next_request_is_served(ending: BaseException) -> None:
    with served(app_that_ends(ending)) as (url, _):
        for kind in ("sync", "async"):
            assert httpx.get(f"{url}/api/{kind}").status_code == 500
        assert httpx.get(f"{url}/api/well").text == "well"


@pytest.mark.parametrize("ending", [SystemExit(3), KeyboardInterrupt()], ids=repr)
def test_a_task_of_the_users_own_does_not_take_the_loop_with_it(ending: BaseException) -> None:
    with served(app_that_ends(ending)) as (url, _):
        assert httpx.get(f"{url}/api/task").text == "went on"
        assert httpx.get(f"{url}/api/well").text == "well"


def test_a_callback_that_raises_through_its_loop_leaves_the_loop_running() -> None:
    loop = LoopThread("test-callback")

    async def plant() -> None:
        asyncio.get_running_loop().call_soon(raising(SystemExit(1)), None)

    async def answer() -> str:
        return "here"

    loop.submit(plant()).result(30)
    assert loop.submit(answer()).result(30) == "here"


@endings
def test_a_timer_function_that_ends_so_raises_an_ordinary_exception(ending: BaseException) -> None:
    app = df.DFApp()

    @app.timer_trigger(schedule="0 0 * * * *", arg_name="timer")
    def tick(timer: func.TimerRequest) -> None:
        raise ending

    with pytest.raises(Exception, match=type(ending).__name__) as raised:
        asyncio.run(Worker(index_app(app)).tick("tick", "{}"))
    assert raised.value.__cause__ is ending


def test_a_function_without_a_place_for_its_value_must_not_return_one() -> None:
    app = df.DFApp()

    @app.timer_trigger(schedule="0 0 * * * *", arg_name="timer")
    def tick(timer: func.TimerRequest) -> str:
        return "lost"

    with pytest.raises(Exception, match=r"RuntimeError: the function 'tick' returns a value, but has no \$return"):
        asyncio.run(Worker(index_app(app)).tick("tick", "{}"))


def test_an_activity_whose_result_is_no_json_fails() -> None:
    def huge(given: object) -> int:
        return 10**5000

    def main(context: Any) -> Any:
        yield context.call_activity("huge", 1)

    assert Hub(main, huge).run("main").status == "Failed"


def child_with_half_a_character(context: Any) -> Any:
    yield context.call_sub_orchestrator("main", None, "\ud800")


def child_with_a_number(context: Any) -> Any:
    yield context.call_sub_orchestrator("main", None, 5)


def signal_of_half_a_character(context: Any) -> Any:
    yield context.call_entity(df.EntityId("counter", "\udfff"), "add")


def pause_beyond_time(context: Any) -> Any:
    yield context.call_activity_with_retry("act", df.RetryOptions(10**17, 3), 1)


@pytest.mark.parametrize(
    "main",
    [child_with_half_a_character, child_with_a_number, signal_of_half_a_character, pause_beyond_time],
    ids=lambda code: code.__name__,
)
def test_an_orchestrator_that_asks_for_what_no_host_could_do_fails(main: Any) -> None:
    def counter(context: Any) -> None:
        context.set_result(1)

    hub = Hub(main, raising(ValueError("no")), entities=(counter,))
    instance = hub.run(main.__name__)

    assert instance.status == "Failed"
    assert "cannot be carried out" in str(instance.output)
    assert hub.host.failure is None
