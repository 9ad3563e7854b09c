"""Who waits for a run is told when it comes to rest, and looks again seldom otherwise."""

import asyncio
from datetime import datetime, timezone
from typing import Any

import pytest

from azure_functions_durable_graph.host.engine.actions import ACTIVITY, TIMER
from azure_functions_durable_graph.host.engine.instance import Instance, Leaf, Status
from azure_functions_durable_graph.host.news import REMEMBERED, News

NOW = datetime(2030, 1, 1, tzinfo=timezone.utc)


def instance(*leaves: Leaf, status: Status = "Running", name: str = "one", **more: Any) -> Instance:
    return Instance(name, "main", "e", None, NOW, NOW, status=status, leaves=list(leaves), **more)


@pytest.mark.parametrize(
    ("found", "rests"),
    [
        (instance(Leaf(TIMER, "")), True),
        (instance(Leaf(ACTIVITY, "double", state="done"), Leaf(TIMER, "")), True),
        (instance(Leaf(ACTIVITY, "double")), False),
        (instance(batch=[{}]), False),
        (instance(inbox=[{}]), False),
        (instance(Leaf(ACTIVITY, "double"), status="Suspended"), True),
        (instance(inbox=[{}], status="Completed"), True),
    ],
)
def test_a_run_is_at_rest_if_only_time_or_somebody_can_let_it_go_on(found: Instance, rests: bool) -> None:
    assert found.at_rest is rests


def test_what_happened_since_is_told_at_once() -> None:
    async def look() -> None:
        news = News()
        since = news.now
        news.tell(instance())
        await asyncio.wait_for(news.rest(["other", "one"], since, 3600), 30)

    asyncio.run(look())


def test_who_waits_is_told_of_any_of_the_runs_and_of_no_other() -> None:
    async def wait() -> list[bool]:
        news = News()
        waiting = asyncio.create_task(news.rest(["one", "two"], news.now, 3600))
        await asyncio.sleep(0)
        told = []
        for found in (instance(name="three"), instance(Leaf(ACTIVITY, "double"), name="two"), instance(name="two")):
            news.tell(found)
            for _ in range(3):
                await asyncio.sleep(0)
            told.append(waiting.done())
        assert not news._waiting
        return told

    assert asyncio.run(wait()) == [False, False, True]


def test_what_happened_before_is_not_told_again() -> None:
    async def wait() -> None:
        news = News()
        news.tell(instance())
        waiting = asyncio.create_task(news.rest(["one"], news.now, 3600))
        await asyncio.sleep(0)
        assert not waiting.done()
        waiting.cancel()
        await asyncio.wait([waiting])
        assert not news._waiting

    asyncio.run(wait())


def test_the_time_is_over_without_news() -> None:
    news = News()

    asyncio.run(news.rest(["one"], news.now, 0.0))

    assert not news._waiting


def test_only_the_latest_news_is_remembered() -> None:
    news = News()
    for number in range(REMEMBERED + 5):
        news.tell(instance(name=str(number)))

    assert len(news._rested) == REMEMBERED


def test_a_run_may_be_named_twice() -> None:
    news = News()

    asyncio.run(news.rest(["one", "one"], news.now, 0.0))

    assert not news._waiting
