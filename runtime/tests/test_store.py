"""The store keeps every instance, and a host that is killed at any instant goes on where it stood."""

import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from functions import child, double, listener
from hub import Hub

from azure_functions_durable_graph.dev.clock import ManualClock
from azure_functions_durable_graph.dev.host import LocalHost
from azure_functions_durable_graph.dev.store import SqliteStore
from azure_functions_durable_graph.errors import HostError


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

    with pytest.raises(HostError, match=r"cannot be opened \(.*\); remove it, or name another"):
        SqliteStore(path)


def test_a_store_that_is_dropped_closes_its_file(path: Path) -> None:
    store = SqliteStore(path)
    connection = store._db
    del store

    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        connection.execute("SELECT 1")


# --- killed -------------------------------------------------------------------------------------------------------

APP = """
from pydantic import BaseModel
from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, RouteDecision

class State(BaseModel):
    steps: int = 0
    heard: list[str] = []

def step(state):
    return {"steps": state.steps + 1}

def ask(state):
    return RouteDecision.wait_for_event(event_name="word", resume_node="second")

builder = ManifestBuilder("work", State).set_entrypoint("first")
builder.add_node("first", step, route=ask, targets=["second"])
builder.add_node("second", step, next_node="third").add_node("third", step, terminal=True)
builder.add_event_handler("word", lambda state, payload: {"heard": [*state.heard, payload["text"]]})
runtime = DurableGraphApp()
runtime.register_registration(builder.build())
app = runtime.function_app
"""

KILLS = 12


@contextmanager
def serving(folder: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    command = [sys.executable, "-m", "azure_functions_durable_graph", "serve", "--port", "0", str(folder)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment
    ) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            yield process, found.group()
        finally:
            process.kill()


def test_a_host_that_is_killed_under_load_loses_nothing_and_applies_nothing_twice(tmp_path: Path) -> None:
    """What was accepted before each kill is there after it; every run ends with what it was told, once."""
    dice = random.Random(5)
    (tmp_path / "function_app.py").write_text(APP)
    started: list[str] = []
    told: dict[str, str] = {}
    for number in range(KILLS):
        with serving(tmp_path) as (process, url), httpx.Client(base_url=url, timeout=5) as client:
            for count in range(dice.randint(3, 12)):
                run_id = f"run-{number}-{count}"
                if client.post("/graphs/work/runs", json={"instance_id": run_id}).status_code == 202:
                    started.append(run_id)
            for run_id in dice.sample(started, min(len(started), 5)):
                if run_id not in told:
                    answer = client.post(f"/runs/{run_id}/events/word?wait=0", json={"text": f"to {run_id}"})
                    if answer.status_code == 202:
                        told[run_id] = f"to {run_id}"
            process.send_signal(signal.SIGKILL)

    with serving(tmp_path) as (_, url), httpx.Client(base_url=url, timeout=60) as client:
        for run_id in started:
            if run_id not in told:
                assert client.post(f"/runs/{run_id}/events/word", json={"text": f"to {run_id}"}).status_code == 202
                told[run_id] = f"to {run_id}"
            run = client.get(f"/runs/{run_id}?wait=30").json()
            assert run["status"] == "completed", run
            assert run["output"] == {"steps": 3, "heard": [told[run_id]]}
