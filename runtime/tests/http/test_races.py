"""What the API answers when the hub changes between its look-up and its deed, and when the engine refuses."""

import asyncio
import functools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import azure.functions as func
import pytest
from aiohttp import ClientResponseError, web
from aiohttp.test_utils import TestServer
from reviews import parent, review, waiting_parent
from shapes import conversation, line

from azure_functions_durable_graph.azure.durable_runs import _fetch
from azure_functions_durable_graph.azure.serving import serve
from azure_functions_durable_graph.host.web.management import Management
from azure_functions_durable_graph.host.web.management_values import CONTINUATION
from azure_functions_durable_graph.http.api import Api, read_run
from azure_functions_durable_graph.http.routes import ROUTES
from azure_functions_durable_graph.http.runs import start_run
from azure_functions_durable_graph.testing import GraphHost, GraphRun, Problem
from azure_functions_durable_graph.work.registry import Registry


def manage(run: GraphRun, method: str, verb: str = "") -> None:
    """Do something to a run behind the API's back."""
    management: Management = run.host._management
    assert management.handle(method, f"instances/{run.id}{verb}", {"reason": "race"}, b"").status in (200, 202)


def before(host: GraphHost, part: str, action: Callable[[], None]) -> None:
    """Do something once, just before the SDK's client sends a request whose URL has this part."""
    send, left = host._send, [action]

    async def sending(method: str, url: str, body: bytes) -> list[Any]:
        if part in url and left:
            left.pop()()
        return await send(method, url, body)

    host._send = sending  # type: ignore[method-assign]


def refuse(host: GraphHost, part: str, status: int) -> None:
    """Let the engine refuse every request whose URL has this part, as it may for reasons of its own."""
    send = host._send

    async def sending(method: str, url: str, body: bytes) -> list[Any]:
        if method == "POST" and part in url:
            return [status, {"Message": "storage is busy", "ExceptionMessage": "storage is busy"}]
        return await send(method, url, body)

    host._send = sending  # type: ignore[method-assign]


@pytest.fixture
def run() -> GraphRun:
    return GraphHost(conversation()).start("conversation", {}, run_id="one")


# --- a run that ends in between -----------------------------------------------------------------------------------


def test_an_event_for_a_run_that_ends_in_between_is_410(run: GraphRun) -> None:
    before(run.host, "/raiseEvent/", lambda: manage(run, "POST", "/terminate"))

    with pytest.raises(Problem, match="410 run-finished: run 'one': the run ended without"):
        run.send("answer", {"text": "stop"})


def purge(run: GraphRun) -> None:
    manage(run, "POST", "/terminate")
    manage(run, "DELETE")


@pytest.mark.parametrize("part", ["/raiseEvent/", "/terminate"])
def test_a_run_that_vanishes_in_between_is_404(run: GraphRun, part: str) -> None:
    before(run.host, part, lambda: purge(run))

    with pytest.raises(Problem, match="404 run-not-found"):
        run.send("answer", {"text": "stop"}) if "raise" in part else run.cancel()


def test_a_cancel_of_a_run_that_completes_in_between_is_410() -> None:
    host = GraphHost(conversation())
    run = host.start("conversation", {}, run_id="one")
    instance = host._host.store.load("one")
    assert instance is not None

    def complete() -> None:
        instance.status = "Completed"
        host._host.store.save(instance)

    before(host, "/terminate", complete)
    with pytest.raises(Problem, match="410 run-finished: the run 'one' is completed"):
        run.cancel()


def test_a_child_that_ends_while_its_parent_is_cancelled_hinders_nothing() -> None:
    host = GraphHost(parent(), review())
    run = host.start("article", {})
    child = GraphRun(host, run.view["children"][0]["id"])
    before(host, f"{child.id}/terminate", lambda: purge(child))

    assert run.cancel().status == "cancelled"


def test_a_child_that_starts_while_its_parent_is_being_cancelled_is_cancelled_as_well() -> None:
    host = GraphHost(waiting_parent(), review())
    run = host.start("article", {})
    send, started = host._send, list[str]()

    async def sending(method: str, url: str, body: bytes) -> list[Any]:
        if "/terminate" in url and not started:
            answer = b'{"id": "x", "payload": {}}'
            assert host._management.handle("POST", f"instances/{run.id}/raiseEvent/go.0", {}, answer).status == 202
            await host._host.drain()
            record = host.peek(run.id)
            started.extend(record.children if record is not None else ())
        return await send(method, url, body)

    host._send = sending  # type: ignore[method-assign]
    run.cancel()

    (child,) = started
    assert (run.status, GraphRun(host, child).status) == ("cancelled", "cancelled")


@pytest.mark.parametrize("part", ["/raiseEvent/", "/terminate"])
def test_a_refusal_for_another_reason_is_no_answer_about_the_run(run: GraphRun, part: str) -> None:
    refuse(run.host, part, 503)

    with pytest.raises(Exception, match=r"unexpected status code|unrecognized status code") as caught:
        run.send("answer", {"text": "stop"}) if "raise" in part else run.cancel()

    assert not isinstance(caught.value, Problem)
    assert run.status == "waiting"


# --- starts -------------------------------------------------------------------------------------------------------


def test_of_two_starts_of_one_id_at_once_the_second_is_409_or_finds_the_first() -> None:
    for conflict, status in (("fail", None), ("return", "waiting")):
        host, other = GraphHost(conversation()), GraphHost(conversation())
        first = other.start("conversation", {}, run_id="one")
        instance = other._host.store.load(first.id)
        assert instance is not None
        before(host, "/orchestrators/", functools.partial(host._host.store.save, instance))
        body = {"instance_id": "one", "on_conflict": conflict}

        if status is None:
            with pytest.raises(Problem, match="409 run-exists"):
                host.call(start_run, {"graph": "conversation"}, body)
        else:
            assert host.call(start_run, {"graph": "conversation"}, body)["status"] == status


@pytest.mark.parametrize("run_id", [None, "mine"], ids=["made id", "given id"])
@pytest.mark.parametrize("status", [400, 409, 500, 503])
def test_a_start_that_the_engine_refuses_is_an_error_and_never_202(run_id: str | None, status: int) -> None:
    host = GraphHost(line("a"))
    refuse(host, "/orchestrators/", status)

    with pytest.raises(Exception, match=r"busy|unexpected status code"):
        host.start("line", {}, run_id=run_id)

    assert host._host.store.load(run_id or "line.test-1") is None


class RefusingClient:
    """A durable client whose engine takes no starts."""

    async def get_status(self, run_id: str, **_: Any) -> None:
        return None

    async def start_new(self, name: str, run_id: str, given: Any) -> str:
        raise Exception("storage is busy")


def test_over_http_such_a_start_is_500_and_tells_nothing_of_the_inside() -> None:
    registry = Registry()
    registry.add(line("a"))
    request = func.HttpRequest(
        method="POST", url="http://localhost/api/graphs/line/runs", route_params={"graph": "line"}, body=b"{}"
    )

    response = asyncio.run(serve(ROUTES[0], registry, 1000, request, RefusingClient()))

    assert response.status_code == 500
    assert response.headers["Content-Type"] == "application/problem+json"
    assert json.loads(response.get_body())["type"] == "urn:durable-graph:internal"
    assert b"storage is busy" not in response.get_body()


def test_a_url_that_cannot_be_read_is_422() -> None:
    request = func.HttpRequest(method="GET", url="http://[/api/runs/one", route_params={"id": "one"}, body=b"")

    response = asyncio.run(serve(ROUTES[1], Registry(), 1000, request, RefusingClient()))

    assert response.status_code == 422


# --- children that a custom status names --------------------------------------------------------------------------


def look(host: GraphHost, run_id: str, *children: str) -> Any:
    """Read a run whose custom status names these children."""

    async def looked(api: Api, request: Any) -> Any:
        found = await api.runs.get(run_id)
        assert found is not None
        status = {"children": [{"id": child, "node": "n"} for child in children]}
        records = {run_id: replace(found, custom_status=status)}

        class Claiming:
            async def get(self, wanted: str, *, history: bool = False) -> Any:
                return records.get(wanted) or await api.runs.get(wanted, history=history)

        record = await read_run(replace(api, runs=Claiming()), run_id)  # type: ignore[arg-type]
        assert record is not None
        return type("Answer", (), {"body": [wait["event"] for wait in record.waits]})

    return host.call(looked, {})


def test_a_run_that_names_itself_or_a_stranger_as_its_child_is_read_all_the_same() -> None:
    host = GraphHost(conversation(), parent(), review())
    host.start("conversation", {}, run_id="stranger")
    child = host.start("article", {}, run_id="one").view["children"][0]["id"]

    assert look(host, "one", "one", "nobody", "stranger") == []
    assert look(host, "one", child, child) == ["verdict"]


# --- pages of the engine ------------------------------------------------------------------------------------------


def fetched(answer: web.Response, token: str) -> Any:
    """What a page is read as, from an engine that answers this."""

    async def answering(request: web.Request) -> web.Response:
        return answer

    async def fetch() -> Any:
        server = TestServer(web.Application())
        server.app.router.add_get("/instances/", answering)
        async with server:
            return await _fetch(str(server.make_url("/instances/")), {CONTINUATION: token} if token else {})

    return asyncio.run(fetch())


def test_a_cursor_that_the_engine_refuses_is_422_and_without_one_the_engine_is_to_blame() -> None:
    with pytest.raises(Problem, match="422 invalid: the engine does not know this cursor"):
        fetched(web.Response(status=400), "token")
    with pytest.raises(ClientResponseError):
        fetched(web.Response(status=400), "")
    with pytest.raises(ClientResponseError):
        fetched(web.Response(status=503), "token")


def test_a_number_that_python_refuses_to_read_hides_no_other_run() -> None:
    text = '[{"input": {"plan": %s}}, {"input": 7}]' % ("9" * 5000)

    items, token = fetched(web.Response(text=text, headers={CONTINUATION: "next"}), "")

    assert (items[1], token) == ({"input": 7}, "next")
