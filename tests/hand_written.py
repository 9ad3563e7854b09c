"""The samples' work written by hand on the plain SDK: one activity for each thing to do, no runtime, no checks."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import azure.functions as func

from azure_functions_durable_graph.host.app.loader import index_app
from azure_functions_durable_graph.host.clock import ManualClock
from azure_functions_durable_graph.host.engine.messages import RaiseEvent
from azure_functions_durable_graph.host.harness.counting_host import CountingWorker
from azure_functions_durable_graph.host.harness.tally import Tally
from azure_functions_durable_graph.host.local_host import LocalHost

Steps = Generator[Any, Any, Any]
Context = Any
"""The SDK's context; its types promise less than it gives (a timer cannot be cancelled, an input may be None)."""


def order_flow(context: Context) -> Steps:
    state = context.get_input()
    for name in ("price", "reserve", "charge", "ship"):
        state = yield context.call_activity("work", {"name": name, **state})
    return state


def content_classifier(context: Context) -> Steps:
    state = yield context.call_activity("work", {"name": "classify", **context.get_input()})
    return (yield context.call_activity("work", {"name": "auto_reply", **state}))


def support_agent(context: Context) -> Steps:
    """The decision is read by the orchestrator itself."""
    state = yield context.call_activity("work", {"name": "draft_reply", **context.get_input()})
    yield context.wait_for_external_event("manager_approval")
    return (yield context.call_activity("work", {"name": "send_reply", **state}))


def document_review(context: Context) -> Steps:
    """Documents and the two who sign off are orchestrations of their own, as each has several steps."""
    documents = context.get_input()["documents"]
    yield context.task_all([context.call_sub_orchestrator("document_check", one) for one in documents])
    yield context.call_activity("work", {"name": "collect"})
    asked = [
        context.call_sub_orchestrator("sign_off", {"role": role}, f"{context.instance_id}.{role}")
        for role in ("legal", "editor")
    ]
    yield context.task_all(asked)
    return (yield context.call_activity("work", {"name": "publish"}))


def document_check(context: Context) -> Steps:
    state = yield context.call_activity("work", {"name": "summarize", **context.get_input()})
    return (yield context.call_activity("work", {"name": "find_secrets", **state}))


def sign_off(context: Context) -> Steps:
    """Ask, remind after three days, and give up after a week."""
    for name, days in (("ask", 3), ("remind", 4)):
        yield context.call_activity("work", {"name": name})
        timer = context.create_timer(context.current_utc_datetime + timedelta(days=days))
        answer = context.wait_for_external_event("sign_off")
        if (yield context.task_any([answer, timer])) is answer:
            timer.cancel()
            return answer.result
    return None


def work(given: dict) -> dict:  # type: ignore[type-arg]
    return given


def app() -> Any:
    functions = df.DFApp(func.AuthLevel.ANONYMOUS)
    written: tuple[Callable[[Context], Steps], ...] = (
        order_flow,
        content_classifier,
        support_agent,
        document_review,
        document_check,
        sign_off,
    )
    for one in written:
        functions.orchestration_trigger(context_name="context", orchestration=one.__name__)(one)
    functions.activity_trigger(input_name="given", activity="work")(work)
    return functions


def counted(name: str, given: str, *events: tuple[str, str]) -> Tally:
    """What a run makes the engine do; each event is an instance's suffix and a name, and is sent once all stands."""

    async def go() -> LocalHost:
        host = LocalHost(worker, ManualClock())
        host.start(name, given, "r")
        await host.drain()
        for suffix, event in events:
            host.send(RaiseEvent(f"r{suffix}", event, "true"))
            await host.drain()
        return host

    worker = CountingWorker(index_app(app()), lambda: None)  # type: ignore[arg-type, return-value]
    worker.tally = Tally()
    host = asyncio.run(go())
    instance = host.store.load("r")
    assert instance is not None
    assert instance.status == "Completed", instance.output
    return worker.tally
