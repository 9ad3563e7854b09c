"""A run whose version is not deployed parks: it looks again after 15 seconds, then twice as late, and loses nothing."""

from __future__ import annotations

import itertools
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from deploying import deploy_after
from fan_out_graphs import checks, docs, scoring
from missing import answer_missing
from reviews import YES, parent, review, waiting_parent
from shapes import conversation, line
from watching import Recording, record

from azure_functions_durable_graph.testing import GraphHost, GraphRun


def timers(seen: Recording) -> list[datetime]:
    """When each timer that the run has asked for fires, in order."""
    found: dict[str, None] = {}
    for _, _, outcome in seen.episodes:
        found |= {leaf.data["fireAt"]: None for action in outcome.actions for leaf in action.leaves() if leaf.kind == 5}
    return [datetime.fromisoformat(text.replace("Z", "+00:00")) for text in found]


def pauses(seen: Recording, begin: datetime) -> list[float]:
    """The seconds from a moment to the first timer after it, and from each to the next."""
    moments = itertools.pairwise([begin, *(moment for moment in timers(seen) if moment > begin)])
    return [(later - earlier).total_seconds() for earlier, later in moments]


def parked() -> tuple[GraphHost, GraphRun, Recording]:
    """A run that has been answered while its graph was not deployed."""
    host = GraphHost(conversation())
    run = host.start("conversation", {})
    host.deploy(line("a"))
    seen = record(host)
    run.send("answer", {"text": "more"})
    assert run.status == "parked"
    return host, run, seen


def test_it_looks_again_after_15_seconds_and_then_twice_as_late_up_to_ten_minutes() -> None:
    host, run, seen = parked()
    began = host.clock.now()

    run.advance(timedelta(hours=1))

    assert pauses(seen, began)[:9] == [15, 30, 60, 120, 240, 480, 600, 600, 600]
    assert run.status == "parked"


def test_each_look_is_one_call_that_says_what_it_needs() -> None:
    _, run, seen = parked()

    run.advance(timedelta(seconds=15 + 30 + 60))

    assert len(seen.activities) == 4
    assert {(call["node"], call["hash"]) for call in seen.activities} == {("listen", conversation().graph_hash)}


def test_after_it_has_come_back_it_begins_with_15_seconds_again() -> None:
    host, run, seen = parked()
    run.advance(timedelta(seconds=60))
    host.deploy(conversation())
    run.advance(timedelta(minutes=5))
    assert run.status == "waiting"

    host.deploy(line("a"))
    seen = record(host)
    began = host.clock.now()
    run.send("answer", {"text": "stop"}).advance(timedelta(minutes=1))

    assert pauses(seen, began) == [15, 30, 60]


def test_what_is_not_deployed_is_named() -> None:
    _, run, _ = parked()

    assert run.view["parked"] == f"no deployed graph 'conversation' has the hash {conversation().graph_hash}"


# --- in the middle of a fan-out -----------------------------------------------------------------------------------


@pytest.mark.parametrize("missing", [["a"], ["b"], ["a", "b", "c"]])
def test_a_parallel_parks_and_asks_again_only_for_the_branches_that_are_missing(missing: list[str]) -> None:
    graph = checks({name: lambda state, name=name: {"notes": [name]} for name in ("a", "b", "c")})
    host = GraphHost(graph)
    asked = answer_missing(host, lambda call: call["node"] in missing, times=len(missing))
    run = host.start("g", {})
    assert (run.status, len(asked)) == ("parked", 3)

    run.advance(timedelta(seconds=15))

    assert (run.status, run.state.notes) == ("completed", ["a", "b", "c"])
    assert [call["node"] for call in asked] == ["a", "b", "c", *missing, "end"]


def test_a_map_parks_and_asks_again_only_for_the_items_that_are_missing() -> None:
    host = GraphHost(scoring(lambda state, item: item.size, max_concurrency=2))
    asked = answer_missing(host, lambda call: call.get("item") == 1, times=2)
    run = host.start("g", docs(4))
    assert (run.status, sorted(call["item"] for call in asked)) == ("parked", [0, 1, 2, 3]), "two parts of two"

    run.advance(timedelta(seconds=14))
    assert len(asked) == 4
    run.advance(timedelta(seconds=1))
    assert (run.status, [call["item"] for call in asked[4:]]) == ("parked", [1])
    run.advance(timedelta(seconds=30))

    assert (run.status, run.state.sizes) == ("completed", [0, 1, 2, 3])


@pytest.mark.parametrize(("missing", "expected"), [([0, 0], [15, 30]), ([0, 1], [15, 15])], ids=["same", "next"])
def test_a_fan_out_that_has_come_back_begins_with_15_seconds_again(missing: list[int], expected: list[int]) -> None:
    host = GraphHost(scoring(lambda state, item: item.size, max_concurrency=1))
    seen = record(host)
    left = list(missing)

    def is_next(call: dict[str, Any]) -> bool:
        return bool(left) and call.get("item") == left[0] and left.pop(0) is not None

    answer_missing(host, is_next, times=2)
    began = host.clock.now()

    run = host.start("g", docs(2)).advance(timedelta(minutes=5))

    assert (run.status, pauses(seen, began)) == ("completed", expected)


# --- a subgraph ---------------------------------------------------------------------------------------------------


def test_a_subgraph_adopts_the_plan_of_a_successor(tmp_path: Path) -> None:
    old, new = waiting_parent(), waiting_parent(metadata={"team": "blue"})
    host = GraphHost(old, review())
    run = host.start("article", {})
    deploy_after(host, tmp_path, old, new, review())

    run.send("go")
    assert (run.waits, run.view["graph_hash"]) == (["verdict"], new.graph_hash)

    assert run.send("verdict", YES).status == "completed"


def test_a_child_is_pinned_to_the_version_that_is_deployed_when_it_starts() -> None:
    host = GraphHost(waiting_parent(), review())
    run = host.start("article", {})
    host.deploy(waiting_parent(), review(metadata={"team": "blue"}))

    run.send("go")

    (child,) = run.view["children"]
    assert GraphRun(host, child["id"]).view["graph_hash"] == review(metadata={"team": "blue"}).graph_hash


def test_a_run_stands_as_its_subgraph_that_is_parked() -> None:
    host = GraphHost(parent(), review())
    run = host.start("article", {})
    host.deploy(parent(), review(metadata={"version": "other"}))

    assert run.send("verdict", YES).status == "parked"
