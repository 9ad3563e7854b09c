"""How deep runs nest is counted through branches, parts and items, so that a graph that calls itself ends."""

from __future__ import annotations

import pytest
from branching import checking
from pydantic import BaseModel
from reviewing import papers, piling, reading

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder
from azure_functions_durable_graph.graph.plan import MAX_DEPTH
from azure_functions_durable_graph.testing import GraphHost, GraphRun


class Level(BaseModel):
    """How far down a run is."""

    level: int = 0
    papers: list[dict[str, object]] = []


def endless(calls: list[int]) -> GraphRegistration:
    """A graph of which a branch runs the graph itself; it gives up by force where nothing else stops it."""

    def down(state: Level) -> dict[str, int]:
        calls.append(state.level)
        assert len(calls) < 100, "nothing ends it"
        return {"level": state.level + 1}

    builder = ManifestBuilder("endless", Level).set_entrypoint("down")
    builder.add_node("down", down, next_node="both")
    builder.add_parallel("both", branches=["again", "rest"])
    builder.add_subgraph("again", graph="endless", input={"level": "level"})
    return builder.add_node("rest", lambda state: None).build()


def test_a_graph_that_calls_itself_through_a_branch_ends_with_one_plain_error() -> None:
    calls: list[int] = []
    run = GraphHost(endless(calls)).start("endless", {})

    assert run.error is not None
    assert run.error["type"] == "RecursionLimitExceeded"
    assert run.error["message"].endswith("subgraphs are nested 32 levels deep: does 'endless' call itself endlessly?")
    assert len(calls) == MAX_DEPTH // 2 + 1, "a branch is a run, and what it runs is one below it"


def test_a_branch_is_one_level_below_its_run() -> None:
    host = GraphHost(checking())
    run = host.start("contract", {})

    assert depth(run) == 0
    assert depth(run.branches["legal"]) == 1


@pytest.mark.parametrize(("items", "at_once"), [(1, 1), (50, 2), (50, 100)])
def test_an_item_is_one_level_below_its_map_in_whatever_part_it_is(items: int, at_once: int) -> None:
    builder = ManifestBuilder("outer", Level).set_entrypoint("below")
    builder.add_subgraph("below", graph="pile", input={"papers": "papers"})
    host = GraphHost(builder.build(), piling(max_concurrency=at_once), reading())
    host.start("outer", papers(*["a"] * items))
    found = [host.peek(run_id) for run_id in host.run_ids()]

    depths = [record.run.get("depth") for record in found if record is not None and "item" in record.run]
    assert depths == [2] * items


def depth(run: GraphRun) -> int:
    record = run.host.peek(run.id)
    assert record is not None
    return record.run.get("depth", 0)
