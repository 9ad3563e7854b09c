"""Whatever a run does costs turns; after HISTORY_BUDGET of them it continues as new, and loses nothing there."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from approvals import approval, asking
from fan_out_graphs import Work, docs, scoring
from missing import answer_missing
from reviews import YES, review, waiting_parent
from shapes import Counter, increment
from watching import Recording, record

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, NodeContext, RetryPolicy, RouteDecision
from azure_functions_durable_graph.run.limits import ANSWER_LIMIT, HISTORY_BUDGET, LONGEST_TIMER
from azure_functions_durable_graph.testing import GraphHost

CONTINUE_AS_NEW, TIMER = 4, 5


def generations(seen: Recording) -> int:
    """How many times a run has continued as new."""
    return len(
        [outcome for _, _, outcome in seen.episodes if outcome.done and outcome.actions[-1].kind == CONTINUE_AS_NEW]
    )


# --- turns are counted --------------------------------------------------------------------------------------------


def then_two(builder: ManifestBuilder) -> GraphRegistration:
    """Two nodes at the end: at the second of them the run may continue as new."""
    builder.add_node("last", increment, next_node="end").add_node("end", increment, terminal=True)
    return builder.build()


def sleeping(segments: int) -> GraphRegistration:
    builder = ManifestBuilder("g", Counter).set_entrypoint("it")
    return then_two(builder.add_wait("it", duration=LONGEST_TIMER * segments, next_node="last"))


def routed_to_sleep(segments: int) -> GraphRegistration:
    sleep = RouteDecision.sleep(LONGEST_TIMER * segments, resume_node="last")
    builder = ManifestBuilder("g", Counter).set_entrypoint("it")
    return then_two(builder.add_node("it", lambda state: None, route=lambda state: sleep, targets=["last"]))


def waiting(segments: int) -> GraphRegistration:
    wait = RouteDecision.wait_for_event(
        event_name="never", resume_node="last", timeout=LONGEST_TIMER * segments, timeout_node="last"
    )
    builder = ManifestBuilder("g", Counter).set_entrypoint("it").add_event_handler("never", lambda state, payload: None)
    return then_two(builder.add_node("it", lambda state: None, route=lambda state: wait, targets=["last"]))


def branching(branches: int) -> GraphRegistration:
    names = [f"b{number}" for number in range(branches)]
    builder = ManifestBuilder("g", Counter).set_entrypoint("it").add_parallel("it", branches=names, next_node="last")
    for name in names:
        builder.add_node(name, lambda state: None)
    return then_two(builder)


def retried(attempts: int) -> GraphRegistration:
    def fails(state: Counter, context: NodeContext) -> None:
        if context.attempt < attempts:
            raise ValueError("not yet")

    retry = RetryPolicy(max_attempts=attempts, first_interval=timedelta(seconds=1), backoff=1)
    builder = ManifestBuilder("g", Counter).set_entrypoint("it").add_node("it", fails, retry=retry, next_node="last")
    return then_two(builder)


COSTS: list[tuple[Callable[[int], GraphRegistration], int, int]] = [
    (sleeping, HISTORY_BUDGET, 0),
    (sleeping, HISTORY_BUDGET - 1, 1),
    (routed_to_sleep, HISTORY_BUDGET - 1, 0),
    (routed_to_sleep, HISTORY_BUDGET - 2, 1),
    (waiting, HISTORY_BUDGET - 1, 0),
    (waiting, HISTORY_BUDGET - 2, 1),
    (branching, HISTORY_BUDGET, 0),
    (branching, HISTORY_BUDGET - 1, 1),
    (retried, HISTORY_BUDGET // 2, 1),
]


@pytest.mark.parametrize(("shape", "size", "nodes"), COSTS)
def test_each_kind_of_turn_counts_and_at_the_budget_the_run_continues_as_new(shape: Any, size: int, nodes: int) -> None:
    """So many turns, then the boundary before `last`, and one turn more, then that before `end`."""
    host = GraphHost(shape(size))
    seen = record(host)

    run = host.start("g", {}).advance(LONGEST_TIMER * (HISTORY_BUDGET + 1))

    assert (run.status, run.state.value, generations(seen)) == ("completed", 2, 1)
    inputs = [json.loads(json.loads(context)["input"]) for _, context, _ in seen.episodes]
    assert inputs[-1]["node"] == ("last" if nodes == 0 else "end")


def test_a_run_that_ends_within_the_budget_has_one_generation() -> None:
    host = GraphHost(branching(HISTORY_BUDGET - 2))
    seen = record(host)

    assert host.start("g", {}).status == "completed"
    assert generations(seen) == 0


def test_an_answer_and_a_child_cost_a_turn_each() -> None:
    host = GraphHost(waiting_parent(), review())
    seen = record(host)
    run = host.start("article", {}).send("go").send("verdict", YES)

    assert (run.status, generations(seen)) == ("completed", 0)


# --- in the middle of a fan-out -----------------------------------------------------------------------------------


def flaky_parallel(branches: int) -> tuple[GraphRegistration, list[str]]:
    """So many branches; the first fails once. And the calls of the handlers."""
    calls: list[str] = []

    def work(state: Work, context: NodeContext) -> dict[str, Any]:
        calls.append(context.node)
        if context.node == "b0" and context.attempt == 1:
            raise ValueError("not yet")
        return {"notes": [context.node]}

    names = [f"b{number}" for number in range(branches)]
    builder = ManifestBuilder("g", Work).set_entrypoint("it").add_parallel("it", branches=names, next_node="end")
    for name in names:
        builder.add_node(name, work, retry=RetryPolicy(first_interval=timedelta(seconds=1)))
    return builder.add_node("end", lambda state: {"value": len(state.notes)}, terminal=True).build(), calls


def test_a_parallel_whose_history_is_full_goes_on_in_the_next_generation() -> None:
    graph, calls = flaky_parallel(HISTORY_BUDGET)
    host = GraphHost(graph)
    seen = record(host)

    run = host.start("g", {}).advance(timedelta(minutes=1))

    assert (run.status, generations(seen)) == ("completed", 1)
    assert run.state.notes == [f"b{number}" for number in range(HISTORY_BUDGET)]
    assert run.state.value == HISTORY_BUDGET
    assert sorted(calls) == sorted([*run.state.notes, "b0"]), "only the branch that had failed runs again"


def test_a_map_whose_history_is_full_goes_on_in_the_next_generation() -> None:
    host = GraphHost(scoring(lambda state, item: item.size, max_concurrency=1))
    seen = record(host)

    run = host.start("g", docs(HISTORY_BUDGET + 5))

    assert (run.status, run.state.sizes) == ("completed", list(range(HISTORY_BUDGET + 5)))
    assert generations(seen) == 1
    assert host.activities_run == HISTORY_BUDGET + 6, "no item runs twice"


def test_progress_is_counted_over_all_generations() -> None:
    host = GraphHost(scoring(lambda state, item: item.size, max_concurrency=1))
    seen = record(host)

    host.start("g", docs(20))

    shown = [status["fan_out"] for status in seen.statuses if status and "fan_out" in status]
    assert [one["done"] for one in shown if one["of"] == 20] == sorted(one["done"] for one in shown)
    assert {one["done"] for one in shown} == set(range(20))


def test_a_parallel_that_parks_with_a_full_history_goes_on_too() -> None:
    names = [f"b{number}" for number in range(HISTORY_BUDGET)]
    graph, calls = flaky_parallel(HISTORY_BUDGET)
    host = GraphHost(graph)
    answer_missing(host, lambda call: call["node"] == "b3", times=2)

    run = host.start("g", {}).advance(timedelta(hours=1))

    assert (run.status, run.state.notes) == ("completed", names)
    assert sorted(calls) == sorted([*names, "b0"])


# --- what is carried along ----------------------------------------------------------------------------------------


def test_answers_are_remembered_up_to_a_limit_and_the_newest_stay() -> None:
    from azure_functions_durable_graph.run.traversal import Traversal

    graph = asking(approval(1))
    start: Any = {"state": {}, "trail": [], "taken": [[0, "a"]], "plan": graph.manifest.plan()}
    traversal = Traversal(None, start)  # type: ignore[arg-type]

    traversal.take_answers(1, map(str, range(ANSWER_LIMIT)))

    assert len(traversal.run["taken"]) == ANSWER_LIMIT
    assert (traversal.run["taken"][0], traversal.run["taken"][-1]) == ([1, "0"], [1, str(ANSWER_LIMIT - 1)])
