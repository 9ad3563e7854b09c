"""The store keeps every instance and entity completely; a host that starts on it continues from there."""

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from functions import child, double, listener
from hub import Hub

from azure_functions_durable_graph.errors import HostError
from azure_functions_durable_graph.host.clock import ManualClock
from azure_functions_durable_graph.host.engine.messages import EntityCalled, RaiseEvent
from azure_functions_durable_graph.host.local_host import LocalHost
from azure_functions_durable_graph.host.store import CACHED, SqliteStore


def restarted(hub: Hub, path: Path) -> Hub:
    """The same app in a new host on the same file, as after `kill -9`."""
    hub.host.store._db.close()  # what is not committed dies, and the file is free
    clock = ManualClock(hub.clock.now())
    again = object.__new__(Hub)
    again.clock, again.host = clock, LocalHost(hub.host.worker, clock, store=SqliteStore(path))
    again.send_nothing()
    return again


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "deep" / "runs.db"


def hub_on(path: Path, *functions: Any) -> Hub:
    hub = Hub(*functions)
    hub.host = LocalHost(hub.host.worker, hub.clock, store=SqliteStore(path))
    return hub


def test_a_waiting_instance_is_there_after_a_restart_and_takes_its_events(path: Path) -> None:
    hub = hub_on(path, listener)
    hub.run("listener")
    hub.raise_event("word", "a")

    again = restarted(hub, path)
    again.raise_event("word", "b")

    assert again.output() == ['"a"', '"b"']


def test_a_timer_is_set_again(path: Path) -> None:
    def main(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=2))
        return "woken"

    hub = hub_on(path, main)
    hub.run("main")

    again = restarted(hub, path)
    again.advance(timedelta(hours=2))

    assert again.output() == "woken"


def test_a_child_that_is_alive_still_answers_its_parent(path: Path) -> None:
    def main(context: Any) -> Any:
        return (yield context.call_sub_orchestrator("listener", None, "c"))

    hub = hub_on(path, main, listener)
    hub.run("main")

    again = restarted(hub, path)
    for word in ("a", "b"):
        again.raise_event("word", word, "c")

    assert again.output() == ['"a"', '"b"']


def test_finished_instances_are_kept_too(path: Path) -> None:
    hub = hub_on(path, child, double)
    hub.run("child", 4)

    again = restarted(hub, path)

    assert (again.get().status, again.output()) == ("Completed", 8)
    assert [instance.id for _, instance in again.host.store.find()] == ["i"]


def test_a_store_of_a_newer_release_is_refused_with_a_sentence(path: Path) -> None:
    SqliteStore(path).close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("PRAGMA user_version = 99")

    with pytest.raises(HostError, match="was written by a newer release"):
        SqliteStore(path)


def test_a_file_that_is_no_store_is_refused_with_a_sentence(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    path.write_text("not a database at all, but long enough to look like a page of one" * 50)

    with pytest.raises(HostError, match=r"cannot be opened \(.*\); remove it, or choose another store"):
        SqliteStore(path)


def test_a_store_that_is_dropped_closes_its_file(path: Path) -> None:
    store = SqliteStore(path)
    connection = store._db
    del store

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


def test_a_store_that_another_host_uses_is_refused_with_a_sentence(path: Path) -> None:
    first = SqliteStore(path)

    with pytest.raises(HostError, match="is in use by another host"):
        SqliteStore(path)

    first.close()


def test_what_is_not_committed_is_not_kept_and_what_is_kept_is_whole(path: Path) -> None:
    hub = hub_on(path, listener)
    hub.run("listener")
    hub.host.send(RaiseEvent("i", "word", '"lost"'))  # applied, never flushed: nobody was told

    again = restarted(hub, path)

    assert [event["EventType"] for event in again.events()] == [12, 0, 13]


def test_an_activity_whose_answer_is_there_does_not_run_again(path: Path) -> None:
    """The host dies after it has stored the answer, and before the orchestrator has taken it."""
    hub = hub_on(path, child, double)
    hub.host.worker.orchestrate = _first_episode_only(hub)  # type: ignore[method-assign]
    with pytest.raises(Died):
        hub.run("child", 21)
    assert hub.host.activities_run == 1

    del hub.host.worker.orchestrate
    again = restarted(hub, path)

    assert again.output() == 42
    assert again.host.activities_run == 0


class Died(Exception):  # noqa: N818
    """The process has died."""


def _first_episode_only(hub: Hub) -> Any:
    orchestrate, episodes = hub.host.worker.orchestrate, []

    async def once(name: str, context: str) -> Any:
        episodes.append(name)
        if len(episodes) > 1:
            raise Died
        return await orchestrate(name, context)

    return once


def test_a_rewritten_history_is_stored_as_it_is(path: Path) -> None:
    def main(context: Any) -> Any:
        if context.get_input() == "end":
            return "ended"
        yield context.wait_for_external_event("go")
        context.continue_as_new("end")

    hub = hub_on(path, main)
    hub.run("main", "begin")
    hub.raise_event("go")

    again = restarted(hub, path)

    assert again.events() == hub.events()
    assert again.output() == "ended"


def test_an_entity_keeps_its_state_and_the_operations_that_wait(path: Path) -> None:
    def log(context: Any) -> None:
        context.set_state([*context.get_state(list), context.get_input()])

    hub = Hub(entities=(log,))
    hub.host = LocalHost(hub.host.worker, hub.clock, store=SqliteStore(path))
    for word in ("a", "b"):
        hub.host.send(EntityCalled("@log@k", "add", json.dumps(json.dumps(word))))
    hub.host.flush()  # accepted, and killed before anything ran

    again = restarted(hub, path)

    entity = again.host.store.load_entity("@log@k")
    assert entity is not None
    assert entity.state == '["a", "b"]'


def test_the_cache_is_bounded_and_nothing_is_lost_by_it(path: Path) -> None:
    hub = hub_on(path, listener)
    for number in range(CACHED + 50):
        hub.run("listener", instance_id=f"i{number}")

    assert len(hub.host.store._instances) <= CACHED + 1
    for word in ("a", "b"):
        hub.raise_event("word", word, "i0")
    assert hub.output("i0") == ['"a"', '"b"']
