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
from projects import ROOT
from pydantic import BaseModel

from azure_functions_durable_graph import DurableGraphApp, GraphRegistration, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.hosting import AppHost
from azure_functions_durable_graph.testing import GraphHost, run_graph

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

RUN, FAILED = "order_flow.7f3a", "order_flow.2c19"
"""The runs of the page's examples."""


def fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


class OrderState(BaseModel):
    order_id: str = "A-1"
    approved: bool = False


class CardDeclined(RuntimeError):  # noqa: N818 - users name their errors as they like
    pass


def charge(state: OrderState) -> None:
    logging.getLogger("orders").info("charging %s", state.order_id)
    if state.order_id == "no money":
        raise CardDeclined("no money\non this card")


def order_flow(version: str = "1") -> GraphRegistration:
    """The graph of the page's examples: charges, asks the manager, and waits until the order is picked up."""
    ask = RouteDecision.wait_for_event(event_name="manager_approval", resume_node="pack")
    ready = RouteDecision.wait_for_event(event_name="picked_up", resume_node="end")
    builder = ManifestBuilder("order_flow", OrderState, version=version).set_entrypoint("charge")
    builder.add_node("charge", charge, route=lambda state: ask, targets=["pack"])
    builder.add_node("pack", lambda state: None, route=lambda state: ready, targets=["end"])
    builder.add_node("end", lambda state: None, terminal=True)
    builder.add_event_handler("manager_approval", lambda state, payload: {"approved": payload["approved"]})
    return builder.add_event_handler("picked_up", lambda state, payload: None).build()


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


def nightly() -> GraphRegistration:
    """A graph that sleeps until its version has gone."""
    builder = ManifestBuilder("nightly", OrderState).set_entrypoint("sleep")
    builder.add_wait("sleep", duration=timedelta(hours=1), next_node="charge")
    return builder.add_node("charge", charge, terminal=True).build()


def act(version: str = "1") -> None:
    """A run that waits, one that has failed, and one that is parked."""
    host = GraphHost(order_flow(version), nightly())
    host.start("order_flow", {}, run_id=RUN)
    host.start("order_flow", {"order_id": "no money"}, run_id=FAILED)
    host.start("nightly", {})
    host.deploy(order_flow(version))
    host.advance(timedelta(hours=1))


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


class Told:
    """The page's queries in their order, and the tables that they are put to."""

    NAMES = ("stuck", "parked", "slowest", "failures", "cost", "lines", "own lines", "spans", "failed runs")

    def __init__(self) -> None:
        from telemetry import Telemetry

        self.tables = Telemetry()
        self.queries = dict(zip(self.NAMES, fences("kusto"), strict=True))

    def ask(self, name: str) -> list[dict[str, Any]]:
        return self.tables.ask(self.queries[name])


@pytest.fixture
def told() -> Told:
    pytest.importorskip("duckdb_kql", reason="it runs KQL, on Python 3.11 and newer")
    return Told()


@pytest.fixture
def written(told: Told, lines: pytest.LogCaptureFixture) -> Told:
    """What the host has sent of three runs, of a version whose name has a space."""
    act("2 beta")
    told.tables.write_as_the_host(lines.records)
    return told


def test_slow_nodes_are_listed_with_the_times_of_their_attempts(written: Told) -> None:
    rows = written.ask("slowest")

    assert [(row["graph"], row["version"], row["node"], row["attempts"]) for row in rows] == [
        ("order_flow", '"2 beta"', "charge", 2)
    ]
    assert 0 <= rows[0]["median"] <= rows[0]["p95"] <= rows[0]["longest"]


def test_failures_are_counted_by_type_with_an_example(written: Told) -> None:
    (row,) = written.ask("failures")

    assert (row["graph"], row["node"], row["error"], row["failures"], row["runs"], row["example"]) == (
        "order_flow",
        "charge",
        "CardDeclined",
        1,
        1,
        "no money",
    )


def test_costs_are_the_attempts_and_seconds_of_a_graph(written: Told) -> None:
    (row,) = written.ask("cost")

    assert (row["graph"], row["attempts"], row["failed"]) == ("order_flow", 2, 1)
    assert row["seconds"] >= 0


def test_parked_runs_are_counted_by_what_is_missing(written: Told) -> None:
    (row,) = written.ask("parked")

    assert (row["graph"], row["missing"], row["runs"]) == ("nightly", "nightly", 1)


def test_all_lines_of_a_run_are_found_by_its_invocations(written: Told) -> None:
    messages = [row["message"] for row in written.ask("lines")]

    assert [message.partition(":")[0] for message in messages] == ["run started", "charging A-1", "node succeeded"]


def test_lines_that_the_app_has_sent_itself_have_their_run_as_a_field(
    told: Told, lines: pytest.LogCaptureFixture
) -> None:
    act()
    told.tables.write_as_the_app(lines.records)

    rows = told.ask("own lines")

    assert [(row["node"], row["attempt"], row["message"].partition(":")[0]) for row in rows] == [
        ("charge", 1, "charging A-1"),
        ("charge", 1, "node succeeded"),
    ]


def test_spans_of_a_run_are_found_by_their_attributes(told: Told, monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry import trace
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    act()
    told.tables.write_spans(exporter.get_finished_spans())
    told.queries["spans"] = told.queries["spans"].replace(RUN, FAILED)

    (row,) = told.ask("spans")

    assert (row["name"], row["outcome"], row["error"]) == ("node charge", "failed", "CardDeclined")


def test_stuck_runs_are_those_that_are_not_over_and_quiet(told: Told) -> None:
    long_ago, lately = timedelta(hours=9), timedelta(hours=1)
    for run_id, state, age in (
        ("quiet", "Awaited", long_ago),
        ("busy", "Awaited", lately),
        ("done", "Completed", long_ago),
        ("broken", "Failed", long_ago),
        ("stopped", "Terminated", long_ago),
        ("asks", "Listening", long_ago),
    ):
        told.tables.track(run_id, "Started", timedelta(days=1))
        reason = "WaitForExternalEvent:manager_approval.3" if state == "Listening" else ""
        told.tables.track(run_id, state, age, reason=reason)
    told.tables.track("long", "Started", timedelta(days=1))
    told.tables.track("long", "Completed", long_ago, continued=True)

    rows = {row["run_id"]: row["waited_for"] for row in told.ask("stuck")}

    assert rows == {"quiet": "", "asks": "WaitForExternalEvent:manager_approval.3", "long": ""}


def test_an_alert_is_about_runs_that_have_failed_just_now(told: Told) -> None:
    told.tables.track("old", "Failed", timedelta(hours=1), reason="no")
    told.tables.track("new", "Failed", timedelta(minutes=5), reason="CardDeclined")
    told.tables.track("fine", "Completed", timedelta(minutes=5))

    assert [(row["run_id"], row["reason"]) for row in told.ask("failed runs")] == [("new", "CardDeclined")]


def test_a_message_that_starts_no_run_says_so_in_the_words_of_the_alert() -> None:
    from azure_functions_durable_graph.azure.messages import MessageTrigger, _poison

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
    from azure_functions_durable_graph.graph import decisions, manifest, plan, progress
    from azure_functions_durable_graph.http import bodies, listing, values
    from azure_functions_durable_graph.run import traversal
    from azure_functions_durable_graph.work import boundary

    rows = re.findall(r"^\| (.+) \| ([\d,]+)(?: \w+)? \|$", PAGE.split("\n## Limits\n")[1].split("\n## ")[0], re.M)

    assert [int(number.replace(",", "")) for _, number in rows] == [
        app.MAX_BODY_BYTES,
        values.DEEPEST,
        manifest.DEFAULT_MAX_STEPS,
        plan.MAX_DEPTH,
        values.MAX_WAIT,
        listing.MAX_LIMIT,
        listing.SCAN_LIMIT,
        bodies.MOST_TAGS,
        traversal.ANSWER_LIMIT,
        decisions.MOST_EVENTS,
        decisions.LONGEST_PROMPT,
        progress.MOST_BYTES,
        boundary.MESSAGE_LIMIT,
        retention.MOST_PURGED,
        traversal.HISTORY_BUDGET,
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
