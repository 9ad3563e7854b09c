"""What becomes of a parallel or a map of which a part fails: how many have to succeed, and what is kept of them."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import BaseModel
from reviewing import papers, reading
from trips import Trip, refund

from azure_functions_durable_graph import (
    GraphBuildError,
    GraphRegistration,
    ItemResult,
    ManifestBuilder,
)
from azure_functions_durable_graph.testing import GraphHost, GraphRun, run_graph


def hotel(state: Trip) -> dict[str, Any]:
    return {"hotel": "H-1", "notes": ["hotel"]}


def no_flight(state: Trip) -> None:
    raise ValueError("sold out")


def booking(*, steps: bool = False, **settings: Any) -> GraphRegistration:
    builder = ManifestBuilder("trip", Trip).set_entrypoint("book")
    builder.add_parallel("book", branches=["hotel", "flight"], next_node="end", **settings)
    builder.add_node("hotel", hotel, next_node="more" if steps else None).add_node("flight", no_flight)
    if steps:
        builder.add_node("more", lambda state: {"notes": ["more"]})
    if "refund" in str(settings):
        builder.add_node("refund", refund, terminal=True)
    return builder.add_node("end", lambda state: {"seen": "end"}, terminal=True).build()


@pytest.mark.parametrize("steps", [False, True], ids=["task", "with steps"])
def test_the_node_after_an_error_sees_what_the_other_branches_have_changed(steps: bool) -> None:
    run = run_graph(booking(steps=steps, on_error="refund"), {})

    assert (run.state.hotel, run.state.cancelled) == ("H-1", ["H-1"]), "the hotel is refunded"
    assert run.state.notes == (["hotel", "more"] if steps else ["hotel"])


def test_a_parallel_whose_branches_fail_without_an_error_edge_keeps_its_state() -> None:
    run = run_graph(booking(), {})

    assert (run.status, run.state.hotel) == ("failed", "")


@pytest.mark.parametrize("least", [1, 2])
def test_a_parallel_succeeds_if_enough_branches_do(least: int) -> None:
    run = run_graph(booking(min_successful=least), {})

    assert run.status == ("completed" if least == 1 else "failed")
    assert run.state.hotel == ("H-1" if least == 1 else "")


def halve(state: Trip, item: int) -> int:
    if item % 2:
        raise ArithmeticError(f"{item} is odd")
    return item // 2


def halving(into: str = "halves", **settings: Any) -> GraphRegistration:
    builder = ManifestBuilder("trip", Trip).set_entrypoint("m")
    builder.add_map("m", halve, over="numbers", into=into, next_node="end", **settings)
    if "refund" in str(settings):
        builder.add_node("refund", refund, terminal=True)
    return builder.add_node("end", lambda state: {"seen": "end"}, terminal=True).build()


NUMBERS = {"numbers": [2, 3, 4, 5, 6]}


@pytest.mark.parametrize("at_once", [20, 2], ids=["in the run", "in parts"])
def test_a_map_that_fails_shows_the_results_that_it_has_to_the_node_after_the_error(at_once: int) -> None:
    run = run_graph(halving(on_error="refund", max_concurrency=at_once), NUMBERS)

    assert run.state.cancelled == ["", "1", "2", "3"]
    assert run.state.seen.startswith("2 of 5 items failed: 1: ArithmeticError: 3 is odd")


@pytest.mark.parametrize(("least", "halves"), [(3, [1, 2, 3]), (4, [])])
def test_a_map_succeeds_if_enough_items_do(least: int, halves: list[int]) -> None:
    assert run_graph(halving(min_successful=least), NUMBERS).state.halves == halves


@pytest.mark.parametrize("at_once", [20, 2, 1], ids=["in the run", "in parts", "one by one"])
def test_a_map_that_collects_gives_values_and_errors_in_order(at_once: int) -> None:
    run = run_graph(halving("results", on_item_error="collect", max_concurrency=at_once), NUMBERS)

    assert (run.status, run.state.seen) == ("completed", "end")
    assert [result.value for result in run.state.results] == [1, None, 2, None, 3]
    assert [result.ok for result in run.state.results] == [True, False, True, False, True]
    error = run.state.results[1].error
    assert (error.type, error.message, error.bases) == ("ArithmeticError", "3 is odd", ["Exception"])


def test_a_map_that_collects_fails_all_the_same_if_too_few_succeed() -> None:
    run = run_graph(halving("results", on_item_error="collect", min_successful=4), NUMBERS)

    assert (run.status, run.state.results) == ("failed", [])


class Pile(BaseModel):
    """As in `reviewing`, with fields that can hold an error."""

    papers: list[Any] = []
    verdicts: list[ItemResult[str]] = []
    sizes: list[ItemResult[int]] = []


def test_runs_of_a_graph_are_collected_too_even_one_that_was_cancelled() -> None:
    builder = ManifestBuilder("pile", Pile).set_entrypoint("m")
    output = {"verdicts": "verdict", "sizes": "size"}
    builder.add_map("m", graph="reading", over="papers", output=output, on_item_error="collect")
    run: GraphRun = GraphHost(builder.build(), reading()).start("pile", papers("a", "torn", "ask"))
    run.items[2].cancel("no time")

    assert run.status == "completed"
    assert [one.value for one in run.state.verdicts] == [" a", None, None]
    assert [one.error and one.error.type for one in run.state.sizes] == [None, "ValueError", "ChildRunLost"]


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        (
            {"into": "halves", "on_item_error": "collect"},
            "on_item_error is 'collect', but the items of 'halves' are int",
        ),
        ({"into": "halves", "on_item_error": "drop"}, "on_item_error is 'drop'"),
        ({"into": "halves", "min_successful": 0}, "min_successful is 0. Use a whole number of at least 1"),
    ],
)
def test_policies_that_make_no_sense_do_not_build(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(GraphBuildError) as caught:
        halving(**settings)

    assert text in str(caught.value)


def test_no_more_branches_can_be_asked_for_than_there_are() -> None:
    with pytest.raises(GraphBuildError, match="min_successful is 3, but the number of branches is 2"):
        booking(min_successful=3)
