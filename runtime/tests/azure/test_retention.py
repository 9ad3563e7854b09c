"""Finished runs are deleted some time after they have ended, and nothing else is."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from approvals import approval, asking
from shapes import conversation, line

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.azure import retention, sdk
from azure_functions_durable_graph.azure.durable_runs import DurableRuns
from azure_functions_durable_graph.azure.retention import declared, purge_old_runs
from azure_functions_durable_graph.errors import RegistrationError
from azure_functions_durable_graph.testing import GraphHost

DAY = timedelta(days=1)


def purge(host: GraphHost, monkeypatch: pytest.MonkeyPatch, days: float) -> int:
    monkeypatch.setattr(retention, "DurableRuns", lambda client: DurableRuns(client, host._page))
    client = sdk.client_over(host._send, host._management.client_binding)
    return asyncio.run(purge_old_runs(declared(days, "0 0 * * * *"), client, host.clock.now()))


def ids(host: GraphHost, *names: str) -> list[str]:
    return [name for name in names if host.peek(name) is not None]


def test_runs_that_have_been_over_for_long_enough_are_deleted(monkeypatch: pytest.MonkeyPatch) -> None:
    host = GraphHost(line("a"), conversation(), asking(approval(20)))
    host.start("line", {}, run_id="old")
    host.start("conversation", {}, run_id="live")
    host.start("g", {}, run_id="waited")
    host.advance(25 * DAY)
    host.start("line", {}, run_id="new")

    assert purge(host, monkeypatch, 10) == 1
    assert ids(host, "old", "live", "new") == ["live", "new"]
    host.advance(10 * DAY)
    assert purge(host, monkeypatch, 7) == 2


def test_one_tick_deletes_so_many_and_the_next_one_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    host = GraphHost(line("a"))
    for number in range(7):
        host.start("line", {}, run_id=f"r{number}")
    host.advance(2 * DAY)
    monkeypatch.setattr(retention, "PAGE", 2)
    monkeypatch.setattr(retention, "MOST_PURGED", 4)

    assert [purge(host, monkeypatch, 1) for _ in range(3)] == [4, 3, 0]


@pytest.mark.parametrize("days", [0, -1, float("nan"), float("inf"), "7", None, True])
def test_days_that_make_no_sense_are_refused(days: Any) -> None:
    with pytest.raises(RegistrationError, match="retention: days"):
        DurableGraphApp().retention(days=days)


def test_a_cron_expression_is_checked_and_an_app_setting_is_not() -> None:
    with pytest.raises(RegistrationError, match="retention: "):
        DurableGraphApp().retention(days=7, cron="every day")
    DurableGraphApp().retention(days=7, cron="%PURGE%")


def test_the_timer_is_one_function_and_declared_once() -> None:
    runtime = DurableGraphApp()
    runtime.retention(days=30)

    assert "durable_graph_retention" in {
        function.get_function_name() for function in runtime.function_app.get_functions()
    }
    with pytest.raises(RegistrationError, match="declared twice"):
        runtime.retention(days=7)
