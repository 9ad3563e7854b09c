"""Functions with other triggers than HTTP are called by hand, as with Core Tools."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from typing import Any, List  # noqa: UP035 - as the worker reads it

import azure.durable_functions as df
import azure.functions as func
import httpx
import pytest
from contract import Ticket, approvals

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.client import GraphClient
from azure_functions_durable_graph.errors import HostError
from azure_functions_durable_graph.hosting import AppHost

TAKEN: list[Any] = []


def make_app() -> Any:
    runtime = DurableGraphApp()
    runtime.register_registration(approvals())
    app = runtime.function_app

    @app.queue_trigger(arg_name="message", queue_name="orders", connection="C")
    @app.durable_client_input(client_name="durable")
    async def orders(message: func.QueueMessage, durable: df.DurableOrchestrationClient) -> None:
        ticket = Ticket.model_validate_json(message.get_body())
        run = await runtime.client(durable).start("approvals", ticket, key=message.id)
        answered = await runtime.client(durable).get(run)
        TAKEN.append((answered.id, message.dequeue_count, message.insertion_time is not None))

    @app.queue_trigger(arg_name="text", queue_name="plain", connection="C")
    def plain(text: str) -> None:
        TAKEN.append(text)

    @app.service_bus_queue_trigger(arg_name="message", queue_name="bus", connection="C")
    def bus(message: func.ServiceBusMessage) -> None:
        TAKEN.append((message.get_body(), message.message_id, message.delivery_count, message.user_properties))

    @app.event_grid_trigger(arg_name="event")
    def event(event: func.EventGridEvent) -> None:
        TAKEN.append((event.get_json(), event.id))

    @app.blob_trigger(arg_name="blob", path="inbox/{name}", connection="C")
    def blob(blob: func.InputStream) -> None:
        TAKEN.append((blob.read(), blob.name, blob.length))

    @app.timer_trigger(arg_name="timer", schedule="0 0 0 1 1 *")
    def yearly(timer: func.TimerRequest) -> None:
        TAKEN.append(timer.past_due)

    @app.queue_trigger(arg_name="message", queue_name="broken", connection="C")
    def broken(message: func.QueueMessage) -> None:
        raise LookupError("no such customer")

    @app.service_bus_queue_trigger(arg_name="messages", queue_name="many", connection="C", cardinality="many")
    def many(messages: List[func.ServiceBusMessage]) -> None:  # noqa: UP006
        raise AssertionError("never called")

    return app


@pytest.fixture(scope="module")
def host() -> Iterator[AppHost]:
    with AppHost(make_app()) as found:
        yield found


@pytest.fixture(autouse=True)
def _forget() -> None:
    TAKEN.clear()


def post(host: AppHost, name: str, **options: Any) -> httpx.Response:
    response = httpx.post(f"{host.url}/admin/functions/{name}", **options)
    host.wait_until_idle()
    return response


def test_a_queue_function_takes_the_input_as_its_message_and_starts_a_run(host: AppHost) -> None:
    response = post(host, "orders", json={"input": '{"ticket_id": "T-1"}'})

    assert (response.status_code, response.content) == (202, b"")
    ((run_id, count, dated),) = TAKEN
    assert (count, dated) == (1, True)
    with GraphClient(host.url) as client:
        assert client.get(run_id).status == "waiting"


def test_a_message_with_an_id_is_known_again(host: AppHost) -> None:
    for _ in range(2):
        post(host, "orders", json={"input": {"ticket_id": "T-2"}, "id": "m-2"})

    assert len(TAKEN) == 2
    assert len({run_id for run_id, *_ in TAKEN}) == 1


def test_names_are_those_of_functions_in_any_case_and_quoted(host: AppHost) -> None:
    assert post(host, "Pla%69n", json={"input": "hi"}).status_code == 202
    assert TAKEN == ["hi"]


@pytest.mark.parametrize(
    ("name", "message", "options", "taken"),
    [
        ("plain", "text", {}, "text"),
        ("plain", {"a": 1}, {}, '{"a": 1}'),
        ("plain", None, {}, ""),
        ("bus", b"\x00", {"id": "m", "properties": {"DeliveryCount": 3}}, (b"\x00", "m", 3, {})),
        ("event", {"url": "u"}, {"id": "e"}, ({"url": "u"}, "e")),
        ("blob", "content", {"properties": {"BlobTrigger": "inbox/a.txt"}}, (b"content", "inbox/a.txt", 7)),
        ("yearly", None, {}, False),
        ("yearly", None, {"properties": {"IsPastDue": True}}, True),
    ],
)
def test_a_test_fires_every_kind_of_trigger(host: AppHost, name: str, message: Any, options: Any, taken: Any) -> None:
    host.trigger(name, message, **options)

    assert [taken] == TAKEN


def test_what_a_function_raises_is_logged_and_a_test_gets_it(host: AppHost, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        assert post(host, "broken", json={"input": ""}).status_code == 202
    assert "broken: failed: LookupError: no such customer" in caplog.text

    with pytest.raises(LookupError, match="no such customer"):
        host.trigger("broken")


@pytest.mark.parametrize(
    ("name", "options", "status", "text"),
    [
        ("order", {"json": {}}, 404, "did you mean 'orders'?"),
        ("durable_graph_get_run", {"json": {}}, 404, "there is no function 'durable_graph_get_run' whose trigger"),
        ("many", {"json": {}}, 404, "there is no function 'many'"),
        ("orders", {"content": b"{"}, 400, 'send {"input": …}'),
        ("orders", {"content": b""}, 400, 'send {"input": …}'),
        ("orders", {"json": []}, 400, "the body is not a JSON object"),
        ("orders", {"json": {"id": 1}}, 400, "id must be a string"),
        ("event", {"json": {"input": "no json"}}, 400, "this message cannot be delivered by the eventGridTrigger"),
    ],
)
def test_a_call_that_means_nothing_is_refused(host: AppHost, name: str, options: Any, status: int, text: str) -> None:
    response = post(host, name, **options)

    assert response.status_code == status
    assert text in response.json()["Message"]


def test_only_post_calls_a_function(host: AppHost) -> None:
    response = httpx.get(f"{host.url}/admin/functions/orders")

    assert (response.status_code, response.headers["allow"]) == (405, "POST")


def test_a_page_of_another_site_cannot_call_functions(host: AppHost) -> None:
    response = post(host, "plain", json={"input": "x"}, headers={"Origin": "https://evil.example"})

    assert (response.status_code, TAKEN) == (403, [])


def test_a_test_that_names_no_function_is_told_which_there_are(host: AppHost) -> None:
    with pytest.raises(HostError, match="there is no function 'plan' whose trigger can be fired by hand; did you mean"):
        host.trigger("plan")
