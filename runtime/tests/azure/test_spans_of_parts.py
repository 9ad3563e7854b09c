"""Nodes of one activity, branches and parts of a map: each leaves its span, in the trace of its run."""

from __future__ import annotations

import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder
from azure_functions_durable_graph.testing import run_graph


class State(BaseModel):
    items: list[int] = list(range(250))
    done: list[int] = []


@pytest.fixture
def exported(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", provider)
    return exporter


def nodes_of(exporter: InMemorySpanExporter, graph: GraphRegistration) -> list[tuple[str, int]]:
    """Name and step of each node's span, of a run that completes; all of them are in one trace."""
    run = run_graph(graph, {})
    assert run.status == "completed"
    spans = exporter.get_finished_spans()
    assert len({span.context.trace_id for span in spans if span.context}) == 1
    return [(span.name, int((span.attributes or {})["durable_graph.step"])) for span in spans[1:]]  # type: ignore[arg-type]


def test_nodes_that_share_an_activity_have_a_span_each(exported: InMemorySpanExporter) -> None:
    builder = ManifestBuilder("g", State, durability="wait").set_entrypoint("a")
    builder.add_node("a", lambda state: None, next_node="b").add_node("b", lambda state: None, terminal=True)

    assert nodes_of(exported, builder.build()) == [("node a", 0), ("node b", 1)]
    start, first, second = exported.get_finished_spans()
    ids = {span.span_id for span in (first.parent, second.parent, start.context) if span}
    assert len(ids) == 1


def test_a_branch_of_several_nodes_is_in_the_trace_of_its_run(exported: InMemorySpanExporter) -> None:
    builder = ManifestBuilder("g", State).set_entrypoint("p")
    builder.add_parallel("p", branches=["a", "c"], next_node="end").add_node("c", lambda state: None)
    builder.add_node("a", lambda state: None, next_node="b").add_node("b", lambda state: None, next_node="end")
    builder.add_node("end", lambda state: None, terminal=True)

    names = [name for name, _ in nodes_of(exported, builder.build())]

    assert sorted(names) == ["node a", "node b", "node c", "node end"]


def test_a_map_whose_items_are_dealt_out_is_in_the_trace_of_its_run(exported: InMemorySpanExporter) -> None:
    builder = ManifestBuilder("g", State).set_entrypoint("each")
    builder.add_map("each", lambda state, item: item, over="items", into="done", max_concurrency=200)

    assert set(nodes_of(exported, builder.build())) == {("node each", 0)}
