"""What OpenTelemetry's logging handler exports, as azure-monitor-opentelemetry does: the facts as attributes."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry import trace
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
from opentelemetry.sdk.trace import TracerProvider
from shapes import Counter

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.testing import run_graph

log = logging.getLogger("exported")


@pytest.fixture
def exporter() -> Iterator[InMemoryLogRecordExporter]:
    """The handler on a logger of the user's."""
    from opentelemetry.sdk._logs import LoggingHandler

    make: Any = InMemoryLogRecordExporter  # which is not annotated
    kept, provider = make(), LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(kept))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # it moves to another package
        handler = LoggingHandler(logger_provider=provider)
    log.setLevel(logging.INFO)
    log.addHandler(handler)
    yield kept
    log.removeHandler(handler)


def test_a_line_of_a_handler_is_exported_with_its_run_and_node_and_in_the_nodes_span(
    exporter: InMemoryLogRecordExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", TracerProvider())
    spans: list[int] = []

    def handler(state: Counter) -> None:
        spans.append(trace.get_current_span().get_span_context().span_id)
        log.info("charging %s", "A-1", extra={"order": "A-1"})

    builder = ManifestBuilder("orders", Counter, version="3").set_entrypoint("charge")
    run = run_graph(builder.add_node("charge", handler, terminal=True).build(), {})

    (line,) = [one.log_record for one in exporter.get_finished_logs()]
    assert line.body == "charging A-1"
    attributes = dict(line.attributes or {})
    assert {name: value for name, value in attributes.items() if not name.startswith("code.")} == {
        "order": "A-1",
        "durable_graph.run_id": run.id,
        "durable_graph.graph": "orders",
        "durable_graph.version": "3",
        "durable_graph.node": "charge",
        "durable_graph.step": 0,
        "durable_graph.attempt": 1,
    }
    assert [line.span_id] == spans
