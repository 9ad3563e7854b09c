"""With OpenTelemetry a run leaves a span for its start and one for each attempt at a node, in the caller's trace."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import azure.functions as func
import httpx
import pytest
from opentelemetry import trace
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from shapes import Counter, line, loop

from azure_functions_durable_graph import DurableGraphApp, GraphRegistration, ManifestBuilder, RetryPolicy
from azure_functions_durable_graph.hosting import AppHost
from azure_functions_durable_graph.work.activity import Lent, run_node
from azure_functions_durable_graph.work.registry import Registry

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
PARENT = f"00-{TRACE}-{SPAN}-01"
OTHER = "00-" + "1" * 32 + "-" + "2" * 16
CALLER = {"traceparent": PARENT, "tracestate": "a=b"}


@pytest.fixture
def provider(monkeypatch: pytest.MonkeyPatch) -> TracerProvider:
    """The SDK as an app would configure it, for one test."""
    made = TracerProvider()
    monkeypatch.setattr(trace, "_TRACER_PROVIDER", made)
    return made


@pytest.fixture
def exported(provider: TracerProvider) -> InMemorySpanExporter:
    exporter = InMemorySpanExporter()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return exporter


def follow(exporter: InMemorySpanExporter, *graphs: GraphRegistration, given: Any = None, **headers: str) -> Any:
    """Run the first graph to its end; gives how it stands, and its spans by name."""
    runtime = DurableGraphApp(func.AuthLevel.ANONYMOUS)
    for graph in graphs:
        runtime.register_registration(graph)
    with AppHost(runtime.function_app) as host:
        url = f"{host.url}/api/graphs/{graphs[0].graph_name}/runs"
        started = httpx.post(url, json={"input": given or {}}, headers=headers)
        host.wait_until_idle()
        host.advance(timedelta(minutes=1))
        return httpx.get(started.headers["location"]).json(), exporter.get_finished_spans()


def trace_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.trace_id:032x}"


def parent_of(span: ReadableSpan) -> str | None:
    return None if span.parent is None else f"{span.parent.span_id:016x}"


def id_of(span: ReadableSpan) -> str:
    assert span.context is not None
    return f"{span.context.span_id:016x}"


def named(spans: Any, name: str) -> ReadableSpan:
    (found,) = [span for span in spans if span.name == name]
    return found  # type: ignore[no-any-return]


def test_the_start_is_a_span_and_each_node_is_one_below_it(exported: InMemorySpanExporter) -> None:
    run, spans = follow(exported, line("a", "b"))

    assert [span.name for span in spans] == ["run line", "node a", "node b"]
    start, first, second = spans
    assert parent_of(start) is None
    assert parent_of(first) == parent_of(second) == id_of(start)
    place = {"durable_graph.run_id": run["id"], "durable_graph.graph": "line", "durable_graph.version": "1"}
    where = {"durable_graph.node": "b", "durable_graph.step": 1, "durable_graph.attempt": 1}
    assert dict(start.attributes) == place
    assert dict(second.attributes) == {**place, **where, "durable_graph.outcome": "succeeded"}


def test_they_belong_to_the_callers_trace(exported: InMemorySpanExporter) -> None:
    _, spans = follow(exported, line("a"), **CALLER)

    assert {trace_of(span) for span in spans} == {TRACE}
    assert parent_of(named(spans, "run line")) == SPAN
    assert [span.context.trace_state.to_header() for span in spans] == ["a=b", "a=b"]


@pytest.mark.parametrize("header", ["", "nonsense", PARENT.upper(), f"00-{'0' * 32}-{SPAN}-01"])
def test_a_malformed_trace_context_is_ignored(exported: InMemorySpanExporter, header: str) -> None:
    run, spans = follow(exported, line("a"), traceparent=header)

    assert run["status"] == "completed"
    assert parent_of(named(spans, "run line")) is None


def test_the_trace_goes_on_through_continue_as_new(exported: InMemorySpanExporter) -> None:
    run, spans = follow(exported, loop(), given={"goal": 30}, **CALLER)

    assert run["status"] == "completed"
    assert [span.attributes["durable_graph.step"] for span in spans[1:]] == list(range(30))
    assert {trace_of(span) for span in spans} == {TRACE}


def test_the_nodes_of_a_subgraph_are_below_the_node_that_runs_it(exported: InMemorySpanExporter) -> None:
    builder = ManifestBuilder("parent", Counter).set_entrypoint("ask")
    builder.add_subgraph("ask", graph="line", input={}, output={"value": "value"})

    _, spans = follow(exported, builder.build(), line("a"), **CALLER)

    assert parent_of(named(spans, "node a")) == id_of(named(spans, "node ask"))
    assert {trace_of(span) for span in spans} == {TRACE}


def test_each_attempt_is_a_span_and_a_failed_one_says_why(exported: InMemorySpanExporter) -> None:
    calls: list[int] = []

    def flaky(state: Counter) -> None:
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError("gone")

    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", flaky, terminal=True, retry=RetryPolicy(max_attempts=2, first_interval=timedelta(seconds=1)))

    _, (_, failed, succeeded) = follow(exported, builder.build())

    assert [span.attributes["durable_graph.attempt"] for span in (failed, succeeded)] == [1, 2]
    assert (failed.status.is_ok, failed.status.description) == (False, "ConnectionError: gone")
    assert failed.attributes["error.type"] == "ConnectionError"
    (event,) = failed.events
    assert (event.name, event.attributes["exception.type"]) == ("exception", "ConnectionError")
    assert event.attributes["exception.message"] == "gone"
    assert "in flaky" in event.attributes["exception.stacktrace"]
    assert (succeeded.status.status_code.name, succeeded.events) == ("UNSET", ())


def test_a_span_of_a_handlers_own_is_below_its_node(exported: InMemorySpanExporter) -> None:
    def handler(state: Counter) -> None:  # in a thread
        with trace.get_tracer("mine").start_as_current_span("query"):
            pass

    builder = ManifestBuilder("g", Counter).set_entrypoint("a").add_node("a", handler, terminal=True)
    _, spans = follow(exported, builder.build())

    assert parent_of(named(spans, "query")) == id_of(named(spans, "node a"))


def visit(host: str | None = None, carried: Any = None, graph_hash: str | None = None) -> Any:
    """One call of the activity, as the host makes it."""
    graph, registry = line("a"), Registry()
    registry.add(graph)
    call: Any = {"run_id": "r", "graph": "line", "hash": graph_hash or graph.graph_hash, "node": "a", "step": 0}
    call |= {"state": {}, **({} if carried is None else {"trace": carried})}
    return asyncio.run(run_node(registry, call, Lent(trace=None if host is None else {"traceparent": host})))


def linked(span: ReadableSpan) -> list[str]:
    return [f"{link.context.trace_id:032x}" for link in span.links]


def test_the_hosts_span_of_the_activity_comes_first_with_a_link_to_the_caller(exported: InMemorySpanExporter) -> None:
    visit(f"{OTHER}-01", {"traceparent": PARENT})

    (span,) = exported.get_finished_spans()
    assert (trace_of(span), parent_of(span), linked(span)) == ("1" * 32, "2" * 16, [TRACE])


def test_a_link_to_the_same_trace_would_say_nothing(exported: InMemorySpanExporter) -> None:
    visit(f"00-{TRACE}-{'2' * 16}-01", {"traceparent": PARENT})

    (span,) = exported.get_finished_spans()
    assert (trace_of(span), parent_of(span), linked(span)) == (TRACE, "2" * 16, [])


def test_a_span_of_the_hosts_that_nobody_records_does_not_hide_the_callers(exported: InMemorySpanExporter) -> None:
    visit(f"{OTHER}-00", {"traceparent": PARENT})

    (span,) = exported.get_finished_spans()
    assert (trace_of(span), parent_of(span)) == (TRACE, SPAN)


def test_the_current_span_comes_before_all_others(exported: InMemorySpanExporter) -> None:
    async def inside() -> None:
        with trace.get_tracer("worker").start_as_current_span("invocation"):
            graph, registry = line("a"), Registry()
            registry.add(graph)
            call: Any = {"run_id": "r", "graph": "line", "hash": graph.graph_hash, "node": "a", "step": 0, "state": {}}
            call["trace"] = {"traceparent": PARENT}
            await run_node(registry, call, Lent(trace={"traceparent": OTHER + "-01"}))

    asyncio.run(inside())

    node, invocation = exported.get_finished_spans()
    assert (parent_of(node), linked(node)) == (id_of(invocation), [TRACE])


def test_a_version_that_is_not_deployed_is_an_outcome_and_no_error(exported: InMemorySpanExporter) -> None:
    assert visit(graph_hash="f" * 64)["missing"]

    (span,) = exported.get_finished_spans()
    assert (span.attributes or {})["durable_graph.outcome"] == "not deployed"
    assert span.status.status_code.name == "UNSET"


def test_a_trace_that_somebody_has_forged_in_a_runs_input_is_ignored(exported: InMemorySpanExporter) -> None:
    anything: list[Any] = [{"traceparent": "nonsense"}, {"traceparent": 7}, {}, [], "nonsense"]
    for forged in anything:
        assert visit(carried=forged)["patch"] == {"value": 1}

    assert [parent_of(span) for span in exported.get_finished_spans()] == [None] * 5


class Broken(SpanProcessor):
    def on_start(self, span: Any, parent_context: Any = None) -> None:
        raise RuntimeError("no disk")

    def on_end(self, span: Any) -> None:
        raise RuntimeError("no disk")


def test_what_opentelemetry_raises_fails_no_node(provider: TracerProvider, caplog: pytest.LogCaptureFixture) -> None:
    provider.add_span_processor(Broken())

    assert visit()["patch"] == {"value": 1}
    assert "OpenTelemetry has failed; the node is not affected" in caplog.text
