"""GET runs by tags, times and status; what a row shows; and what GET graphs/{graph} says of versions."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from contract import problem
from shapes import Counter, conversation, line

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.azure.durable_runs import DurableRuns
from azure_functions_durable_graph.http.listing import get_graph, list_runs
from azure_functions_durable_graph.http.runs import get_run
from azure_functions_durable_graph.testing import GraphHost

HOUR = timedelta(hours=1)


def listed(host: GraphHost, **query: str) -> list[Any]:
    query = {key.replace("__", "."): value for key, value in query.items()}
    rows: list[Any] = host.call(list_runs, {}, query=query)["runs"]
    return rows


def ids(host: GraphHost, **query: str) -> list[str]:
    return [row["id"] for row in listed(host, **query)]


def broken() -> Any:
    def explode(state: Any) -> None:
        raise ValueError("no fuse\nleft")

    return ManifestBuilder("broken", Counter).set_entrypoint("a").add_node("a", explode, terminal=True).build()


@pytest.fixture(scope="module")
def host() -> GraphHost:
    """A run an hour, each with tags."""
    host = GraphHost(line("a"), conversation(), broken())
    for number, graph in enumerate(["conversation", "line", "broken", "conversation"]):
        host.start(graph, {}, run_id=f"r{number}", tags={"team": "ab"[number % 2], "n": str(number)})
        host.advance(HOUR)
    host.start("line", {}, run_id="untagged")
    return host


def test_runs_are_found_by_their_tags(host: GraphHost) -> None:
    assert ids(host, tag__team="a") == ["r0", "r2"]
    assert ids(host, tag__team="b", tag__n="3") == ["r3"]
    assert ids(host, tag__team="c") == []
    assert ids(host, tag__team="a", status="failed") == ["r2"]


def test_runs_are_found_by_when_they_were_started(host: GraphHost) -> None:
    assert ids(host, since="2030-01-01T01:00:00Z") == ["r1", "r2", "r3", "untagged"]
    assert ids(host, until="2030-01-01T01:00:00Z") == ["r0"]
    assert ids(host, since="2030-01-01T01:00:00+00:00", until="2030-01-01T03:00:00") == ["r1", "r2"]


def family() -> list[GraphRegistration]:
    """A graph whose subgraph asks, one whose branch asks, and one that has the first as its subgraph."""
    asking = conversation()
    builder = ManifestBuilder("parent", Counter).set_entrypoint("a")
    builder.add_subgraph("a", graph="conversation", input={}, output={}, next_node="b")
    parent = builder.add_node("b", lambda state: None, terminal=True).build()
    builder = ManifestBuilder("grandparent", Counter).set_entrypoint("a")
    builder.add_subgraph("a", graph="parent", input={}, output={}, next_node="b")
    grandparent = builder.add_node("b", lambda state: None, terminal=True).build()
    builder = ManifestBuilder("branches", Counter).set_entrypoint("both")
    builder.add_parallel("both", branches=["ask", "other"], next_node="end")
    decision = RouteDecision.wait_for_event(event_name="go", resume_node="went")
    builder.add_node("ask", lambda state: None, route=lambda state: decision, targets=["went"])
    builder.add_node("went", lambda state: None, next_node="end").add_node("other", lambda state: None)
    builder.add_node("end", lambda state: None, terminal=True)
    branches = builder.add_event_handler("go", lambda state, payload: None).build()
    return [asking, parent, grandparent, branches]


@pytest.fixture
def looked_up(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The ids of the runs that the engine is asked for one by one."""
    ids: list[str] = []
    get = DurableRuns.get

    async def counting(self: DurableRuns, run_id: str, *, history: bool = False) -> Any:
        ids.append(run_id)
        return await get(self, run_id, history=history)

    monkeypatch.setattr(DurableRuns, "get", counting)
    return ids


@pytest.mark.parametrize("limit", ["200", "1"])
def test_a_run_waits_where_a_run_below_it_or_a_branch_of_it_asks(limit: str, looked_up: list[str]) -> None:
    host = GraphHost(*family())
    for graph in ("parent", "grandparent", "branches"):
        host.start(graph, {}, run_id=f"the-{graph}")

    shown = [run for run in all_pages(host, limit=limit, status="waiting") if run.startswith("the-")]

    assert sorted(shown) == ["the-branches", "the-grandparent", "the-parent"]
    assert looked_up == [], "all of them stand in one page of the engine"
    assert all_pages(host, limit=limit, status="running") == []
    assert sorted(run for run in all_pages(host, limit=limit) if run.startswith("the-")) == sorted(shown)
    for run in shown:
        assert host.call(get_run, {"id": run})["status"] == "waiting"


def test_a_run_below_that_stands_in_another_page_of_the_engine_is_looked_up(looked_up: list[str]) -> None:
    host = GraphHost(*family())
    host.start("parent", {}, run_id="the-parent")

    assert [row["status"] for row in host.call(list_runs, {}, query={"limit": "1"})["runs"]] == ["waiting"]
    assert len(looked_up) == 1


def all_pages(host: GraphHost, **query: str) -> list[str]:
    found, cursor = [], ""
    while cursor is not None:
        page = host.call(list_runs, {}, query={**query, **({"cursor": cursor} if cursor else {})})
        found += [row["id"] for row in page["runs"]]
        cursor = page["cursor"]
    return found


def test_a_run_that_has_continued_as_new_keeps_its_start_and_its_tags() -> None:
    host = GraphHost(conversation())
    run = host.start("conversation", {}, run_id="one", tags={"team": "a"})
    for number in range(20):
        host.advance(HOUR)
        run.send("answer", {"text": str(number)})

    assert ids(host, until="2030-01-01T00:30:00Z", tag__team="a") == ["one"]
    assert ids(host, since="2030-01-01T00:30:00Z") == []
    assert listed(host)[0]["started_at"].startswith("2030-01-01T00:00:00")


def test_a_row_shows_when_the_run_began_and_the_first_line_of_its_error(host: GraphHost) -> None:
    row = listed(host)[2]

    assert row["started_at"].startswith("2030-01-01T02:00:00")
    assert row["error"] == "ValueError: no fuse"
    assert row["tags"] == {"team": "a", "n": "2"}
    assert listed(host)[0]["error"] is None


def test_a_list_asks_the_engine_for_no_inputs_and_shows_runs_without_a_status_all_the_same() -> None:
    host = GraphHost(conversation())
    host.start("conversation", {"said": ["x" * 100]}, run_id="one")
    instance = host._host.store.load("one")
    assert instance is not None
    instance.custom_status = None
    host._host.store.save(instance)
    asked = []
    page = host._page

    async def paging(url: str, headers: dict[str, str]) -> Any:
        asked.append(url)
        return await page(url, headers)

    host._page = paging  # type: ignore[method-assign]
    assert ids(host, graph="conversation") == ["one"]
    assert all("showInput=false" in url for url in asked)


@pytest.mark.parametrize("key", ["since", "until"])
@pytest.mark.parametrize("text", ["yesterday", "2030-13-01T00:00:00Z", "7"])
def test_a_time_that_is_none_is_422(api: Any, key: str, text: str) -> None:
    assert "must be a time such as" in problem(api.get("/runs", params={key: text}), 422, "invalid")["detail"]


BAD_TAGS: dict[str, Any] = {
    "long key": {"k" * 31: "v"},
    "digit": {"1": "v"},
    "blank": {"a b": "v"},
    "empty": {"k": ""},
    "long": {"k": "v" * 61},
    "line break": {"k": "a\nb"},
    "number": {"k": 1},
    "list": [],
    "many": dict.fromkeys("abcdefghijk", "v"),
}


@pytest.mark.parametrize("tags", BAD_TAGS.values(), ids=BAD_TAGS)
def test_tags_that_are_no_short_texts_are_422(api: Any, tags: Any) -> None:
    response = api.post("/graphs/line/runs", json={"tags": tags})

    assert "body.tags" in problem(response, 422, "invalid")["detail"]


# --- versions of a graph ------------------------------------------------------------------------------------------


def asks(version: str) -> GraphRegistration:
    builder = ManifestBuilder("asks", Counter, version=version).set_entrypoint("a")
    decision = RouteDecision.wait_for_event(event_name="go", resume_node="b")
    builder.add_node("a", lambda state: None, route=lambda state: decision, targets=["b"])
    builder.add_node("b", lambda state: None, terminal=True)
    return builder.add_event_handler("go", lambda state, payload: None).build()


def test_a_version_that_the_lock_serves_is_deployed_and_says_by_which() -> None:
    served, parked, new = asks("1"), asks("2"), asks("3")
    host = GraphHost(served)
    host.start("asks", {})
    host.deploy(parked)
    host.start("asks", {})
    host.start("asks", {})
    host.deploy(new)
    host._runtime.registry.take_over("asks", served.graph_hash, new.graph_hash)

    answer = host.call(get_graph, {"graph": "asks"})

    assert answer["live_runs_complete"] is True
    assert {one["version"]: (one["live_runs"], one["deployed"], one["served_by"]) for one in answer["versions"]} == {
        "1": (1, True, new.graph_hash),
        "2": (2, False, None),
        "3": (0, True, new.graph_hash),
    }
    assert [one["default"] for one in answer["versions"]] == [True, False, False]


@pytest.mark.parametrize("since", ["0001-01-01T00:00:00Z", "0332-04-27T08:34:14+06:29", "1999-12-31T23:59:59Z"])
def test_a_time_before_all_runs_leaves_nothing_out(api: Any, since: str) -> None:
    assert api.get("/runs", params={"since": since}).status_code == 200
    assert api.get("/runs", params={"until": since}).json() == {"runs": [], "cursor": None}


@pytest.mark.parametrize(
    ("key", "meant"), [("statsu", "status"), ("sinc", "since"), ("Status", "status"), ("tag", "tag.KEY")]
)
def test_a_misspelt_filter_is_refused_instead_of_listing_everything(api: Any, key: str, meant: str) -> None:
    answer = problem(api.get("/runs", params={key: "waiting"}), 422, "invalid")

    assert answer["detail"] == f"runs cannot be filtered by {key!r}; did you mean {meant!r}?"


@pytest.mark.parametrize("key", ["code", "clientId", "_", "subscription-key", "utm_source"])
def test_what_keys_and_proxies_add_to_a_url_is_ignored(api: Any, key: str) -> None:
    assert api.get("/runs", params={key: "x"}).status_code == 200
