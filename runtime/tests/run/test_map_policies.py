"""A map that stops when enough is done, or at a deadline: what is left is ended, and what is done is kept in order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from ending_maps import HOUR, Sums, answer, asks, counted, doubling, stands, start
from reviewing import papers, reading

from azure_functions_durable_graph import (
    GraphBuildError,
    ManifestBuilder,
)
from azure_functions_durable_graph.testing import GraphHost, GraphRun, run_graph

# --- enough -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("items", [3, 30, 300])
def test_the_first_success_is_all_that_is_kept_and_no_other_item_begins(items: int) -> None:
    run, calls = counted([-1, *range(1, items)], stop_when="first_success", max_concurrency=1)

    assert (run.status, run.state.doubled, calls) == ("completed", [2], 2)


@pytest.mark.parametrize("items", [30, 300])
def test_a_number_of_successes_is_enough_and_little_runs_besides(items: int) -> None:
    run, calls = counted(list(range(items)), stop_when=7, max_concurrency=3)

    assert run.status == "completed"
    assert len(run.state.doubled) >= 7
    assert run.state.doubled == sorted(run.state.doubled)
    assert calls <= (7 + 3 if items == 30 else 7 + 3 * 3), "more only while parts tell what they have"


def test_of_items_that_wait_the_first_that_is_answered_ends_all_others() -> None:
    run = start(*asks(100), stop_when="first_success")
    assert len(run.view["waits"]) == 100

    answer(run, 57)

    assert (run.status, run.state.verdicts) == ("completed", ["yes"])
    assert stands(run) == {"cancelled": 99, "completed": 1}


@pytest.mark.parametrize("items", [12, 30, 100, 250])
def test_so_many_answers_are_counted_exactly_wherever_they_come_from(items: int) -> None:
    run = start(*asks(items), stop_when=3, max_concurrency=items)
    for place in (items - 1, 0):
        answer(run, place, str(place))
    assert run.status == "waiting"

    answer(run, items // 2, "last")

    assert (run.status, run.state.verdicts) == ("completed", ["0", "last", str(items - 1)])
    assert stands(run) == {"cancelled": items - 3, "completed": 3}


@pytest.mark.parametrize("items", [60, 300])
def test_what_parts_and_the_run_above_them_tell_each_other_is_no_event_of_a_run(items: int) -> None:
    run, _ = counted(list(range(items)), stop_when=items, min_successful=1, max_concurrency=50)
    waiting = start(*asks(100), stop_when="first_success")
    answer(waiting, 57)

    families = [GraphRun(one.host, run_id) for one in (run, waiting) for run_id in one.host.run_ids()]

    assert {event["event"] for one in families for event in one.events} == {"opinion"}


def test_the_first_failure_ends_the_map_and_what_had_succeeded_elsewhere_is_kept() -> None:
    run = start(*asks(100), stop_when="first_failure", on_error="mend")
    for index in (80, 3, 41):
        answer(run, index, str(index))
    run.items[60].cancel("nobody knows")

    assert (run.status, run.state.verdicts) == ("completed", ["3", "41", "80"])
    assert run.state.problem.startswith("1 of 100 items failed: 60: ChildRunLost")
    assert stands(run) == {"cancelled": 97, "completed": 3}


def test_a_part_that_is_suspended_is_asked_to_end_less_and_less_often() -> None:
    run = start(*asks(60), stop_when="first_success")
    part = GraphRun(run.host, run.view["children"][0]["id"])
    part.suspend()
    answer(run, 59)
    before = run.host.activities_run
    run.host.advance(HOUR)
    assert run.status == "waiting"
    assert run.host.activities_run - before < 20

    part.resume()
    run.host.advance(HOUR)

    assert (run.status, run.state.verdicts) == ("completed", ["yes"])


def test_a_failure_does_not_stop_what_may_still_succeed() -> None:
    run = start("torn", "ask 1", stop_when="first_success")
    assert run.status == "waiting"

    answer(run, 1)

    assert run.state.verdicts == ["yes"]


@pytest.mark.parametrize("numbers", [[], [1, 2]])
def test_too_few_items_are_too_few_successes(numbers: list[int]) -> None:
    run = run_graph(doubling(stop_when=3), {"numbers": numbers})
    assert run.error is not None
    assert run.error["message"] == f"{len(numbers)} of {len(numbers)} items succeeded, but min_successful is 3"

    assert run_graph(doubling(stop_when=3, min_successful=1), {"numbers": [1, 2]}).state.doubled == [2, 4]


# --- deadlines ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("items", "at_once"), [(30, 100), (30, 4), (100, 100), (100, 4), (100, 1)])
def test_what_is_not_done_by_the_deadline_is_ended_and_fails_and_the_rest_is_kept(items: int, at_once: int) -> None:
    run = start(*["a"] * 3, *asks(items - 3), deadline=HOUR, on_error="mend", max_concurrency=at_once)
    run.advance(HOUR)

    assert (run.status, run.state.verdicts[:3]) == ("completed", ["strict a"] * 3)
    assert run.state.problem.startswith(f"{items - 3} of {items} items failed: 3: DeadlineExceeded: it was not done by")
    assert "waiting" not in stands(run)


@pytest.mark.parametrize("items", [5, 100])
def test_a_map_that_collects_says_of_each_item_what_has_become_of_it(items: int) -> None:
    builder = ManifestBuilder("sums", Sums).set_entrypoint("m")
    output = {"verdicts": "verdict"}
    kept: dict[str, Any] = {"over": "papers", "output": output, "on_item_error": "collect", "stop_when": 2}
    builder.add_map("m", graph="reading", deadline=HOUR, min_successful=1, **kept)
    host = GraphHost(builder.build(), reading())
    run = host.start("sums", papers("torn", *asks(items - 1)))
    late = host.start("sums", papers("torn", *asks(items - 1)))
    answer(run, 3)
    answer(run, 1)
    answer(late, 3)
    host.advance(HOUR)

    told = [one.value or (one.error.type if one.error else "") for one in run.state.verdicts]
    assert told == ["ValueError", "yes", "ItemStopped", "yes", *["ItemStopped"] * (items - 4)]
    told = [one.value or (one.error.type if one.error else "") for one in late.state.verdicts]
    assert told == ["ValueError", *["DeadlineExceeded"] * 2, "yes", *["DeadlineExceeded"] * (items - 4)]


def test_with_a_deadline_enough_may_have_succeeded_by_then() -> None:
    run = start(*asks(100), deadline=HOUR, min_successful=2)
    answer(run, 99, "b")
    answer(run, 1, "a")
    run.advance(HOUR)

    assert (run.status, run.state.verdicts) == ("completed", ["a", "b"])


def test_the_deadline_is_that_of_the_whole_map_not_of_each_part() -> None:
    run = start("slow", *["slow"] * 59, deadline=timedelta(minutes=90), max_concurrency=20, min_successful=1)
    run.advance(2 * HOUR)

    assert (run.status, len(run.state.verdicts)) == ("completed", 20), "twenty in the first hour"


def test_a_deadline_that_nothing_needs_costs_no_time() -> None:
    assert start(*["a"] * 100, deadline=timedelta(days=300)).status == "completed"


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"stop_when": "soon"}, 'stop_when is \'soon\'. Use "first_success", "first_failure" or a number of successes'),
        ({"stop_when": 0}, "stop_when is 0"),
        ({"stop_when": 1, "min_successful": 2}, "stop_when is 1, but min_successful is 2"),
        ({"deadline": timedelta(0)}, "deadline is 0 seconds. Use a positive duration"),
        ({"deadline": 5}, "deadline is 5"),
    ],
)
def test_ends_that_make_no_sense_do_not_build(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(GraphBuildError) as caught:
        doubling(**settings)

    assert text in str(caught.value)
