"""What is answered or begun is committed before, and what can be committed together is."""

import asyncio
import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from functions import double
from hub import Hub
from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder
from azure_functions_durable_graph.errors import HostError
from azure_functions_durable_graph.host.engine.history_events import TASK_SCHEDULED
from azure_functions_durable_graph.host.engine.instance import Leaf
from azure_functions_durable_graph.host.engine.messages import RaiseEvent
from azure_functions_durable_graph.host.local_host import LocalHost
from azure_functions_durable_graph.host.store import SqliteStore
from azure_functions_durable_graph.testing import GraphHost


class Count(BaseModel):
    steps: int = 0


def step(state: Count) -> dict[str, int]:
    return {"steps": state.steps + 1}


def line_of_three() -> GraphRegistration:
    builder = ManifestBuilder("line", Count).set_entrypoint("a")
    builder.add_node("a", step, next_node="b").add_node("b", step, next_node="c")
    return builder.add_node("c", step, terminal=True).build()


def statements_of(store: SqliteStore) -> list[str]:
    """What the store executes from now on."""
    found: list[str] = []
    store._db.set_trace_callback(found.append)
    return found


def waiting(context: Any) -> Any:
    return (yield context.wait_for_external_event("word"))


def main(context: Any) -> Any:
    return (yield context.call_activity("double", context.get_input()))


def test_the_answer_of_a_node_and_the_start_of_the_next_are_one_transaction() -> None:
    with GraphHost(line_of_three()) as host:
        executed = statements_of(host._host.store)

        assert host.start("line", {}).state == Count(steps=3)

        assert executed.count("COMMIT") == 1 + 3  # the start of the run, and each answer


def test_an_activity_begins_after_the_commit_that_has_its_start() -> None:
    with GraphHost(line_of_three()) as host:
        worker: Any = host._host.worker
        store, run_activity, seen = host._host.store, worker.run_activity, []

        async def watched(name: str, input_: str) -> str:
            rows = store._db.execute("SELECT data FROM history").fetchall()
            seen.append((store.changed, [json.loads(row[0])["EventType"] for row in rows].count(TASK_SCHEDULED)))
            return str(await run_activity(name, input_))

        worker.run_activity = watched
        host.start("line", {})

        assert seen == [(False, 1), (False, 2), (False, 3)]


def test_a_hand_written_orchestrator_is_called_after_the_commit_too() -> None:
    hub = Hub(main, double)
    worker: Any = hub.host.worker
    orchestrate, seen = worker.orchestrate, []

    async def watched(name: str, context: str) -> Any:
        seen.append(hub.host.store.changed)
        return await orchestrate(name, context)

    worker.orchestrate = watched
    hub.run("main", 2)

    assert hub.output() == 4
    assert seen == [False, False]


def test_callers_at_the_same_time_share_a_transaction() -> None:
    async def share() -> int:
        host = LocalHost(Hub(waiting).host.worker, Hub(waiting).clock)
        running = asyncio.create_task(host.run())
        await asyncio.sleep(0)
        executed = statements_of(host.store)
        host.start("waiting", None, "one")
        host.start("waiting", None, "two")
        await asyncio.gather(host.committed(), host.committed())
        commits = executed.count("COMMIT")
        running.cancel()
        return commits

    assert asyncio.run(share()) == 1


def test_who_waits_for_a_commit_is_answered_also_when_the_host_is_stopped(tmp_path: Path) -> None:
    async def stop() -> None:
        host = LocalHost(Hub(waiting).host.worker, Hub(waiting).clock, store=SqliteStore(tmp_path / "runs.db"))
        running = asyncio.create_task(host.run())
        await asyncio.sleep(0)
        host.start("waiting", None, "accepted")
        answered = asyncio.create_task(host.committed())
        await asyncio.sleep(0)
        running.cancel()
        await asyncio.wait_for(answered, 30)
        host.store._db.close()  # nothing more is written

    asyncio.run(stop())

    with contextlib.closing(SqliteStore(tmp_path / "runs.db")) as store:
        assert store.load("accepted") is not None


def test_who_waits_for_a_commit_that_fails_is_told() -> None:
    async def fail() -> None:
        host = LocalHost(Hub(waiting).host.worker, Hub(waiting).clock)
        running = asyncio.create_task(host.run())
        await asyncio.sleep(0)
        host.start("waiting", None, "refused")
        host.store._db.execute("PRAGMA query_only = 1")
        try:
            await asyncio.wait_for(host.committed(), 30)
        finally:
            running.cancel()

    with pytest.raises(HostError, match="cannot be written"):
        asyncio.run(fail())


def test_a_restart_writes_nothing_for_what_only_waits(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    hub = Hub(waiting)
    hub.host = LocalHost(hub.host.worker, hub.clock, store=SqliteStore(path))
    hub.run("waiting", None, "one")
    hub.host.close()

    store = SqliteStore(path)
    LocalHost(hub.host.worker, hub.clock, store=store)

    assert not store.changed
    store.close()


def test_what_was_interrupted_while_it_was_suspended_is_taken_up_again(tmp_path: Path) -> None:
    path = tmp_path / "runs.db"
    hub = Hub(waiting)
    hub.host = LocalHost(hub.host.worker, hub.clock, store=SqliteStore(path))
    hub.run("waiting", None, "one")
    hub.host.send(RaiseEvent("one", "word", '"hi"'))  # begins an episode, which does not end
    instance = hub.get("one")
    instance.status = "Suspended"
    hub.host.store.save(instance)
    hub.host.flush()
    hub.host.store.abandon()

    store = SqliteStore(path)
    LocalHost(hub.host.worker, hub.clock, store=store)
    store.close()

    with contextlib.closing(SqliteStore(path)) as again:
        found = again.load("one")
        assert found is not None
        assert (found.batch, len(found.inbox)) == (None, 1)


def test_a_leaf_is_kept_as_it_is_and_written_once_when_it_has_finished() -> None:
    leaf = Leaf(0, "double", task_id=3, first_id=3, input='{"state": 1}')
    assert Leaf(**json.loads(leaf.to_text())) == leaf

    leaf.state, leaf.input = "done", None
    finished = leaf.to_text()
    assert Leaf(**json.loads(finished)) == leaf
    assert leaf.to_text() is finished

    leaf.state, leaf.attempts = "open", 2  # as a rewind does
    assert Leaf(**json.loads(leaf.to_text())) == leaf


def test_a_list_does_not_read_what_is_not_shown() -> None:
    hub = Hub(waiting)
    hub.run("waiting", "x" * 100_000, "one")
    read: set[str | None] = set()

    def watch(action: int, table: str | None, column: str | None, *_: Any) -> int:
        if (action, table) == (20, "instances"):  # SQLITE_READ
            read.add(column)
        return 0

    hub.host.store._db.set_authorizer(watch)
    ((_, found),) = hub.host.store.find()

    assert (found.id, found.input) == ("one", None)
    assert "data" in read
    assert "input" not in read
