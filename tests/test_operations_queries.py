"""The queries of docs/operations.md, put to what real runs have written: they find what the page promises."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from operations_page import FAILED, RUN, act, fences


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    kept = logging.getLogRecordFactory()
    caplog.set_level(logging.INFO)
    yield caplog
    logging.setLogRecordFactory(kept)


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
