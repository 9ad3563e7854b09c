"""Without an SDK of OpenTelemetry a run still carries its caller's trace context, and passes it on."""

from __future__ import annotations

import json
import sys
from typing import Any

import azure.functions as func
import httpx
import pytest
from azure.durable_functions import DurableOrchestrationClient
from opentelemetry import propagate, trace
from opentelemetry.sdk.trace import TracerProvider
from shapes import Counter, line, loop

from azure_functions_durable_graph import DurableGraphApp, GraphRegistration, ManifestBuilder
from azure_functions_durable_graph.hosting import AppHost

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = f"00-{TRACE}-b7ad6b7169203331-01"
CALLER = {"traceparent": PARENT, "tracestate": "a=b"}


def serve(graph: GraphRegistration, given: Any = None, **headers: str) -> None:
    """Run a graph to its end, started with these headers."""
    runtime = DurableGraphApp(func.AuthLevel.ANONYMOUS)
    runtime.register_registration(graph)
    with AppHost(runtime.function_app) as host:
        url = f"{host.url}/api/graphs/{graph.graph_name}/runs"
        started = httpx.post(url, json={"input": given or {}}, headers=headers)
        host.wait_until_idle()
        assert httpx.get(started.headers["location"]).json()["status"] == "completed"


def calls_of(monkeypatch: pytest.MonkeyPatch, **headers: str) -> list[dict[str, Any]]:
    """The node calls of a run without the SDK."""
    from azure_functions_durable_graph.host.app.worker import Worker

    seen: list[dict[str, Any]] = []
    run_activity = Worker.run_activity

    async def watched(self: Worker, name: str, input_: str) -> str:
        seen.append(json.loads(input_))
        return await run_activity(self, name, input_)

    monkeypatch.setattr(Worker, "run_activity", watched)
    serve(loop(), {"goal": 15}, **headers)
    return seen


@pytest.mark.parametrize("configured", [True, False])
def test_the_engine_is_told_the_trace_so_that_its_own_spans_belong_to_it(
    monkeypatch: pytest.MonkeyPatch, configured: bool
) -> None:
    if configured:
        monkeypatch.setattr(trace, "_TRACER_PROVIDER", TracerProvider())
    told: list[Any] = []
    current: Any = DurableOrchestrationClient._get_current_activity_context

    def watched() -> Any:
        told.append(current())
        return told[-1]

    monkeypatch.setattr(DurableOrchestrationClient, "_get_current_activity_context", staticmethod(watched))
    serve(line("a"), **CALLER)

    ((parent, state),) = told
    assert (parent[3:35], state) == (TRACE, "a=b")
    assert (parent == PARENT) is not configured


@pytest.mark.parametrize("loaded", [True, False], ids=["the API without an SDK", "no OpenTelemetry"])
def test_without_an_sdk_the_run_carries_the_callers_context(monkeypatch: pytest.MonkeyPatch, loaded: bool) -> None:
    if not loaded:
        monkeypatch.delitem(sys.modules, "opentelemetry.trace")

    calls = calls_of(monkeypatch, **CALLER)

    assert [call["trace"] for call in calls] == [CALLER] * 15


def test_without_an_sdk_a_handler_can_still_pass_the_callers_context_on() -> None:
    passed: dict[str, str] = {}

    def handler(state: Counter) -> None:
        propagate.inject(passed)

    builder = ManifestBuilder("g", Counter).set_entrypoint("a").add_node("a", handler, terminal=True)
    serve(builder.build(), **CALLER)

    assert passed == CALLER


def test_without_a_trace_context_nothing_is_added_to_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry.trace")

    calls = calls_of(monkeypatch)

    assert set(calls[0]) == {"run_id", "graph", "hash", "node", "step", "state"}
