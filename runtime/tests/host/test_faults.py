"""A local host that cannot go on says why, tells nobody what is lost, and accepts nothing more."""

import asyncio
import contextlib
import json
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from functions import double
from hub import Hub
from served import served
from shapes import line

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.errors import HostError
from azure_functions_durable_graph.host.clock import ManualClock, SystemClock
from azure_functions_durable_graph.host.engine.state_machine import Engine
from azure_functions_durable_graph.host.local_host import LocalHost
from azure_functions_durable_graph.host.store import SqliteStore
from azure_functions_durable_graph.host.web.management import PATH


def main(context: Any) -> Any:
    return (yield context.call_activity("double", context.get_input()))


def waiting(context: Any) -> Any:
    return (yield context.wait_for_external_event("word"))


@contextlib.contextmanager
def full(store: SqliteStore, *, mended: bool = True) -> Iterator[None]:
    """A disk that is full while the block runs: SQLite itself refuses to make its file any larger."""
    (pages,) = store._db.execute("PRAGMA page_count").fetchone()
    store._db.execute(f"PRAGMA max_page_count = {pages}")
    yield
    if mended:
        store._db.execute("PRAGMA max_page_count = 1000000")


def hub_on(path: Path) -> Hub:
    hub = Hub(main, waiting, double)
    hub.host = LocalHost(hub.host.worker, hub.clock, store=SqliteStore(path))
    return hub


LARGE = "x" * 1_000_000


def test_a_full_disk_ends_the_host_with_a_sentence(tmp_path: Path) -> None:
    hub = hub_on(tmp_path / "runs.db")

    with (
        full(hub.host.store),
        pytest.raises(HostError, match=r"cannot be written .*database or disk is full.*free some"),
    ):
        hub.run("main", LARGE)

    assert hub.host.failure is not None
    assert "runs.db" in str(hub.host.failure)


def test_a_host_that_has_failed_accepts_nothing_also_when_there_is_space_again(tmp_path: Path) -> None:
    hub = hub_on(tmp_path / "runs.db")
    with full(hub.host.store), contextlib.suppress(HostError):
        hub.run("main", LARGE)

    with pytest.raises(HostError, match="disk is full"):
        hub.run("main", 1, "another")


def test_after_a_full_disk_all_that_was_accepted_goes_on(tmp_path: Path) -> None:
    hub = hub_on(tmp_path / "runs.db")
    hub.run("waiting", None, "accepted")
    with full(hub.host.store), contextlib.suppress(HostError):
        hub.run("main", LARGE, "refused")
    hub.host.close()

    again = hub_on(tmp_path / "runs.db")
    again.send_nothing()
    assert again.host.store.load("refused") is None
    again.raise_event("word", "hi", "accepted")
    assert again.get("accepted").status == "Completed"


def test_a_start_over_http_on_a_full_disk_is_not_answered_with_202() -> None:
    with served(Hub(main, double).app) as (url, host):
        with full(host.store):
            answer = httpx.post(f"{url}/{PATH}/orchestrators/main", json=LARGE)
            later = httpx.post(f"{url}/{PATH}/orchestrators/main", json="small")

        assert (answer.status_code, later.status_code) == (503, 503)
        assert "disk is full" in answer.json()["Message"]


def test_a_route_of_the_app_says_as_well_that_the_host_cannot_go_on() -> None:
    app = DurableGraphApp()
    app.register_registration(line("a"))
    with served(app.function_app) as (url, host):
        with full(host.store):
            given = {"input": {}, "metadata": {"note": LARGE[:900_000]}}
            answer = httpx.post(f"{url}/api/graphs/line/runs", json=given)
        known = httpx.get(f"{url}/api/graphs/line/manifest")

        assert (answer.status_code, "disk is full" in answer.json()["Message"]) == (503, True)
        assert known.status_code == 200, "which needs no engine"


def test_a_list_that_cannot_be_committed_first_is_no_fault_of_the_caller() -> None:
    with served(Hub(main, double).app) as (url, host):
        host.store._db.close()

        assert httpx.get(f"{url}/{PATH}/instances").status_code == 503


def test_a_store_whose_last_commit_fails_is_closed_nevertheless(tmp_path: Path) -> None:
    hub = hub_on(tmp_path / "runs.db")
    store = hub.host.store
    hub.host.start("main", json.dumps(LARGE))

    with full(store, mended=False), pytest.raises(HostError, match="disk is full"):
        store.close()

    SqliteStore(tmp_path / "runs.db").close()


def test_a_list_of_a_host_that_has_failed_commits_nothing_of_what_was_refused() -> None:
    with served(Hub(main, double).app) as (url, host):
        with full(host.store):
            httpx.post(f"{url}/{PATH}/orchestrators/main/refused", json=LARGE)

        listed = httpx.get(f"{url}/{PATH}/instances")

        assert (listed.status_code, "disk is full" in listed.text) == (503, True)
        assert host.store._db.execute("SELECT count(*) FROM instances").fetchone() == (0,)


def test_whoever_runs_the_host_is_told_that_it_has_failed(monkeypatch: pytest.MonkeyPatch) -> None:
    hub = Hub(main, double)

    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a defect")

    async def told() -> HostError:
        host = LocalHost(hub.host.worker, SystemClock())
        running = asyncio.create_task(host.run())
        host.start("main", None)
        monkeypatch.setattr(Engine, "apply", broken)  # the outcome of the episode finds it so
        failure = await asyncio.wait_for(host.failed(), 30)
        running.cancel()
        return failure

    assert str(asyncio.run(told())) == "the local host has failed (ZeroDivisionError); see the log"


def test_a_loop_that_dies_is_a_failure_of_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(self: Any) -> None:
        raise ZeroDivisionError("a defect")

    async def told() -> HostError:
        host = LocalHost(Hub(main).host.worker, ManualClock())
        monkeypatch.setattr(LocalHost, "fire_due", broken)
        await asyncio.wait_for(host.run(), 30)
        return await asyncio.wait_for(host.failed(), 30)

    assert "ZeroDivisionError" in str(asyncio.run(told()))


def test_who_waits_for_a_host_that_has_failed_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async def wait() -> None:
        host = LocalHost(Hub(main, double).host.worker, ManualClock())
        host.start("main", None)
        host.fail(HostError("it is over"))
        await asyncio.wait_for(host.quiet(), 30)

    with pytest.raises(HostError, match="it is over"):
        asyncio.run(wait())


def test_the_first_failure_counts() -> None:
    host = LocalHost(Hub(main).host.worker, ManualClock())

    host.fail(HostError("first"))

    assert str(host.fail(HostError("second"))) == "first"


@pytest.mark.parametrize("table", ["instances", "entities"])
def test_a_damaged_row_is_one_sentence_that_names_the_store(tmp_path: Path, table: str) -> None:
    path = tmp_path / "runs.db"
    hub = hub_on(path)
    hub.run("waiting")
    hub.host.close()
    with contextlib.closing(sqlite3.connect(path)) as file:
        file.execute("INSERT INTO entities VALUES ('@a@b', 1, '', '{}')")
        file.execute(f"UPDATE {table} SET data = '{{'")
        file.commit()

    with pytest.raises(HostError, match=r"runs\.db cannot be read at '.*; remove it, or choose another"):
        hub_on(path)


def test_a_store_that_is_damaged_anywhere_is_opened_or_refused_with_a_sentence(tmp_path: Path) -> None:
    path, chance = tmp_path / "runs.db", random.Random(7)
    hub = hub_on(path)
    for number in range(20):
        hub.run("waiting", "x" * 500, f"run-{number}")
    hub.host.close()
    whole = path.read_bytes()

    refusals: list[str] = []
    for _ in range(60):
        damaged = bytearray(whole)
        for _ in range(chance.choice([1, 10, 200])):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged)
        try:
            with contextlib.closing(SqliteStore(path)) as store:
                LocalHost(hub.host.worker, hub.clock, store=store)
                [store.load(instance.id) for _, instance in store.find()]
        except HostError as refused:
            refusals.append(str(refused))
        for left in tmp_path.glob("runs.db-*"):
            left.unlink()

    assert len(refusals) > 20
    assert not [text for text in refusals if "in use" in text], "a store that was refused still holds the file"
