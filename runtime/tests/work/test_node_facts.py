"""Each log record that is made while a node's code runs says where: as attributes, and in our own lines as text."""

from __future__ import annotations

import asyncio
import logging
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel
from shapes import line

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RetryPolicy
from azure_functions_durable_graph.testing import GraphHost, run_graph
from azure_functions_durable_graph.work.node_facts import as_text

log = logging.getLogger("users.own")

WHERE = re.compile(
    r"^node (?P<outcome>succeeded|failed|not deployed): run_id=(?P<run_id>\S+) graph=(?P<graph>\S+) "
    r"(?:version=(?P<version>\S+|\"[^\"]*\") )?node=(?P<node>\S+) step=(?P<step>\d+) attempt=(?P<attempt>\d+)"
)


class State(BaseModel):
    items: list[int] = [1, 2]
    done: list[int] = []


@pytest.fixture(autouse=True)
def _log(caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    kept = logging.getLogRecordFactory()
    caplog.set_level(logging.INFO)
    yield
    logging.setLogRecordFactory(kept)


def one(handler: Any, **options: Any) -> GraphRegistration:
    builder = ManifestBuilder("g", State, version="2 beta").set_entrypoint("a")
    return builder.add_node("a", handler, terminal=True, **options).build()


def facts(record: logging.LogRecord) -> dict[str, Any]:
    return {name[14:]: value for name, value in vars(record).items() if name.startswith("durable_graph.")}


def own(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    return [record for record in caplog.records if record.name == "users.own"]


def in_a_thread(state: State) -> None:
    log.info("at work")


async def on_the_loop(state: State) -> None:
    await asyncio.sleep(0)
    log.info("at work")


async def in_a_task_and_a_thread_of_its_own(state: State) -> None:
    async def work() -> None:
        await asyncio.to_thread(log.info, "at work")

    await asyncio.create_task(work())


@pytest.mark.parametrize("handler", [in_a_thread, on_the_loop, in_a_task_and_a_thread_of_its_own])
def test_what_a_handler_logs_says_in_which_run_and_where(handler: Any, caplog: pytest.LogCaptureFixture) -> None:
    run = run_graph(one(handler), {})

    (record,) = own(caplog)
    place = {"run_id": run.id, "graph": "g", "version": "2 beta", "node": "a", "step": 0, "attempt": 1}
    assert (record.getMessage(), facts(record)) == ("at work", place)


def test_each_attempt_logs_its_own_number(caplog: pytest.LogCaptureFixture) -> None:
    def handler(state: State) -> None:
        log.info("at work")
        raise ValueError("no")

    policy = RetryPolicy(max_attempts=2, first_interval=timedelta(seconds=1))
    run_graph(one(handler, retry=policy), {}).advance(timedelta(seconds=2))

    assert [facts(record)["attempt"] for record in own(caplog)] == [1, 2]


def test_branches_and_items_are_told_apart(caplog: pytest.LogCaptureFixture) -> None:
    def score(state: State, item: int) -> int:
        log.info("scoring")
        return item

    def branch(state: State) -> None:
        log.info("in a branch")

    builder = ManifestBuilder("g", State).set_entrypoint("each")
    builder.add_map("each", score, over="items", into="done", next_node="both")
    builder.add_node("one", branch).add_node("two", branch)
    builder.add_parallel("both", branches=["one", "two"])

    run_graph(builder.build(), {})

    told = [(facts(record)["node"], facts(record).get("item"), facts(record).get("branch")) for record in own(caplog)]
    assert told == [("each", 0, None), ("each", 1, None), ("one", None, "one"), ("two", None, "two")]


def test_extra_of_the_users_own_may_have_any_ordinary_name(caplog: pytest.LogCaptureFixture) -> None:
    def handler(state: State) -> None:
        log.info("at work", extra={"node": "mine", "run_id": 1, "graph": 2, "step": 3})

    run_graph(one(handler), {})

    (record,) = own(caplog)
    assert vars(record)["node"] == "mine"
    assert facts(record)["node"] == "a"


def test_a_record_factory_of_the_users_own_is_kept(caplog: pytest.LogCaptureFixture) -> None:
    base = logging.getLogRecordFactory()

    def tenant(*args: Any, **keywords: Any) -> logging.LogRecord:
        record = base(*args, **keywords)
        vars(record)["tenant"] = "contoso"
        return record

    def handler(state: State) -> None:
        log.info("at work")

    run_graph(one(handler), {})  # ours is set
    logging.setLogRecordFactory(tenant)  # theirs replaces it, with what was there before
    run_graph(one(handler), {})

    first, second = own(caplog)
    assert "tenant" not in vars(first)
    assert vars(second)["tenant"] == "contoso"
    assert facts(second)["node"] == "a"


def test_the_factory_is_chained_once() -> None:
    run_graph(line("a"), {})
    once = logging.getLogRecordFactory()
    run_graph(line("a", "b"), {})

    assert logging.getLogRecordFactory() is once


def test_nothing_is_added_outside_of_nodes(caplog: pytest.LogCaptureFixture) -> None:
    run_graph(one(in_a_thread), {})
    log.info("between runs")
    thread = threading.Thread(target=log.info, args=("in a thread of the app",))
    thread.start()
    thread.join()

    told = {record.getMessage(): facts(record) for record in own(caplog)}
    assert told["between runs"] == told["in a thread of the app"] == {}
    assert told["at work"] != {}


def test_each_attempt_ends_with_a_line_that_queries_can_read(caplog: pytest.LogCaptureFixture) -> None:
    with GraphHost(line("a")) as host:
        run = host.start("line", {})

    (text,) = [entry.getMessage() for entry in caplog.records if entry.name.endswith("work.activity")]
    found = WHERE.match(text)
    assert found is not None
    place = {"run_id": run.id, "graph": "line", "version": "1", "node": "a", "step": "0", "attempt": "1"}
    assert found.groupdict() == {"outcome": "succeeded", **place}
    assert re.search(r" seconds=\d+\.\d{3}$", text)


def test_a_parked_run_leaves_a_warning_that_names_what_is_missing(caplog: pytest.LogCaptureFixture) -> None:
    builder = ManifestBuilder("g", State).set_entrypoint("wait")
    builder.add_wait("wait", duration=timedelta(hours=1), next_node="a").add_node("a", in_a_thread, terminal=True)
    with GraphHost(builder.build()) as host:
        host.start("g", {})
        host.deploy(line("b"))
        host.advance(timedelta(hours=1))

    (text,) = [entry.getMessage() for entry in caplog.records if entry.levelno == logging.WARNING]
    found = WHERE.match(text)
    assert found is not None
    assert (found["outcome"], found["version"]) == ("not deployed", None)
    assert text.endswith(" missing=g")


def test_a_value_that_is_not_one_word_is_quoted_as_in_json() -> None:
    told = as_text({"version": '2 "beta"', "node": "a-b_c", "run": "a.b:1", "step": 3, "empty": "", "two": "a\nb"})

    assert told == r'version="2 \"beta\"" node=a-b_c run=a.b:1 step=3 empty="" two="a\nb"'


def test_running_a_graph_loads_no_opentelemetry_sdk() -> None:
    code = """
import sys
sys.path[:0] = sys.argv[1:]
from azure_functions_durable_graph.testing import run_graph
from shapes import line
assert run_graph(line("a"), {}).status == "completed"
print([name for name in sys.modules if name.startswith("opentelemetry.sdk")])
"""
    tests = Path(__file__).parents[1]
    command = [sys.executable, "-c", code, str(tests.parent), str(tests / "helpers")]
    told = subprocess.run(command, capture_output=True, text=True, check=True)

    assert told.stdout.strip() == "[]"
