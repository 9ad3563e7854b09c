"""A client repeats what a repeat cannot harm, and says in a sentence why there is no response."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
from contract import Ticket, approvals
from processes import environment, free_port
from served import served

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.client import ApiError, ApiUnreachable, AsyncGraphClient, GraphClient
from azure_functions_durable_graph.remote import doors


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doors, "PAUSES", (0.0, 0.0, 0.0))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    runtime = DurableGraphApp()
    runtime.register_registration(approvals())
    with served(runtime.function_app) as (found, _):
        yield found


class Losing(httpx.HTTPTransport):
    """Lets requests reach the app, and loses the first responses, by an error or by a gateway's status."""

    def __init__(self, *losses: Exception | int) -> None:
        super().__init__()
        self.losses = list(losses)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        self.requests.append(request)
        response = super().handle_request(request)
        response.read()
        response.close()
        if not self.losses:
            return response
        loss = self.losses.pop(0)
        if isinstance(loss, Exception):
            raise loss
        return httpx.Response(loss, request=request)


def losing_client(url: str, *losses: Exception | int) -> tuple[GraphClient, Losing]:
    transport = Losing(*losses)
    return GraphClient(url, http=httpx.Client(transport=transport)), transport


def test_a_start_whose_responses_are_lost_starts_one_run(url: str) -> None:
    client, transport = losing_client(url, httpx.ReadError("reset"), 503, 429)
    with client:
        run = client.start("approvals", Ticket(ticket_id="lost"), tags={"case": "lost"})

        assert [row.id for row in client.list(tags={"case": "lost"}).runs] == [run.id]
        assert len({request.headers["idempotency-key"] for request in transport.requests[:4]}) == 1


def test_an_app_that_goes_away_after_a_request_is_waited_for(url: str) -> None:
    client, transport = losing_client(url, httpx.ReadError("reset"), httpx.ConnectError("refused"), 502)
    with client:
        run = client.start("approvals", Ticket(ticket_id="away"), tags={"case": "away"})

        assert [row.id for row in client.list(tags={"case": "away"}).runs] == [run.id]
        assert len(transport.requests) == 5, "four for the start, one for the list"


def test_an_answer_whose_response_is_lost_is_applied_once_and_reported(url: str) -> None:
    with GraphClient(url) as client:
        run = client.wait(client.start("approvals", Ticket(ticket_id="T")), until="idle")
    client, _ = losing_client(url, httpx.ReadTimeout("slow"))
    with client:
        assert client.send(run, "approval", {"approved": True}).outcome == "applied"
        assert [event.outcome for event in client.history(run).events] == ["applied"]


def test_each_answer_without_a_key_is_another_answer(url: str) -> None:
    client, transport = losing_client(url)
    with client:
        run = client.wait(client.start("approvals", Ticket(ticket_id="T")), until="idle")
        client.send(run, "approval", {"approved": True})
        with pytest.raises(ApiError, match="410 run-finished"):
            client.send(client.wait(run), "approval", {"approved": True})

    keys = [request.headers.get("idempotency-key") for request in transport.requests if "/events/" in str(request.url)]
    assert len(set(keys)) == 2


@pytest.mark.parametrize("verb", ["cancel", "suspend", "delete"])
def test_what_could_do_something_else_is_not_repeated(url: str, verb: str) -> None:
    with GraphClient(url) as client:
        run = client.wait(client.start("approvals", Ticket(ticket_id="T")), until="idle")
    client, transport = losing_client(url, httpx.ReadError("reset"))
    with client, pytest.raises(ApiUnreachable, match=r"cannot be reached \(reset\); is the app served there"):
        getattr(client, verb)(run)

    assert len(transport.requests) == 1


def test_a_start_under_an_id_of_ones_own_is_not_repeated(url: str) -> None:
    client, transport = losing_client(url, httpx.ReadError("reset"))
    with client, pytest.raises(ApiUnreachable):
        client.start("approvals", Ticket(ticket_id="T"), instance_id="own-1")

    assert "idempotency-key" not in transport.requests[0].headers


def test_after_four_lost_responses_a_client_gives_up(url: str) -> None:
    client, transport = losing_client(url, *[httpx.ReadError("reset")] * 9)
    with client, pytest.raises(ApiUnreachable):
        client.graphs()

    assert len(transport.requests) == 4


def test_where_nobody_listens_the_sentence_names_the_address() -> None:
    port = free_port()
    with (
        GraphClient(f"http://127.0.0.1:{port}") as client,
        pytest.raises(ApiUnreachable, match=f"{port}/api cannot be"),
    ):
        client.graphs()


def answering(status: int, **content: Any) -> GraphClient:
    transport = httpx.MockTransport(lambda request: httpx.Response(status, **content))
    return GraphClient("http://app.example", "secret", http=httpx.Client(transport=transport))


@pytest.mark.parametrize(
    ("status", "content", "sentence"),
    [
        (401, {}, "requires a function key, and this one is missing or wrong"),
        (403, {"text": "<html>Web App - Unavailable"}, "refuses this machine, or its app is stopped"),
        (404, {}, "there is no durable graph API at http://app.example/api/graphs; is it the address of the app?"),
        (
            307,
            {"headers": {"location": "https://app.example/api/graphs?code=secret"}},
            "http://app.example/api/graphs redirects to https://app.example/api/graphs: use that address",
        ),
        (500, {"json": ["odd"]}, "http://app.example/api/graphs answered 500"),
        (502, {"content": b"{", "headers": {"content-type": "application/json"}}, "answered 502"),
    ],
)
def test_an_error_that_the_app_did_not_write_is_told_without_the_key(
    status: int, content: dict[str, Any], sentence: str
) -> None:
    with answering(status, **content) as client, pytest.raises(ApiError) as caught:
        client.graphs()

    assert sentence in str(caught.value)
    assert (caught.value.status, caught.value.code) == (status, f"http-{status}")
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize(
    "content", [{"text": "<html>Sign in"}, {"json": {"other": "api"}}, {"json": [1]}, {"content": b""}]
)
def test_another_server_that_answers_is_not_taken_for_the_app(content: dict[str, Any]) -> None:
    with answering(200, **content) as client, pytest.raises(ApiError, match="the response is not a GraphList: is this"):
        client.graphs()


@pytest.mark.parametrize("call", ["cancel", "suspend", "resume", "delete", "diagram"])
@pytest.mark.parametrize("content", [{"html": "<html>Your Functions app is up and running"}, {"json": {}}])
def test_the_page_of_another_server_does_not_say_that_something_was_done(call: str, content: dict[str, Any]) -> None:
    with answering(200, **content) as client, pytest.raises(ApiError, match="is this the address of an app") as caught:
        getattr(client, call)("r1")

    assert (caught.value.status, caught.value.code) == (200, "unreadable")


def test_the_key_is_sent_as_a_header_and_ids_are_quoted() -> None:
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    http = httpx.Client(transport=httpx.MockTransport(answer))
    with GraphClient("https://app.example/api", "secret", http=http) as client:
        client.delete("a:b")

    assert seen[0].headers["x-functions-key"] == "secret"
    assert seen[0].url.raw_path == b"/api/runs/a%3Ab"
    assert "secret" not in repr(client)


def crowd(url: str, size: int, act: Callable[[AsyncGraphClient, int], Any]) -> list[Any]:
    """What becomes of calls that many clients make at once."""

    async def gather() -> list[Any]:
        async with AsyncGraphClient(url) as client:
            return await asyncio.gather(*(act(client, number) for number in range(size)), return_exceptions=True)

    return asyncio.run(gather())


def test_starts_that_race_under_one_key_start_one_run(url: str) -> None:
    found = crowd(url, 12, lambda client, _: client.start("approvals", {"ticket_id": "R"}, key="race"))

    assert len({started.id for started in found}) == 1


def test_of_answers_that_race_one_is_applied_and_the_others_know(url: str) -> None:
    with GraphClient(url) as client:
        run = client.wait(client.start("approvals", Ticket(ticket_id="T")), until="idle")

    found = crowd(url, 12, lambda client, number: client.send(run, "approval", {"approved": bool(number % 2)}, wait=20))

    applied = [one for one in found if not isinstance(one, Exception)]
    assert [one.outcome for one in applied] == ["applied"]
    assert {one.code for one in found if isinstance(one, ApiError)} <= {"event-answered", "run-finished"}
    assert len(found) == 12


def test_without_httpx_the_import_says_what_to_install() -> None:
    code = "import sys; sys.modules['httpx'] = None; import azure_functions_durable_graph.client"

    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False
    )

    assert "ModuleNotFoundError: azure_functions_durable_graph.client needs httpx: install" in answer.stderr


def test_the_client_loads_neither_azure_nor_the_local_host() -> None:
    code = "import sys, azure_functions_durable_graph.client\nprint([m for m in sys.modules if m.startswith('azure.')"
    code += " or '_graph.host' in m or m == 'aiohttp'])"

    answer = subprocess.run([sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=True)

    assert answer.stdout == "[]\n"
