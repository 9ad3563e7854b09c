"""What crosses from one event loop to another arrives with its context, and so do results, errors and cancellations."""

import asyncio
import contextlib
import contextvars
import threading
from typing import Any

import pytest

from azure_functions_durable_graph.azure.crossing import crossing_to, on_loop
from azure_functions_durable_graph.host.app.loops import LoopThread

PLACE: contextvars.ContextVar[str] = contextvars.ContextVar("PLACE", default="nowhere")
THERE = LoopThread("test-crossing")


def test_results_come_back_to_whoever_waits_for_them() -> None:
    async def double(number: int) -> int:
        await asyncio.sleep(0)
        return 2 * number

    async def many() -> list[int]:
        return await asyncio.gather(*(on_loop(THERE.loop, double(number)) for number in range(500)))

    assert asyncio.run(many()) == [2 * number for number in range(500)]


def test_many_that_cross_together_wake_the_loop_once(monkeypatch: pytest.MonkeyPatch) -> None:
    async def count() -> tuple[int, int]:
        loop = asyncio.get_running_loop()
        woken: list[Any] = []
        wake = loop.call_soon_threadsafe

        def counted(*arguments: Any, **options: Any) -> Any:
            woken.append(arguments)
            return wake(*arguments, **options)

        monkeypatch.setattr(loop, "call_soon_threadsafe", counted)
        done: list[int] = []
        for number in range(100):
            crossing_to(loop).hand(lambda number=number: done.append(number))  # type: ignore[misc]
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert done == list(range(100))
        crossing_to(loop).hand(lambda: done.append(100))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return len(woken), len(done)

    assert asyncio.run(count()) == (2, 101)


def test_an_error_is_raised_here() -> None:
    async def fail() -> None:
        raise LookupError("there")

    with pytest.raises(LookupError, match="there"):
        asyncio.run(on_loop(THERE.loop, fail()))


def test_the_context_goes_along() -> None:
    async def where() -> str:
        return PLACE.get()

    async def ask(place: str) -> str:
        PLACE.set(place)
        return await on_loop(THERE.loop, where())

    async def several() -> list[str]:
        return list(await asyncio.gather(ask("here"), ask("home")))

    assert asyncio.run(several()) == ["here", "home"]


def test_what_is_cancelled_here_is_cancelled_there() -> None:
    begun, ended = threading.Event(), threading.Event()

    async def wait() -> None:
        begun.set()
        try:
            await asyncio.sleep(3600)
        finally:
            ended.set()

    async def cancel() -> None:
        crossing = asyncio.ensure_future(on_loop(THERE.loop, wait()))
        await asyncio.to_thread(begun.wait, 30)
        crossing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await crossing

    asyncio.run(cancel())

    assert ended.wait(30)


def test_what_nobody_waits_for_any_more_is_dropped() -> None:
    async def drop() -> None:
        loop = asyncio.get_running_loop()
        given_up: asyncio.Future[int] = loop.create_future()
        given_up.cancel()
        crossing_to(loop).settle(given_up, 1)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert given_up.cancelled()

    asyncio.run(drop())


def test_what_crosses_to_a_closed_loop_is_refused_each_time() -> None:
    async def nothing() -> None:
        pass

    async def cross(there: asyncio.AbstractEventLoop) -> None:
        for _ in range(2):
            with pytest.raises(RuntimeError, match="closed"):
                await asyncio.wait_for(on_loop(there, nothing()), 30)

    woken, quiet = asyncio.new_event_loop(), asyncio.new_event_loop()
    crossing_to(quiet)
    crossing_to(woken).hand(lambda: None)  # it is closed before it takes this
    for there in (woken, quiet):
        there.close()
        asyncio.run(cross(there))


def test_what_ends_after_the_loop_that_asked_is_closed_is_dropped(caplog: pytest.LogCaptureFixture) -> None:
    let_go = threading.Event()

    async def stay() -> None:
        while not let_go.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(0)

    async def ask() -> None:
        asked = asyncio.ensure_future(on_loop(THERE.loop, stay()))
        await asyncio.sleep(0)
        asked.cancel()

    async def later() -> None:
        await asyncio.sleep(0)

    asyncio.run(ask())
    let_go.set()
    for _ in range(3):
        THERE.submit(later()).result(30)

    assert not caplog.records
