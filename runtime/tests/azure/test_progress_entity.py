"""The progress of running nodes is shown by GET runs/{id}, kept in an entity meanwhile, and gone afterwards."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import azure.functions as func
import httpx
import pytest
from pydantic import BaseModel

from azure_functions_durable_graph import (
    DurableGraphApp,
    GraphRegistration,
    ManifestBuilder,
    NodeContext,
    RouteDecision,
)
from azure_functions_durable_graph.azure.progress import ENTITIES, after, entity_of
from azure_functions_durable_graph.hosting import AppHost
from azure_functions_durable_graph.testing import run_graph
from azure_functions_durable_graph.work import progress


class State(BaseModel):
    items: list[int] = [1, 2, 3]
    done: list[int] = []


class Long:
    """A graph with a long node, a long map and a wait; each long one reports once and goes on when it is let."""

    def __init__(self, reports: Any = 0.5) -> None:
        self.reports = reports
        self.go_on = threading.Event()

    def crunch(self, state: State, context: NodeContext) -> None:
        context.progress(self.reports)
        assert self.go_on.wait(60)

    async def score(self, state: State, item: int, context: NodeContext) -> int:
        import asyncio

        context.progress({"item": item, "of": 3})
        await asyncio.to_thread(self.go_on.wait, 60)
        return item

    def app(self, *others: GraphRegistration, kind: str = "crunch", progress: bool = True) -> Any:
        builder = ManifestBuilder("g", State).set_entrypoint(kind)
        if kind == "crunch":
            wait = RouteDecision.wait_for_event(event_name="go", resume_node="end")
            builder.add_node("crunch", self.crunch, route=lambda state: wait, targets=["end"])
            builder.add_node("end", lambda state: None, terminal=True).add_event_handler(
                "go", lambda state, payload: None
            )
        else:
            builder.add_map("score", self.score, over="items", into="done")
        runtime = DurableGraphApp(func.AuthLevel.ANONYMOUS, progress=progress)
        for graph in (builder.build(), *others):
            runtime.register_registration(graph)
        return runtime.function_app


@contextmanager
def started(app: Any, graph: str = "g") -> Iterator[tuple[AppHost, str]]:
    """Start a run of the app; gives the host and the run's URL."""
    with AppHost(app) as host:
        yield host, httpx.post(f"{host.url}/api/graphs/{graph}/runs", json={}).headers["location"]


def shown(url: str, count: int = 1) -> list[dict[str, Any]]:
    """What the run shows once it shows so many reports."""
    for _ in range(2000):
        found: list[dict[str, Any]] = httpx.get(url).json().get("progress", [])
        if len(found) >= count:
            return found
    raise AssertionError(f"{url} never shows {count} reports")


def entities(host: AppHost) -> Any:
    return httpx.get(f"{host.url}/runtime/webhooks/durabletask/entities/durable_graph_progress").json()


def test_a_run_shows_what_its_node_reports_while_it_runs_and_nothing_is_left_behind() -> None:
    long = Long()
    with started(long.app()) as (host, url):
        (report,) = shown(url)
        meanwhile = entities(host)
        long.go_on.set()
        host.wait_until_idle()
        ended, left = httpx.get(url).json(), entities(host)

    assert report.pop("at")
    assert report == {"node": "crunch", "step": 0, "attempt": 1, "value": 0.5}
    assert ended["status"] == "waiting"
    assert "progress" not in ended
    assert (len(meanwhile), left) == (1, [])


def test_items_of_a_map_report_side_by_side() -> None:
    long = Long()
    with started(long.app(kind="score")) as (host, url):
        reports = shown(url, 3)
        long.go_on.set()
        host.wait_until_idle()
        ended, left = httpx.get(url).json(), entities(host)

    assert [(report["node"], report["item"]) for report in reports] == [("score", 0), ("score", 1), ("score", 2)]
    assert [report["value"] for report in reports] == [{"item": number, "of": 3} for number in (1, 2, 3)]
    assert (ended["status"], ended["state"]["done"], left) == ("completed", [1, 2, 3], [])


def test_a_run_shows_the_reports_of_the_runs_below_it_with_their_ids() -> None:
    long = Long()
    parent = ManifestBuilder("parent", State).set_entrypoint("ask")
    parent.add_subgraph("ask", graph="g", input={"items": "items"}, output={"done": "done"})
    with started(long.app(parent.build(), kind="score"), "parent") as (host, url):
        reports = shown(url, 3)
        child = httpx.get(url).json()["children"][0]["id"]
        long.go_on.set()
        host.wait_until_idle()

    assert {report["run"] for report in reports} == {child}


def test_a_wrong_value_fails_the_node_and_the_run_says_why() -> None:
    long = Long(reports=50)
    with started(long.app()) as (host, url):
        host.wait_until_idle()
        ended = httpx.get(url).json()

    assert (ended["status"], ended["error"]["type"]) == ("failed", "ValueError")
    assert "context.progress takes a fraction between 0 and 1" in ended["error"]["message"]


def test_nothing_of_it_is_in_the_history() -> None:
    long = Long()
    with started(long.app()) as (host, url):
        shown(url)
        long.go_on.set()
        host.wait_until_idle()
        history = httpx.get(f"{url}/history").text
        name = url.rpartition("/")[2]
        raw = httpx.get(f"{host.url}/runtime/webhooks/durabletask/instances/{name}?showHistory=true").text

    assert "progress" not in history + raw


def test_without_the_option_nothing_is_registered_and_the_log_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    progress._say_that_it_is_off.cache_clear()
    long = Long()
    long.go_on.set()
    with started(long.app(progress=False)) as (host, url):
        host.wait_until_idle()
        functions, ended = host.functions, httpx.get(url).json()

    assert "durable_graph_progress" not in functions
    assert (ended["status"], "progress" in ended) == ("waiting", False)
    assert sum("does nothing here" in message for message in caplog.messages) == 1


def test_a_hub_that_takes_no_signals_fails_no_node(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from azure.durable_functions import DurableOrchestrationClient

    async def broken(*_: Any, **__: Any) -> None:
        raise OSError("no route")

    monkeypatch.setattr(DurableOrchestrationClient, "signal_entity", broken)
    monkeypatch.setattr(DurableOrchestrationClient, "read_entity_state", broken)
    long = Long()
    with started(long.app()) as (host, url):
        while not any("could not be sent" in message for message in caplog.messages):
            pass
        running = httpx.get(url).json()
        long.go_on.set()
        host.wait_until_idle()
        ended = httpx.get(url).json()

    assert (running["status"], "progress" in running, ended["status"]) == ("running", False, "waiting")
    assert any("cannot be read (OSError: no route)" in message for message in caplog.messages)


def entry(step: int, value: float = 0.1, *, run: str = "r", at: str = "2030-01-01T12:00:00+00:00", **more: Any) -> Any:
    return {"run_id": run, "node": "a", "step": step, "attempt": 1, "at": at, "value": value, **more}


def kept(*operations: tuple[str, Any]) -> list[Any]:
    """What the entity holds after some operations, without their common parts."""
    state: dict[str, Any] = {}
    for name, given in operations:
        state = after(state, name, given)
    return [(one["run_id"], one["step"], one.get("item"), one["value"]) for one in state.values()]


def test_the_entity_keeps_the_newest_report_of_each_place() -> None:
    reports = [("report", entry(1, 0.1, item=0)), ("report", entry(1, 0.2, item=1)), ("report", entry(1, 0.3, item=0))]

    assert sorted(kept(*reports)) == [("r", 1, 0, 0.3), ("r", 1, 1, 0.2)]


def test_the_end_of_a_node_removes_its_report_and_those_of_earlier_steps_of_its_run() -> None:
    others = [("report", entry(1, run="other")), ("report", entry(2, item=1))]
    lost = ("report", entry(1))  # its end has not arrived

    left = kept(lost, *others, ("report", entry(2, item=0)), ("forget", entry(2, item=0)))

    assert left == [("other", 1, None, 0.1), ("r", 2, 1, 0.1)]


def test_a_report_whose_end_was_lost_goes_after_a_day() -> None:
    old, new = entry(1, at="2030-01-01T12:00:00+00:00"), entry(1, run="other", at="2030-01-02T12:00:00+00:00")

    assert kept(("report", old), ("report", new)) == [("other", 1, None, 0.1)]


@pytest.mark.parametrize("operation", ["delete", "", "who knows"])
def test_another_operation_leaves_nothing(operation: str) -> None:
    assert kept(("report", entry(1)), (operation, {})) == []


def test_a_run_always_finds_its_entity_and_all_runs_share_a_few() -> None:
    keys = {entity_of(f"g.{number}").key for number in range(1000)}

    assert keys == {str(number) for number in range(ENTITIES)}
    assert entity_of("g.1") == entity_of("g.1")


def test_a_test_sees_every_report_of_its_run() -> None:
    def handler(state: State, context: NodeContext) -> None:
        for part in range(3):
            context.progress(part / 2)

    builder = ManifestBuilder("g", State).set_entrypoint("a").add_node("a", handler, terminal=True)
    run = run_graph(builder.build(), {})

    place = {"node": "a", "step": 0, "attempt": 1}
    assert run.progress == [{**place, "value": 0.0}, {**place, "value": 0.5}, {**place, "value": 1.0}]
