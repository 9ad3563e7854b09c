"""What a function is given beside its input is what the Python worker gives: a context, and a place for its outputs."""

import json
import threading
from typing import Any

import azure.durable_functions as df
import azure.functions as func
import httpx
import pytest
from served import served

from azure_functions_durable_graph.azure.threads import Threads
from azure_functions_durable_graph.host.app.invocation import InvocationContext, trace_of

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def app_that_answers(code: Any) -> Any:
    """An app with one HTTP function, which answers what `code` makes of its context, as JSON."""
    app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route(route="answer")
    def answer(req: func.HttpRequest, context: func.Context) -> str:
        return json.dumps(code(context))

    return app


def test_the_trace_of_a_request_goes_on_in_a_span_of_the_functions_own() -> None:
    def names(context: Any) -> Any:
        trace = context.trace_context
        return [trace.trace_parent, trace.Traceparent, trace.trace_state, trace.Tracestate, trace.attributes]

    with served(app_that_answers(names)) as (url, _):
        parent, old, state, old_state, attributes = httpx.get(
            f"{url}/api/answer", headers={"traceparent": PARENT, "tracestate": "a=b"}
        ).json()

    assert (parent, state, attributes) == (old, old_state, {}) == (parent, "a=b", {})
    version, trace, span, flags = parent.split("-")
    assert (version, trace, flags) == tuple(PARENT.split("-")[i] for i in (0, 1, 3))
    assert span != PARENT.split("-")[2]


@pytest.mark.parametrize("header", ["", "no trace", PARENT.upper(), PARENT + "-more"])
def test_without_a_trace_that_can_be_read_a_new_one_begins(header: str) -> None:
    new = trace_of({"traceparent": header, "tracestate": "a=b"})

    assert len(new.trace_parent) == len(PARENT)
    assert new.trace_parent[3:35] != PARENT[3:35]
    assert new.trace_state == ""


def test_the_host_retries_no_function_and_the_retry_context_says_so() -> None:
    def counts(context: Any) -> Any:
        retry = context.retry_context
        return [retry.retry_count, retry.max_retry_count, retry.exception]

    with served(app_that_answers(counts)) as (url, _):
        assert httpx.get(f"{url}/api/answer").json() == [0, 0, None]


def test_the_thread_of_a_function_carries_its_invocations_id() -> None:
    def ids(context: Any) -> Any:
        return [context.thread_local_storage.invocation_id, context.invocation_id, threading.current_thread().name]

    with served(app_that_answers(ids)) as (url, _):
        stored, own, thread = httpx.get(f"{url}/api/answer").json()

    assert stored == own
    assert thread.startswith("function")


def test_two_invocations_have_two_ids() -> None:
    one, two = (InvocationContext("f", ".", Threads(), trace_of({})) for _ in range(2))

    assert one.invocation_id != two.invocation_id


def app_with_an_output(value: Any) -> Any:
    app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route(route="send")
    @app.queue_output(arg_name="message", queue_name="q", connection="C")
    def send(req: func.HttpRequest, message: func.Out[str]) -> str:
        before = message.get()
        message.set(value)
        return f"{before} {message.get()}"

    return app


def test_the_value_of_an_output_binding_is_taken_and_the_log_says_once_that_it_goes_nowhere(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with served(app_with_an_output("hello")) as (url, _):
        answers = [httpx.get(f"{url}/api/send") for _ in range(2)]

    assert [(answer.status_code, answer.text) for answer in answers] == [(200, "None hello")] * 2
    (line,) = [record.message for record in caplog.records if "output binding" in record.message]
    assert line == (
        "send: the output binding 'message' (queue) is not served, so its values are dropped; use `func start` for it"
    )


def test_an_output_that_azure_could_not_send_fails_the_function() -> None:
    with served(app_with_an_output(threading)) as (url, _):
        assert httpx.get(f"{url}/api/send").status_code == 500
