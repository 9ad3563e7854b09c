"""GET runs: pages are full, cursors lead on, and a filter that fits nothing by mistake is told."""

import base64
import json
from typing import Any
from urllib.parse import urlencode

import pytest
from shapes import conversation, line

from azure_functions_durable_graph.http import listing
from azure_functions_durable_graph.http.listing import list_runs
from azure_functions_durable_graph.http.values import Request
from azure_functions_durable_graph.testing import GraphHost, Problem


def page(host: GraphHost, **query: Any) -> Any:
    """One page, as the route answers it."""
    given = {key: str(value) for key, value in query.items() if value is not None}

    async def asked(api: Any, request: Request) -> Any:
        return await list_runs(api, Request(request.params, given, b"", request.root))

    return host.call(asked, {})


def pages(host: GraphHost, **query: Any) -> list[list[str]]:
    """The ids of every page, from cursor to cursor."""
    found, cursor = [], None
    while True:
        answer = page(host, cursor=cursor, **query)
        found.append([run["id"] for run in answer["runs"]])
        cursor = answer["cursor"]
        if cursor is None:
            return found


@pytest.fixture(scope="module")
def host() -> GraphHost:
    """Nine runs of which every third belongs to another graph, in another status."""
    host = GraphHost(line("a"), conversation())
    for number in range(9):
        host.start("conversation" if number % 3 == 0 else "line", {}, run_id=f"r{number}")
    return host


ALL = [f"r{number}" for number in range(9)]
RARE = ["r0", "r3", "r6"]


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 8, 9, 10, 200])
def test_every_run_is_listed_once_whatever_the_size_of_a_page(host: GraphHost, limit: int) -> None:
    found = pages(host, limit=limit)

    assert [run_id for ids in found for run_id in ids] == ALL
    assert all(len(ids) == limit for ids in found[:-1])


@pytest.mark.parametrize("query", [{"graph": "conversation"}, {"status": "waiting"}], ids=["graph", "status"])
@pytest.mark.parametrize("size", [1, 2, 5, 200])
@pytest.mark.parametrize("limit", [1, 2, 3])
def test_a_filtered_page_is_filled_over_the_engines_pages(
    host: GraphHost, monkeypatch: pytest.MonkeyPatch, query: Any, size: int, limit: int
) -> None:
    monkeypatch.setattr(listing, "MAX_LIMIT", max(size, limit))

    found = pages(host, limit=limit, **query)

    assert [ids for ids in found if ids] == [RARE[at : at + limit] for at in range(0, 3, limit)]
    assert all(found[:-1])


def test_a_page_looks_at_so_many_instances_and_no_more(host: GraphHost, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "MAX_LIMIT", 2)
    monkeypatch.setattr(listing, "SCAN_LIMIT", 2)

    assert pages(host, limit=2, graph="conversation") == [["r0"], ["r3"], [], ["r6"], []]


def test_a_run_that_ends_between_two_pages_hides_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    host = GraphHost(conversation())
    runs = [host.start("conversation", {}, run_id=f"r{number}") for number in range(4)]
    first = page(host, limit=2, status="waiting")
    runs[1].cancel()

    second = page(host, limit=9, status="waiting", cursor=first["cursor"])

    assert {"r2", "r3"} <= {run["id"] for run in second["runs"]}


@pytest.mark.parametrize("graph", ["convers", "", "\x00", "x" * 9000])
def test_a_graph_that_nobody_knows_is_404(host: GraphHost, graph: str) -> None:
    with pytest.raises(Problem) as caught:
        page(host, graph=graph)

    assert (caught.value.status, caught.value.code) == (404, "graph-not-found")


def test_the_name_that_was_meant_is_told(host: GraphHost) -> None:
    with pytest.raises(Problem, match=r"no graph 'conversatoin', and no run of one; did you mean 'conversation'\?"):
        page(host, graph="conversatoin")


def test_runs_of_a_graph_that_is_not_deployed_any_more_are_found() -> None:
    host = GraphHost(conversation())
    host.start("conversation", {}, run_id="old")
    host.deploy(line("a"))

    assert pages(host, graph="conversation") == [["old"]]


def test_a_deployed_graph_without_runs_has_an_empty_page() -> None:
    assert page(GraphHost(line("a")), graph="line") == {"runs": [], "cursor": None}


def test_an_unknown_status_is_422_with_the_one_that_was_meant(host: GraphHost) -> None:
    with pytest.raises(Problem, match=r"422 invalid: there is no status 'wating'; did you mean 'waiting'\?"):
        page(host, status="wating")


@pytest.mark.parametrize("limit", ["0", "-1", "201", "x", "1.5", "٣", "9" * 5000])
def test_a_limit_out_of_range_is_422(api: Any, limit: str) -> None:
    response = api.get("/runs", params={"limit": limit})

    assert response.status_code == 422
    assert "limit must be a whole number from 1 to 200" in response.json()["detail"]
    assert len(response.text) < 1000


def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).decode()


CURSORS = {
    "not base64": "a\r\nb: c",
    "control characters": "%00%0a",
    "not ASCII": "ä",
    "not JSON": "aGFsbG8=",
    "another shape": encoded({"token": ""}),
    "a token with a line break": encoded(["a\r\nX-Evil: 1", "", 50]),
    "a number": encoded([5, "", 50]),
    "no size": encoded(["", "", 0]),
    "a huge size": encoded(["", "", 10**9]),
    "too long": encoded(["x" * 3500, "", 50]),
    "nested": base64.urlsafe_b64encode(b"[" * 2900).decode(),
}


@pytest.mark.parametrize("cursor", CURSORS.values(), ids=CURSORS)
def test_a_cursor_that_no_page_has_given_is_422(api: Any, cursor: str) -> None:
    query = cursor if cursor.startswith("%") else urlencode({"_": cursor})[2:]

    assert api.get(f"/runs?cursor={query}").status_code == 422


@pytest.mark.parametrize("wait", ["1e999", "-1e999", "nan", "1,5", "9" * 5000, "\x00"])
def test_a_wait_that_is_not_a_number_of_seconds_is_422(api: Any, wait: str) -> None:
    run_id = api.post("/graphs/line/runs").json()["id"]

    assert api.get(f"/runs/{run_id}", params={"wait": wait}).status_code == 422


@pytest.mark.parametrize(
    "odd", ["%00", "%0d%0a", "%ff", "%F0%9F%98%80", "a%20b", "x" * 9000, "..", "%2e%2e", "'", "@a"]
)
@pytest.mark.parametrize("path", ["/runs/{}", "/runs/{}/history", "/graphs/{}", "/graphs/{}/diagram"])
def test_an_odd_name_in_a_path_is_404(api: Any, odd: str, path: str) -> None:
    assert api.get(path.format(odd)).status_code in (400, 404)
