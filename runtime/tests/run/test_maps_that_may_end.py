"""A map that may end early is a map like any other: retries, pauses, cancel, suspend, a missing version."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from ending_maps import HOUR, Sums, answer, asks, double, doubling, stands, start
from reviewing import papers, piling, reading
from reviews import undeploy
from watching import record

from azure_functions_durable_graph import (
    GraphRegistration,
    ManifestBuilder,
    RetryPolicy,
)
from azure_functions_durable_graph.azure.durable_runs import DurableRuns
from azure_functions_durable_graph.graph.names import STOP
from azure_functions_durable_graph.run.shares import MOST_CHUNKS
from azure_functions_durable_graph.testing import GraphHost, run_graph


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


def test_pauses_that_begin_at_once_and_last_as_long_have_times_that_tell_them_apart() -> None:
    """A history says which timer has fired by its time alone."""
    host = GraphHost(doubling(retry=RetryPolicy(max_attempts=2, first_interval=HOUR), stop_when=3))
    recording = record(host)
    run = host.start("sums", {"numbers": [-1, -2, -3, 4]})
    run.advance(HOUR)

    history = max((json.loads(context)["history"] for _, context, _ in recording.episodes), key=len)
    times = [event["FireAt"] for event in history if event["EventType"] == 10]
    assert len(set(times)) == len(times)
    assert len([time for time in times if time[:13] in ("2030-01-01T00", "2030-01-01T01")]) == 3, "those of the pauses"


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
