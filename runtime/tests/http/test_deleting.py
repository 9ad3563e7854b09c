"""A run is deleted with everything that it has started: branches, parts of maps, runs of items, subgraphs."""

from __future__ import annotations

from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from pydantic import BaseModel
from reviewing import papers, piling, reading
from reviews import YES, parent, review, undeploy

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder
from azure_functions_durable_graph.azure.durable_runs import DurableRuns
from azure_functions_durable_graph.graph.names import child_prefix
from azure_functions_durable_graph.http import deleting
from azure_functions_durable_graph.testing import GraphHost, GraphRun, Problem


class Asked(BaseModel):
    """The state of a run whose branches ask."""

    texts: list[str] = ["a", "b"]
    approved: list[bool] = []


def asking() -> GraphRegistration:
    """Two branches, one of which begins with a subgraph, the other with a map of graphs."""
    builder = ManifestBuilder("asked", Asked).set_entrypoint("both")
    builder.add_parallel("both", branches=["article", "each"], next_node="end")
    builder.add_subgraph("article", graph="article")
    settings: Any = {"input": {"draft": "__item__"}, "output": {"approved": "approved"}}
    builder.add_map("each", graph="review", over="texts", max_concurrency=1, **settings)
    return builder.add_node("end", lambda state: None, terminal=True).build()


def family() -> tuple[GraphHost, GraphRun]:
    """A finished run with branches, a subgraph below one of them, and a run for each item below the other."""
    host = GraphHost(asking(), parent(), review())
    run = host.start("asked", {})
    while run.status == "waiting":
        run.send("verdict", YES, wait_id=run.view["waits"][0]["id"])
    assert run.status == "completed"
    return host, run


def terminated_by_hand(host: GraphHost, run: GraphRun) -> None:
    host._management.handle("POST", f"instances/{run.id}/terminate", {"reason": "no"}, b"", "")
    host.advance(timedelta(0))


def refused(run: GraphRun) -> Problem:
    with pytest.raises(Problem) as caught:
        run.delete()
    return caught.value


@pytest.mark.parametrize("number", [3, 30, 130])
def test_nothing_of_a_map_is_left_and_nothing_of_another_run_is_touched(number: int) -> None:
    host = GraphHost(piling(max_concurrency=30), reading())
    host.start("pile", papers("a", "b"))
    kept = set(host.run_ids())
    run = host.start("pile", papers(*["a"] * number))
    assert len(host.run_ids()) > len(kept) + number

    run.delete()

    assert set(host.run_ids()) == kept


def test_branches_and_the_runs_below_them_are_deleted_too() -> None:
    host, run = family()
    assert len(host.run_ids()) == 1 + 2 + 2 + 2, "branches; an article and its review; a review an item"

    run.delete()

    assert host.run_ids() == []


def test_a_run_of_a_graph_that_is_deployed_no_more_is_deleted_with_its_own() -> None:
    host = GraphHost(piling(), reading())
    run = host.start("pile", papers(*["a"] * 50))
    undeploy(host, "pile")
    undeploy(host, "reading")

    run.delete()

    assert host.run_ids() == []


def test_a_branch_is_deleted_with_the_run_whose_branch_it_is() -> None:
    host, run = family()
    branch = run.branches["article"]

    problem = refused(branch)

    assert (problem.code, problem.status) == ("run-part", 409)
    assert problem.detail == f"the run {branch.id!r} is a part of run {run.id!r}: delete that one"
    article = GraphRun(host, str(branch.steps[0]["child"]))
    article.delete()
    assert len(host.run_ids()) == 5, "a subgraph is a run, and goes by itself with what is below it"
    run.delete()
    assert host.run_ids() == []


def test_a_branch_of_a_branch_names_the_run_that_people_see() -> None:
    builder = ManifestBuilder("nested", Asked).set_entrypoint("outer")
    builder.add_parallel("outer", branches=["inner", "other"], next_node="end").add_node("other", lambda state: None)
    builder.add_parallel("inner", branches=["first", "second"]).add_node("second", lambda state: None)
    builder.add_node("first", lambda state: None, next_node="last").add_node("last", lambda state: None)
    host = GraphHost(builder.add_node("end", lambda state: None, terminal=True).build())
    run = host.start("nested", {})

    branch = run.branches["inner"].branches["first"]

    assert refused(branch).detail == f"the run {branch.id!r} is a part of run {run.id!r}: delete that one"


def test_while_a_run_below_it_goes_on_nothing_is_deleted() -> None:
    host = GraphHost(piling(), reading())
    run = host.start("pile", papers("ask", "b"))
    terminated_by_hand(host, run)  # in the hub: its items go on
    before = host.run_ids()

    problem = refused(run)

    assert (problem.code, problem.status) == ("run-live", 409)
    assert problem.detail == (f"the run {run.items[0].id!r}, which {run.id!r} has started, is waiting; cancel it first")
    assert host.run_ids() == before
    run.items[0].cancel()
    run.delete()
    assert host.run_ids() == []


def articles(nodes: int = 0) -> GraphRegistration:
    """The graph `asked` with a map of articles, each of which runs a review, and so many nodes after it."""
    names = [f"n{number}" for number in range(nodes)] + ["end"]
    builder = ManifestBuilder("asked", Asked).set_entrypoint("each")
    settings: Any = {"input": {"text": "__item__"}, "output": {"approved": "approved"}, "max_concurrency": 5}
    builder.add_map("each", graph="article", over="texts", next_node=names[0], **settings)
    for name, following in pairwise(names):
        builder.add_node(name, lambda state: None, next_node=following)
    return builder.add_node("end", lambda state: None, terminal=True).build()


def finished(host: GraphHost, **given: Any) -> GraphRun:
    """A run of `asked` whose waits have all been answered."""
    run = host.start("asked", given)
    while run.status == "waiting":
        run.send("verdict", YES, wait_id=run.view["waits"][0]["id"])
    assert run.status == "completed"
    return run


@pytest.mark.parametrize("most", [1, 2, 3, 4, 7, 11])
def test_what_a_request_could_not_finish_the_next_one_does(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    host = GraphHost(articles(), parent(), review())
    run = finished(host, texts=list("abcdef"))
    monkeypatch.setattr(deleting, "MOST_DELETED", most)
    left = len(host.run_ids())
    assert left == 1 + 6 + 6, "articles with their reviews"

    while left > most + 1:
        problem = refused(run)
        assert (problem.code, problem.status) == ("deletion-unfinished", 503)
        assert run.status == "completed", "the run itself goes last"
        left -= most
        assert len(host.run_ids()) == left
    run.delete()

    assert host.run_ids() == []


@pytest.mark.parametrize("nodes", [0, 200], ids=["small plan", "packed plan"])
def test_what_a_run_has_started_is_found_when_its_graph_starts_nothing_any_more(nodes: int) -> None:
    host = GraphHost(articles(nodes), parent(), review())
    run = finished(host, texts=["a", "b"])
    undeploy(host, "asked")
    host._runtime.registry.add(line())

    run.delete()

    assert host.run_ids() == []


def line() -> GraphRegistration:
    """A later version of `asked`."""
    builder = ManifestBuilder("asked", Asked, version="2").set_entrypoint("end")
    return builder.add_node("end", lambda state: None, terminal=True).build()


@pytest.mark.parametrize("depth", [1, 2])
def test_no_run_is_gone_while_one_below_it_is_left(monkeypatch: pytest.MonkeyPatch, depth: int) -> None:
    host = GraphHost(articles(), parent(), review())
    run = finished(host, texts=list("abc"))
    purge, kind = DurableRuns.purge, {1: "article.", 2: "review."}[depth]

    async def failing(runs: Any, run_id: str) -> bool:
        if run_id.startswith(kind):
            raise ConnectionError("the storage is away")
        return await purge(runs, run_id)

    monkeypatch.setattr(DurableRuns, "purge", failing)
    with pytest.raises(ConnectionError):
        run.delete()
    monkeypatch.undo()

    run.delete()

    assert host.run_ids() == []


def test_many_ids_that_look_like_those_of_children_hide_none(monkeypatch: pytest.MonkeyPatch) -> None:
    host, run = family()
    monkeypatch.setattr(deleting, "PAGE", 2)
    monkeypatch.setattr(deleting, "MOST_DELETED", 6)
    for number in range(20):
        host.start("review", {"draft": "x"}, run_id=f"{child_prefix('asked', run.id)}{number:016x}").cancel()

    run.delete()

    assert len(host.run_ids()) == 20


def test_a_deletion_that_fails_halfway_is_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    host, run = family()
    purge, left = DurableRuns.purge, [3]

    async def failing(runs: Any, run_id: str) -> bool:
        left[0] -= 1
        if left[0] < 0:
            raise ConnectionError("the storage is away")
        return await purge(runs, run_id)

    monkeypatch.setattr(DurableRuns, "purge", failing)
    with pytest.raises(ConnectionError):
        run.delete()
    assert (run.status, len(host.run_ids())) == ("completed", 4)
    monkeypatch.undo()

    run.delete()

    assert host.run_ids() == []


def test_an_id_that_looks_like_that_of_a_child_is_no_child() -> None:
    host, run = family()
    host.start("review", {"draft": "x"}, run_id=f"{child_prefix('review', run.id)}0123456789abcdef").cancel()

    run.delete()

    assert len(host.run_ids()) == 1
