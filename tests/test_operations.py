"""docs/operations.md: its commands are run, its queries find what they promise, and its numbers are the code's."""

from __future__ import annotations

import json
import logging
import re
import shutil
import subprocess
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import azure.functions as func
import httpx
import pytest
from operations_page import FAILED, PAGE, RUN, act, fences, order_flow
from pydantic import BaseModel

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.hosting import AppHost
from azure_functions_durable_graph.testing import GraphHost, run_graph


@pytest.mark.skipif(not shutil.which("bash") or not shutil.which("curl"), reason="the commands are for bash and curl")
def test_the_commands_do_what_the_page_says() -> None:
    runtime = DurableGraphApp(func.AuthLevel.ANONYMOUS)
    runtime.register_registration(order_flow())
    with AppHost(runtime.function_app) as host:
        api = f"{host.url}/api"
        for run_id, order in ((RUN, "A-1"), (FAILED, "no money")):
            start = {"input": {"order_id": order}, "instance_id": run_id, "tags": {"customer": "contoso"}}
            httpx.post(f"{api}/graphs/order_flow/runs", json=start)
        host.wait_until_idle()
        script = "\n".join(["set -euo pipefail", *fences("bash")]).replace("http://127.0.0.1:7071/api", api)
        told = subprocess.run(["bash", "-c", script], capture_output=True, text=True, timeout=120, check=False)
        host.wait_until_idle()
        ended = httpx.get(f"{api}/runs/{RUN}").json()
        gone = httpx.get(f"{api}/runs/{FAILED}").status_code
        repeated = [
            httpx.get(f"{api}/runs/{line['id']}").json()["origin"]
            for line in httpx.get(f"{api}/runs?graph=order_flow").json()["runs"]
            if line["id"] != RUN
        ]

    assert told.returncode == 0, told.stderr + told.stdout
    failed, waiting, tagged, *_ = answers(told.stdout)
    assert [[line["id"] for line in page["runs"]] for page in (failed, waiting)] == [[FAILED], [RUN]]
    assert {line["id"] for line in tagged["runs"]} == {RUN, FAILED}
    assert (ended["status"], ended["state"]["approved"], ended["reason"]) == (
        "cancelled",
        True,
        "the customer has withdrawn",
    )
    assert gone == 404
    assert sorted(origin["verb"] for origin in repeated) == ["restart", "retry"]


def answers(text: str) -> list[Any]:
    """The JSON documents that stand one after the other in a text."""
    found, decoder = [], json.JSONDecoder()
    while text := text.lstrip():
        document, end = decoder.raw_decode(text)
        found.append(document)
        text = text[end:]
    return found


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    kept = logging.getLogRecordFactory()
    caplog.set_level(logging.INFO)
    yield caplog
    logging.setLogRecordFactory(kept)


def keys(line: str) -> list[str]:
    return re.findall(r"(?:^| )(\w+)=", line.partition(" error=")[0])


def test_the_forms_of_a_line_are_those_that_are_written(lines: pytest.LogCaptureFixture) -> None:
    act()
    written = [record.getMessage() for record in lines.records if record.name.endswith("work.activity")]

    (text,) = fences("text")
    for form in text.splitlines():
        head = form.partition(": ")[0]
        of_this_form = {tuple(keys(line)) for line in written if line.startswith(head)}
        assert of_this_form == {tuple(keys(form))}, head


def test_a_message_that_starts_no_run_says_so_in_the_words_of_the_alert() -> None:
    from azure_functions_durable_graph.azure.message_triggers import MessageTrigger, _poison

    trigger = MessageTrigger("queue", "orders", "order_flow", None, None)

    assert "does not start a run" in str(_poison(trigger, "1", "not JSON"))
    assert 'contains "does not start a run"' in PAGE


def test_the_lines_of_python_do_what_the_page_says(lines: pytest.LogCaptureFixture) -> None:
    quieter, retention = fences("python")
    log = logging.getLogger("azure_functions_durable_graph.work.activity")
    runtime = DurableGraphApp()
    try:
        exec(quieter + retention, {"runtime": runtime})
        act()
    finally:
        log.setLevel(logging.NOTSET)

    written = [record.getMessage().partition(":")[0] for record in lines.records if record.name == log.name]
    assert written == ["node failed", "node not deployed"]
    assert runtime._retention is not None
    assert runtime._retention.kept == timedelta(days=30)


def test_the_limits_are_those_of_the_code() -> None:
    from azure_functions_durable_graph.azure import app, retention
    from azure_functions_durable_graph.graph import decisions, manifest, plan, progress, sizes
    from azure_functions_durable_graph.http import bodies, listing, values
    from azure_functions_durable_graph.run import limits
    from azure_functions_durable_graph.work import boundary

    rows = re.findall(r"^\| (.+) \| ([\d,]+)(?: \w+)? \|$", PAGE.split("\n## Limits\n")[1].split("\n## ")[0], re.M)

    assert [int(number.replace(",", "")) for _, number in rows] == [
        app.MAX_BODY_BYTES,
        sizes.MOST_BYTES,
        values.DEEPEST,
        manifest.DEFAULT_MAX_STEPS,
        plan.MAX_DEPTH,
        values.MAX_WAIT,
        listing.MAX_LIMIT,
        listing.SCAN_LIMIT,
        bodies.MOST_TAGS,
        limits.ANSWER_LIMIT,
        decisions.MOST_EVENTS,
        decisions.LONGEST_PROMPT,
        progress.MOST_BYTES,
        boundary.MESSAGE_LIMIT,
        retention.MOST_PURGED,
        limits.HISTORY_BUDGET,
    ]


class Work(BaseModel):
    items: list[int] = [1, 2, 3, 4]
    done: list[int] = []


def nothing(state: BaseModel) -> None:
    return None


def costs() -> dict[str, tuple[ManifestBuilder, int]]:
    """A graph for each row of the page's table, and how many activities it takes beside the row's."""
    task = ManifestBuilder("g", Work).set_entrypoint("a").add_node("a", nothing, terminal=True)
    shared = ManifestBuilder("g", Work, durability="wait").set_entrypoint("a").add_node("a", nothing, next_node="b")
    shared.add_node("b", nothing, terminal=True)
    wait = RouteDecision.wait_for_event(event_name="go", resume_node="b")
    answer = ManifestBuilder("g", Work).set_entrypoint("a").add_node("b", nothing, terminal=True)
    answer.add_node("a", nothing, route=lambda state: wait, targets=["b"])
    answer.add_event_handler("go", lambda state, payload: None)
    pause = ManifestBuilder("g", Work).set_entrypoint("w").add_wait("w", duration=timedelta(hours=1), next_node="a")
    pause.add_node("a", nothing, terminal=True)
    parallel = ManifestBuilder("g", Work).set_entrypoint("p").add_parallel("p", branches=["x", "y", "z"])
    for name in ("x", "y", "z"):
        parallel.add_node(name, nothing)
    each = ManifestBuilder("g", Work).set_entrypoint("m")
    each.add_map("m", lambda state, item: item, over="items", into="done")
    sub = ManifestBuilder("g", Work).set_entrypoint("s")
    sub.add_subgraph("s", graph="child", input={"items": "items"}, output={"done": "done"})
    return {
        "a task": (task, 0),
        "a task that shares": (shared, 1),
        "an answer": (answer, 2),
        "a wait": (pause, 1),
        "a parallel": (parallel, 0),
        "a map": (each, 0),
        "a subgraph": (sub, 1),
    }


@pytest.mark.parametrize("row", costs())
def test_each_row_of_the_costs_takes_so_many_activities(row: str) -> None:
    builder, others = costs()[row]
    found = re.search(rf"^\| {row}\b[^|]*\| (\d)", PAGE.split("\n## Cost\n")[1], re.MULTILINE)
    assert found is not None
    child = ManifestBuilder("child", Work).set_entrypoint("a").add_node("a", nothing, terminal=True)
    with GraphHost(builder.build(), child.build()) as host:
        run = host.start("g", {})
        if run.waits:
            run.send("go")
        run.advance(timedelta(hours=1))

        assert run.status == "completed"
        assert host.activities_run - others == int(found[1])


def test_the_graph_of_the_examples_waits_for_its_manager() -> None:
    assert run_graph(order_flow(), {}).waits == ["manager_approval"]
