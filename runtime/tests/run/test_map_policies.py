"""A map that stops when enough is done, or at a deadline: what is left is ended, and what is done is kept in order."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from reviewing import papers, piling, reading
from reviews import undeploy
from watching import record

from azure_functions_durable_graph import (
    GraphBuildError,
    GraphRegistration,
    ItemResult,
    ManifestBuilder,
    NodeContext,
    RetryPolicy,
)
from azure_functions_durable_graph.azure.durable_runs import DurableRuns
from azure_functions_durable_graph.graph.names import STOP
from azure_functions_durable_graph.run.shares import MOST_CHUNKS
from azure_functions_durable_graph.testing import GraphHost, GraphRun, run_graph

HOUR = timedelta(hours=1)


class Sums(BaseModel):
    """A list of numbers, and what has become of them."""

    numbers: list[int] = []
    doubled: list[int] = []
    results: list[ItemResult[int]] = []
    verdicts: list[ItemResult[str]] = []
    papers: list[Any] = []
    seen: str = ""


def double(state: Sums, item: int) -> int:
    if item < 0:
        raise ValueError(f"{item} is negative")
    return item * 2


def doubling(handler: Any = double, into: str = "doubled", **settings: Any) -> GraphRegistration:
    builder = ManifestBuilder("sums", Sums).set_entrypoint("m")
    builder.add_map("m", handler, over="numbers", into=into, next_node="end", **settings)
    if "mend" in str(settings):
        builder.add_node("mend", mend, terminal=True)
    return builder.add_node("end", lambda state: None, terminal=True).build()


def mend(state: Sums, context: NodeContext) -> dict[str, Any]:
    assert context.error is not None
    return {"seen": context.error["message"]}


def counted(numbers: list[int], **settings: Any) -> tuple[GraphRun, int]:
    """A run, and how many items its handler has had."""
    calls: list[int] = []

    def handler(state: Sums, item: int) -> int:
        calls.append(item)
        return double(state, item)

    host = GraphHost(doubling(handler, **settings))
    record(host)
    return host.start("sums", {"numbers": numbers}), len(calls)


def start(*titles: str, **settings: Any) -> GraphRun:
    host = GraphHost(piling(**settings), reading())
    record(host)  # each episode runs twice, and gives the same
    return host.start("pile", papers(*titles))


def asks(number: int) -> list[str]:
    return [f"ask {n}" for n in range(number)]


def answer(run: GraphRun, index: int, text: str = "yes") -> None:
    run.items[index].send("opinion", {"text": text})


def stands(run: GraphRun) -> dict[str, int]:
    found = [item.status for item in run.items.values()]
    return {status: found.count(status) for status in sorted(set(found))}


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
    assert run.error["message"] == f"{len(numbers)} of {len(numbers)} items succeeded, and 3 have to"

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


# --- what no policy changes ---------------------------------------------------------------------------------------


def test_an_item_that_is_tried_again_pauses_in_its_place_while_others_go_on() -> None:
    retry = RetryPolicy(max_attempts=2, first_interval=timedelta(days=4))
    host = GraphHost(piling(retry=retry, deadline=timedelta(days=30)), reading())
    host.fail("read", RuntimeError("once"), graph="reading")
    run = host.start("pile", papers("a", "ask", "c"))
    assert [item.status for _, item in sorted(run.items.items())] == ["failed", "waiting", "completed"]

    answer(run, 1)
    assert (run.status, run.view["retry"]["error"]) == ("sleeping", "RuntimeError"), "all that is left is a pause"
    run.advance(timedelta(days=4))

    assert (run.status, run.state.verdicts) == ("completed", ["strict a", "yes", "strict c"])


def test_a_pause_that_the_end_makes_needless_keeps_nobody() -> None:
    retry = RetryPolicy(max_attempts=2, first_interval=timedelta(days=4))
    run = run_graph(doubling(retry=retry, stop_when="first_success"), {"numbers": [-1, 1]})

    assert (run.status, run.state.doubled) == ("completed", [2])


def test_what_a_part_could_not_tell_it_tells_again(monkeypatch: pytest.MonkeyPatch) -> None:
    run = start(*asks(60), stop_when=3, max_concurrency=60)
    raised, failures = DurableRuns.raise_event, [1]

    async def failing(runs: Any, run_id: str, address: str, event: Any) -> None:
        if address.startswith(STOP) and failures[0]:
            failures[0] -= 1
            raise ConnectionError("the hub is away")
        await raised(runs, run_id, address, event)

    monkeypatch.setattr(DurableRuns, "raise_event", failing)
    for index in (0, 1, 59):  # two are in one part
        answer(run, index, str(index))

    assert (run.status, run.state.verdicts) == ("completed", ["0", "1", "59"])
    assert not failures[0]


@pytest.mark.parametrize("items", [5, 60])
def test_an_item_whose_version_is_missing_is_neither_a_success_nor_the_end(items: int) -> None:
    host = GraphHost(doubling(stop_when=2, max_concurrency=1))
    run = host.start("sums", {"numbers": list(range(items))}, run_id="here")
    assert run.state.doubled == [0, 2]

    late = GraphHost(waiting_first())
    run = late.start("sums", {"numbers": list(range(items))})
    undeploy(late, "sums")
    run.advance(HOUR)
    assert run.status == "parked"
    late.deploy(waiting_first())
    run.advance(HOUR)

    assert (run.status, run.state.doubled) == ("completed", [0, 2])


def waiting_first() -> GraphRegistration:
    builder = ManifestBuilder("sums", Sums).set_entrypoint("w").add_wait("w", duration=HOUR, next_node="m")
    return builder.add_map("m", double, over="numbers", into="doubled", max_concurrency=1, stop_when=2).build()


@pytest.mark.parametrize("items", [5, 60])
def test_cancelling_the_run_cancels_all_of_it_whatever_it_had_begun(items: int) -> None:
    run = start("a", *asks(items - 1), stop_when=2, deadline=HOUR)
    answer_is_late = run.items[items - 1]

    run.cancel("enough")
    run.advance(2 * HOUR)

    assert (run.status, answer_is_late.status) == ("cancelled", "cancelled")
    assert set(stands(run)) == {"cancelled", "completed"}
    run.delete()
    assert run.host.run_ids() == []


@pytest.mark.parametrize("items", [5, 60])
def test_a_suspended_map_keeps_its_deadline(items: int) -> None:
    run = start(*asks(items), deadline=HOUR, min_successful=1)
    answer(run, 0)
    run.suspend()
    run.advance(2 * HOUR)
    assert run.status == "suspended"

    run.resume()

    assert (run.status, run.state.verdicts) == ("completed", ["yes"])


def test_a_run_that_failed_at_its_deadline_is_retried_with_a_new_one() -> None:
    run = start("a", *asks(49), deadline=HOUR)
    run.advance(HOUR)
    assert run.status == "failed"

    again = run.retry()
    assert (again.status, len(again.view["waits"])) == ("waiting", 49), "the item that succeeded is kept"
    for index in range(1, 50):
        answer(again, index)

    assert (again.status, len(again.state.verdicts)) == ("completed", 50)


def test_no_history_grows_with_the_number_of_items() -> None:
    host = GraphHost(doubling(stop_when=600, deadline=HOUR))
    seen = record(host)

    assert len(host.start("sums", {"numbers": list(range(600))}).state.doubled) == 600
    assert max(len(outcome.actions) for _, _, outcome in seen.episodes) <= 3 * MOST_CHUNKS


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"stop_when": "soon"}, 'stop_when is \'soon\'. Use "first_success", "first_failure" or a number of successes'),
        ({"stop_when": 0}, "stop_when is 0"),
        ({"stop_when": 1, "min_successful": 2}, "stop_when is 1, and min_successful is 2"),
        ({"deadline": timedelta(0)}, "deadline is 0 seconds. Use a positive duration"),
        ({"deadline": 5}, "deadline is 5"),
    ],
)
def test_ends_that_make_no_sense_do_not_build(settings: dict[str, Any], text: str) -> None:
    with pytest.raises(GraphBuildError) as caught:
        doubling(**settings)

    assert text in str(caught.value)
