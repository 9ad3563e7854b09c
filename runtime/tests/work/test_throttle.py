"""Reports of progress: the first at once, then the newest after a pause; their end is the node's end."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

import pytest

from azure_functions_durable_graph.work import progress
from azure_functions_durable_graph.work.progress import Ignoring, Throttled

PLACE = {"run_id": "r", "node": "a", "step": 0}


class Clock:
    """Moves when it is told to."""

    def __init__(self) -> None:
        self.now = 0.0
        self._sleepers: list[tuple[float, asyncio.Event]] = []

    def monotonic(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        woken = asyncio.Event()
        self._sleepers.append((self.now + seconds, woken))
        await woken.wait()

    async def move(self, seconds: float) -> None:
        self.now += seconds
        for due, woken in self._sleepers:
            if due <= self.now:
                woken.set()
        await settle()


class Kept:
    """A channel that keeps what it gets; it waits, or fails, where it is told to."""

    def __init__(self) -> None:
        self.log: list[Any] = []
        self.open = asyncio.Event()
        self.open.set()
        self.error: Exception | None = None

    async def send(self, place: Mapping[str, Any], value: Any) -> None:
        await self.open.wait()
        self.log.append(value)
        if self.error is not None:
            raise self.error

    async def forget(self, place: Mapping[str, Any]) -> None:
        self.log.append(("forget", place["node"]))


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def reporting() -> tuple[Throttled, Kept, Clock]:
    clock, channel = Clock(), Kept()
    return Throttled(PLACE, channel, pause=2.0, monotonic=clock.monotonic, sleep=clock.sleep), channel, clock


def test_the_first_report_is_sent_at_once_and_then_the_newest_after_the_pause() -> None:
    async def story() -> list[Any]:
        reporter, channel, clock = reporting()
        reporter.report(0.1)
        await settle()
        for value in (0.2, 0.3, 0.4):
            reporter.report(value)
            await clock.move(0.5)
        assert channel.log == [0.1]
        await clock.move(0.5)
        assert channel.log == [0.1, 0.4]
        await clock.move(60)
        reporter.report(0.5)
        await settle()
        return channel.log

    assert asyncio.run(story()) == [0.1, 0.4, 0.5]


def test_at_the_end_what_waits_is_dropped_and_what_was_sent_is_removed() -> None:
    async def story() -> list[Any]:
        reporter, channel, _ = reporting()
        reporter.report(0.1)
        await settle()
        reporter.report(0.9)
        await settle()
        await reporter.close()
        reporter.report(1.0)  # by a thread that is no longer waited for
        await settle()
        return channel.log

    assert asyncio.run(story()) == [0.1, ("forget", "a")]


def test_a_report_that_is_on_its_way_arrives_before_the_removal() -> None:
    async def story() -> list[Any]:
        reporter, channel, _ = reporting()
        channel.open.clear()
        reporter.report(0.1)
        await settle()
        closing = asyncio.create_task(reporter.close())
        await settle()
        assert channel.log == []
        channel.open.set()
        await closing
        return channel.log

    assert asyncio.run(story()) == [0.1, ("forget", "a")]


def test_a_node_that_reports_nothing_costs_nothing() -> None:
    async def story() -> list[Any]:
        reporter, channel, _ = reporting()
        await reporter.close()
        return channel.log

    assert asyncio.run(story()) == []


def test_a_channel_that_never_answers_does_not_hold_the_node_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(progress, "PATIENCE", 0.0)

    async def story() -> None:
        reporter, channel, _ = reporting()
        channel.open.clear()
        reporter.report(0.1)
        await settle()
        await reporter.close()

    asyncio.run(story())


def test_an_error_in_sending_is_logged_once_and_nothing_else(caplog: pytest.LogCaptureFixture) -> None:
    async def story() -> list[Any]:
        reporter, channel, clock = reporting()
        channel.error = OSError("no route")
        for value in (0.1, 0.2):
            reporter.report(value)
            await settle()
            await clock.move(2)
        await reporter.close()
        return channel.log

    assert asyncio.run(story()) == [0.1, 0.2, ("forget", "a")]
    assert caplog.messages == ["a progress report could not be sent (OSError: no route): run_id=r node=a step=0"]


def test_a_thread_reports_without_waiting_for_the_loop() -> None:
    async def story() -> list[Any]:
        reporter, channel, _ = reporting()
        await asyncio.to_thread(reporter.report, 0.1)
        await settle()
        return channel.log

    assert asyncio.run(story()) == [0.1]


def test_a_report_after_the_end_of_the_loop_is_ignored() -> None:
    async def begin() -> Throttled:
        return reporting()[0]

    asyncio.run(begin()).report(0.1)


def test_where_nobody_asked_for_reports_the_log_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    progress._say_that_it_is_off.cache_clear()

    for _ in range(3):
        Ignoring().report(0.5)

    assert caplog.messages == ["context.progress(…) does nothing here: DurableGraphApp(progress=True) turns it on"]
