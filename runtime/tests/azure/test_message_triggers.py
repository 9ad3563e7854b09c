"""A message starts one run, however often it is delivered; one that can start none says why."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from contract import Ticket, approvals

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.client import GraphClient
from azure_functions_durable_graph.errors import MessageError, RegistrationError
from azure_functions_durable_graph.hosting import AppHost

SERVICE_BUS: Any = {"graph": "approvals", "connection": "BUS"}


def make_app(declare: Callable[[DurableGraphApp], object]) -> Any:
    runtime = DurableGraphApp()
    runtime.register_registration(approvals())
    declare(runtime)
    return runtime.function_app


def declare_all(runtime: DurableGraphApp) -> None:
    runtime.start_on_queue("tickets", graph="approvals")
    runtime.start_on_queue("raw-tickets", graph="approvals", input=lambda raw: Ticket(ticket_id=raw["no"]))
    runtime.start_on_service_bus("bus", **SERVICE_BUS)
    runtime.start_on_event_grid("uploaded", graph="approvals", input=lambda data: {"ticket_id": data["url"]})


@pytest.fixture(scope="module")
def host() -> Iterator[AppHost]:
    with AppHost(make_app(declare_all)) as found:
        yield found


def runs_of(host: AppHost, ticket: str) -> list[Any]:
    with GraphClient(host.url) as client:
        return [run for row in client.list().runs if (run := client.get(row)).input["ticket_id"] == ticket]


@pytest.mark.parametrize(
    ("function", "message", "ticket"),
    [
        ("tickets", {"ticket_id": "q-1", "priority": "high"}, "q-1"),
        ("raw_tickets", {"no": "q-2"}, "q-2"),
        ("bus", {"ticket_id": "b-1"}, "b-1"),
        ("uploaded", {"url": "e-1"}, "e-1"),
        (
            "uploaded",
            {"specversion": "1.0", "id": "1", "source": "/s", "type": "t", "data": {"url": "e-2"}},
            "e-2",
        ),
    ],
)
def test_a_message_starts_a_run_with_it_as_its_input(host: AppHost, function: str, message: Any, ticket: str) -> None:
    host.trigger(function, message)

    (run,) = runs_of(host, ticket)
    assert (run.graph, run.status) == ("approvals", "waiting")
    assert set(run.metadata) == {"message_id", "source"}


@pytest.mark.parametrize("function", ["tickets", "bus"])
def test_a_message_that_is_delivered_again_starts_nothing(host: AppHost, function: str) -> None:
    ticket = f"again-{function}"
    for _ in range(3):
        host.trigger(function, {"ticket_id": ticket}, id="message-1")
    host.trigger(function, {"ticket_id": ticket}, id="message-2")

    assert len(runs_of(host, ticket)) == 2


def test_a_run_that_has_ended_is_found_by_its_message_too(host: AppHost) -> None:
    host.trigger("tickets", {"ticket_id": "ended"}, id="ended-1")
    (run,) = runs_of(host, "ended")
    httpx.post(f"{host.url}/api/runs/{run.id}/events/approval", json={"approved": True}).raise_for_status()
    host.wait_until_idle()

    host.trigger("tickets", {"ticket_id": "ended"}, id="ended-1")

    assert [run.status for run in runs_of(host, "ended")] == ["completed"]


def test_deliveries_of_one_message_that_race_start_one_run(host: AppHost) -> None:
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(host.trigger, "tickets", {"ticket_id": "race"}, id="race-1") for _ in range(8)]:
            done.result(60)

    assert len(runs_of(host, "race")) == 1


def test_messages_of_two_queues_with_one_id_are_two(host: AppHost) -> None:
    host.trigger("tickets", {"ticket_id": "two"}, id="same")
    host.trigger("raw_tickets", {"no": "two"}, id="same")
    host.trigger("bus", {"ticket_id": "two"}, id="same")

    assert len(runs_of(host, "two")) == 3


def test_without_an_id_a_service_bus_message_is_known_by_its_sequence_number(host: AppHost) -> None:
    for number in (7, 7, 8):
        host.trigger("bus", {"ticket_id": "number"}, properties={"MessageId": "", "SequenceNumber": number})

    assert len(runs_of(host, "number")) == 2


def test_events_of_two_topics_with_one_id_are_two(host: AppHost) -> None:
    for topic in ("a", "b", "a"):
        event = {"id": "1", "topic": topic, "eventType": "T", "subject": "s", "dataVersion": "1"}
        host.trigger("uploaded", {**event, "eventTime": "2026-01-31T08:00:00Z", "data": {"url": "topics"}})

    assert len(runs_of(host, "topics")) == 2


@pytest.mark.parametrize(
    ("function", "message", "why"),
    [
        ("tickets", "not json", "not JSON"),
        ("tickets", b"\xff", "the body is not UTF-8 text"),
        ("tickets", "", "not JSON"),
        ("tickets", "[1]", "the input of a run must be an object, not a list"),
        ("tickets", {"ticket": "x"}, "input.ticket: unknown key; did you mean 'ticket_id'"),
        ("tickets", {"ticket_id": ""}, "the input does not match the state of graph 'approvals'"),
        ("tickets", '{"ticket_id": NaN}', "NaN is not a JSON value"),
        ("raw_tickets", {}, "input=… raised KeyError: 'no'"),
        ("bus", "not json", "not JSON"),
        ("uploaded", {"uri": "x"}, "input=… raised KeyError: 'url'"),
    ],
)
def test_a_message_that_can_start_no_run_fails_and_says_why(
    host: AppHost, function: str, message: Any, why: str
) -> None:
    before = httpx.get(f"{host.url}/api/runs").json()

    with pytest.raises(MessageError) as caught:
        host.trigger(function, message, id="poison-1")

    assert why in str(caught.value)
    assert "poison-1 does not start a run of 'approvals': " in str(caught.value)
    assert httpx.get(f"{host.url}/api/runs").json() == before


def test_another_message_under_a_used_id_is_not_taken_for_the_first(host: AppHost) -> None:
    host.trigger("bus", {"ticket_id": "first"}, id="reused")

    with pytest.raises(MessageError, match="was started under this Idempotency-Key with another input"):
        host.trigger("bus", {"ticket_id": "second"}, id="reused")


@pytest.mark.parametrize("message_id", ["ünïcode", "x" * 500, "a\nb"])
def test_any_id_that_a_sender_chooses_will_do(host: AppHost, message_id: str) -> None:
    ticket = json.dumps(message_id)
    for _ in range(2):
        host.trigger("bus", {"ticket_id": ticket}, id=message_id)

    assert len(runs_of(host, ticket)) == 1


def test_an_unknown_graph_is_reported_when_the_app_is_complete() -> None:
    app = make_app(lambda runtime: runtime.start_on_queue("q", graph="approvels"))

    with pytest.raises(RegistrationError, match=r"queue 'q': starts the unknown graph 'approvels'. Did you mean"):
        app.runtime.check()


@pytest.mark.parametrize(
    ("declare", "text"),
    [
        (lambda r: r.start_on_queue("", graph="approvals"), "the source is ''; pass a name"),
        (lambda r: r.start_on_queue("q", graph=approvals()), "graph is .*; pass a name"),
        (lambda r: r.start_on_queue("q", graph="approvals", input={}), "input is a dict; pass a function"),
        (lambda r: r.start_on_queue("9", graph="approvals"), "'9' is not a valid function name; pass name=…"),
        (lambda r: [r.start_on_queue("q", graph="approvals") for _ in "ab"], "queue 'q' is declared twice"),
        (
            lambda r: [r.start_on_queue("q", graph="approvals"), r.start_on_service_bus("Q", **SERVICE_BUS)],
            "Service Bus queue 'Q' is declared twice: give each trigger a name=… of its own",
        ),
    ],
)
def test_a_declaration_that_makes_no_sense_is_refused(declare: Any, text: str) -> None:
    with pytest.raises(RegistrationError, match=text):
        make_app(declare)


def test_a_queue_named_by_a_setting_has_a_function_of_that_name() -> None:
    with AppHost(make_app(lambda runtime: runtime.start_on_queue("%TICKETS-QUEUE%", graph="approvals"))) as host:
        assert "TICKETS_QUEUE" in host.functions
