"""The places of a map: as many items as `max_concurrency` allows are at work, and one that never ends keeps its own."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reviewing import papers, piling, reading
from watching import record

from azure_functions_durable_graph.graph.nodes import GROUP
from azure_functions_durable_graph.run.shares import CHUNK, MOST_CHUNKS, MOST_PARTS, WINDOW, deal
from azure_functions_durable_graph.testing import GraphHost, GraphRun


def start(*titles: str, **settings: Any) -> GraphRun:
    host = GraphHost(piling(**settings), reading())
    record(host)  # each episode runs twice, and gives the same
    return host.start("pile", papers(*titles))


def done(run: GraphRun) -> int:
    return sum(item.status == "completed" for item in run.items.values())


@pytest.mark.parametrize(
    ("items", "at_once", "held_up"), [(WINDOW, 3, 0), (130, 4, CHUNK - 1), (300, 4, CHUNK - 1), (130, 100, 0)]
)
def test_an_item_that_never_answers_holds_up_at_most_the_few_of_its_chunk(
    items: int, at_once: int, held_up: int
) -> None:
    run = start("ask", *["a"] * (items - 1), max_concurrency=at_once)

    assert items - 1 - held_up <= done(run) < items
    run.send("opinion", {"text": "at last"})
    assert (run.status, run.state.verdicts[0], len(run.state.verdicts)) == ("completed", "at last", items)


def test_items_that_never_answer_leave_all_other_places_to_those_that_do() -> None:
    run = start(*["ask"] * 3, *["a"] * 37, max_concurrency=4)

    assert (done(run), len(run.view["waits"])) == (37, 3)


@pytest.mark.parametrize(("items", "at_once"), [(30, 100), (40, 7), (60, 20), (60, 7), (130, 30), (250, 100)])
def test_all_places_are_taken_while_items_remain(items: int, at_once: int) -> None:
    run = start(*["ask"] * items, max_concurrency=at_once)

    assert len(run.view["waits"]) == min(items, at_once)


kinds = st.sampled_from([{}, {"graph": "g"}, {"stop_when": 1}, {"deadline": 1.0}])


@given(st.integers(0, 30_000), st.integers(1, 1000), kinds)
def test_items_are_dealt_out_in_order_without_a_gap_and_the_limit_holds(items: int, limit: int, kind: Any) -> None:
    plan: Any = {"group": GROUP, **kind}
    dealt = deal(items, limit, plan)

    assert [one.first for one in dealt] == [sum(one.size for one in dealt[:place]) for place in range(len(dealt))]
    assert sum(one.size for one in dealt) == (items if dealt else 0)
    assert all(one.size >= 1 for one in dealt)
    assert len(dealt) <= MOST_CHUNKS
    at_once = sorted((one.limit for one in dealt), reverse=True)[: min(limit, len(dealt))]
    assert sum(at_once) <= limit
    assert not dealt or sum(at_once) >= min(items, limit) or limit > MOST_PARTS


@pytest.mark.parametrize("kind", [{}, {"graph": "g"}, {"deadline": 1.0}], ids=str)
def test_the_status_of_a_run_has_to_name_twenty_parts_at_most(kind: Any) -> None:
    plan: Any = {"group": GROUP, **kind}

    assert len(deal(10_000, 1000, plan)) == 20


@given(st.integers(2, 30_000), st.integers(1, 1000), kinds)
def test_at_the_bottom_all_places_can_be_taken_and_no_run_has_many_items(items: int, limit: int, kind: Any) -> None:
    plan: Any = {"group": GROUP, **kind}

    def places(items: int, limit: int) -> int:
        dealt = deal(items, limit, plan)
        if not dealt:
            assert items <= max(limit, WINDOW)
            return min(items, limit)
        return sum(sorted((places(one.size, one.limit) for one in dealt), reverse=True)[: min(limit, len(dealt))])

    assert places(items, limit) == min(items, limit)
