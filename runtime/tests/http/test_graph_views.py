"""GET graphs/{graph} and the answer to a start, key by key; and a count of live runs that has a bound."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from contract import start
from shapes import conversation, line

from azure_functions_durable_graph.http.listing import COUNT_LIMIT, COUNT_PAGE, get_graph
from azure_functions_durable_graph.testing import GraphHost


def test_a_graph_is_shown_with_its_versions_and_their_live_runs() -> None:
    old, new = conversation(), line("a", graph_name="conversation", version="2")
    host = GraphHost(old)
    host.start("conversation", {})
    host.deploy(old, new)
    host.start("conversation", {})

    assert host.call(get_graph, {"graph": "conversation"}) == {
        "graph": "conversation",
        "version": "2",
        "graph_hash": new.graph_hash,
        "versions": [
            {
                "version": "1",
                "graph_hash": old.graph_hash,
                "live_runs": 1,
                "deployed": True,
                "served_by": old.graph_hash,
                "default": False,
            },
            {
                "version": "2",
                "graph_hash": new.graph_hash,
                "live_runs": 0,
                "deployed": True,
                "served_by": new.graph_hash,
                "default": True,
            },
        ],
        "live_runs_complete": True,
        "manifest": new.manifest.to_dict(),
    }


def test_graphs_are_listed_with_what_they_consist_of(api: Any) -> None:
    graph = conversation()

    assert api.get("/graphs").json()["graphs"][2] == {
        "graph": "conversation",
        "version": "1",
        "graph_hash": graph.graph_hash,
        "nodes": ["listen"],
        "events": ["answer"],
    }


def test_a_start_tells_what_was_started_and_where_to_look(api: Any) -> None:
    body = api.post("/graphs/line/runs", json={"instance_id": "told"}).json()

    assert body == {
        "id": "told",
        "graph": "line",
        "version": "1",
        "graph_hash": line("a", "b", "c").graph_hash,
        "status": "pending",
        "status_url": f"{api.base_url}runs/told",
    }


class Endless:
    """An engine with a page after every page."""

    def __init__(self, runs: Any, pages: int) -> None:
        self._runs, self._pages, self.asked = runs, pages, 0

    async def page(self, statuses: Any, cursor: str, limit: int) -> tuple[list[Any], str]:
        self.asked += 1
        records, _ = await self._runs.page(statuses, "", limit)
        return records, "" if self.asked == self._pages else "more"


@pytest.mark.parametrize("more", [0, 1], ids=["at the limit", "beyond"])
def test_live_runs_are_counted_up_to_a_limit_and_the_answer_says_so(more: int) -> None:
    host = GraphHost(conversation())
    host.start("conversation", {})
    pages = COUNT_LIMIT // COUNT_PAGE
    api = host._api()
    engine: Any = Endless(api.runs, pages + more)
    host._api = lambda: replace(api, runs=engine)  # type: ignore[method-assign]

    view = host.call(get_graph, {"graph": "conversation"})

    assert (COUNT_LIMIT, engine.asked) == (5000, pages)
    assert (view["versions"][0]["live_runs"], view["live_runs_complete"]) == (pages, more == 0)


def test_a_cancelled_run_shows_the_reason_that_was_given_or_a_plain_one(api: Any) -> None:
    for body, reason in ((b"", "cancelled over HTTP"), (b'{"reason": "enough"}', "enough")):
        run_id = start(api)
        answer = api.post(f"/runs/{run_id}/cancel", content=body)

        assert answer.json() == {"id": run_id, "reason": reason}
        assert api.get(f"/runs/{run_id}", params={"wait": 10}).json()["reason"] == reason
