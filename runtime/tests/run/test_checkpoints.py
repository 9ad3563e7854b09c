"""Steps that need no checkpoint run in the activity of the step before them, and count like any other step."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel
from watching import Recording, record

from azure_functions_durable_graph import (
    GraphBuildError,
    GraphRegistration,
    ManifestBuilder,
    NodeContext,
    RetryPolicy,
    RouteDecision,
)
from azure_functions_durable_graph.testing import GraphHost, GraphRun
from azure_functions_durable_graph.work.activity import Lent, run_node
from azure_functions_durable_graph.work.chain import CHAIN_SECONDS
from azure_functions_durable_graph.work.registry import Registry

LETTERS = ("a", "b", "c", "d", "e")


class State(BaseModel):
    seen: list[str] = []
    keys: list[str] = []
    heard: str = ""


def visit(name: str) -> Callable[[State, NodeContext], dict[str, Any]]:
    def handler(state: State, context: NodeContext) -> dict[str, Any]:
        return {"seen": [*state.seen, name], "keys": [*state.keys, context.idempotency_key]}

    return handler


def line(durability: Any = "wait", **checkpoints: bool) -> GraphRegistration:
    """Five nodes, one after the other."""
    builder = ManifestBuilder("g", State, durability=durability).set_entrypoint("a")
    for name, following in zip(LETTERS, [*LETTERS[1:], None], strict=True):
        asks, ends = checkpoints.get(name), following is None
        builder.add_node(name, visit(name), next_node=following, terminal=ends, checkpoint=asks)
    return builder.build()


def run(graph: GraphRegistration, **fails: Any) -> tuple[GraphRun, Recording]:
    host = GraphHost(graph)
    for node, calls in fails.items():
        host.fail(node, *calls)
    seen = record(host)
    return host.start("g", {}), seen


def test_with_durability_wait_five_nodes_cost_one_activity() -> None:
    _, seen = run(line())

    assert seen.nodes == ["a"]


def test_each_step_is_what_it_would_have_been_with_a_checkpoint() -> None:
    (kept, _), (chained, _) = run(line("node")), run(line())

    assert chained.path == kept.path == list(LETTERS)
    assert chained.state == kept.state  # the idempotency keys, too
    times = {"started_at", "finished_at"}
    shown = [[{key: step[key] for key in step if key not in times} for step in run.steps] for run in (kept, chained)]
    assert shown[0] == shown[1]


def test_a_node_that_asks_for_a_checkpoint_is_kept_before_the_next_begins() -> None:
    _, seen = run(line(c=True))

    assert seen.nodes == ["a", "d"]


def test_one_node_may_do_without() -> None:
    _, seen = run(line("node", b=False))

    assert seen.nodes == ["a", "b", "d", "e"]


def test_an_error_keeps_what_was_done_before_it_and_repeats_only_itself() -> None:
    builder = ManifestBuilder("g", State, durability="wait").set_entrypoint("a")
    builder.add_node("a", visit("a"), next_node="b").add_node("b", visit("b"), next_node="c")
    builder.add_node("c", visit("c"), next_node="d", retry=RetryPolicy(max_attempts=3))
    builder.add_node("d", visit("d"), terminal=True)

    flaky, seen = run(builder.build(), c=[ValueError("1"), ValueError("2")])

    flaky.advance(timedelta(minutes=1))

    assert flaky.status == "completed"
    assert seen.nodes == ["a", "c", "c"]
    assert flaky.state.seen == ["a", "b", "c", "d"]
    assert [step.get("attempts", 1) for step in flaky.steps] == [1, 1, 3, 1]


def test_an_error_that_nothing_heals_fails_the_run_at_its_own_node() -> None:
    failed, seen = run(line(), c=[ValueError("no")])

    assert failed.error is not None
    assert [failed.error[key] for key in ("type", "node", "step")] == ["ValueError", "c", 2]
    assert failed.view["state"]["seen"] == ["a", "b"]
    assert seen.nodes == ["a"]
    assert failed.retry().state.seen == list(LETTERS)


@pytest.mark.parametrize("node", LETTERS)
def test_a_run_is_restarted_from_any_step_whether_it_had_a_checkpoint_or_not(node: str) -> None:
    done, _ = run(line())

    again = done.restart(node)

    assert again.state.seen == list(LETTERS)
    assert again.path == list(LETTERS)[LETTERS.index(node) :]
    assert again.view["origin"]["step"] == LETTERS.index(node)


def test_an_error_edge_is_followed_from_the_middle() -> None:
    builder = ManifestBuilder("g", State, durability="wait").set_entrypoint("a")
    builder.add_node("a", visit("a"), next_node="b").add_node("b", visit("b"), next_node="c", on_error="e")
    builder.add_node("c", visit("c"), terminal=True).add_node("e", visit("e"), terminal=True)

    mended, seen = run(builder.build(), b=[ValueError("no")])

    assert (mended.status, mended.path) == ("completed", ["a", "b", "e"])
    assert seen.nodes == ["a", "e"]


def hear(state: State, payload: Any) -> dict[str, Any]:
    return {"heard": payload}


def test_a_wait_ends_the_activity_and_the_answer_goes_on_in_one() -> None:
    builder = ManifestBuilder("g", State, durability="wait").set_entrypoint("a").add_event_handler("yes", hear)
    ask = lambda state: RouteDecision.wait_for_event(event_name="yes", resume_node="c")  # noqa: E731
    builder.add_node("a", visit("a"), next_node="b").add_node("b", visit("b"), route=ask, targets=["c"])
    builder.add_node("c", visit("c"), next_node="d").add_node("d", visit("d"), terminal=True)
    asked, seen = run(builder.build())

    asked.send("yes", "really")

    assert (asked.status, asked.path, asked.state.heard) == ("completed", ["a", "b", "c", "d"], "really")
    assert seen.nodes == ["a", "c"]


def test_a_loop_stops_at_max_steps_as_it_would_with_checkpoints() -> None:
    ends: list[Any] = []
    durabilities: tuple[Any, ...] = ("node", "wait")
    for durability in durabilities:
        builder = ManifestBuilder("g", State, max_steps=7, durability=durability)
        builder.set_entrypoint("a").add_node("a", visit("a"), next_node="b")
        builder.add_node("b", visit("b"), route=lambda state: "a", targets=["a", "__complete__"])
        failed, _ = run(builder.build())
        ends.append((failed.error, failed.path, failed.view["state"]))

    assert ends[0] == ends[1]
    assert ends[0][0]["type"] == "MaxStepsExceeded"


def test_nodes_of_other_kinds_begin_with_a_checkpoint() -> None:
    builder = ManifestBuilder("g", State, durability="wait").set_entrypoint("a")
    builder.add_node("a", visit("a"), next_node="p").add_parallel("p", branches=["b", "c"], next_node="w")
    builder.add_node("b", lambda state: {"heard": "b"}).add_node("c", lambda state: {"seen": ["c"]})
    builder.add_wait("w", duration=timedelta(hours=1), next_node="d").add_node("d", visit("d"), terminal=True)

    done, seen = run(builder.build())
    done.advance(timedelta(hours=1))

    assert (done.status, done.path) == ("completed", ["a", "b", "c", "p", "w", "d"])
    assert sorted(seen.nodes) == ["a", "b", "c", "d"]


def test_a_branch_of_several_nodes_takes_one_activity_and_ends_where_the_branches_join() -> None:
    ends = []
    durabilities: tuple[Any, ...] = ("node", "wait")
    for durability in durabilities:
        builder = ManifestBuilder("g", State, durability=durability).set_entrypoint("p")
        builder.add_parallel("p", branches=["a", "c"], next_node="d").add_node("c", lambda state: {"heard": "c"})
        builder.add_node("a", visit("a"), next_node="b").add_node("b", visit("b"), next_node="d")
        builder.add_node("d", visit("d"), next_node="e").add_node("e", visit("e"), terminal=True)
        done, seen = run(builder.build())
        ends.append((done.status, done.view["state"]["seen"], done.view["state"]["heard"], sorted(seen.nodes)))

    assert [end[:3] for end in ends] == [("completed", ["a", "b", "d", "e"], "c")] * 2
    assert [end[3] for end in ends] == [["a", "b", "c", "d", "e"], ["a", "c", "d"]]


@pytest.mark.parametrize(("seconds", "nodes"), [(0.0, 5), (CHAIN_SECONDS / 2, 2), (CHAIN_SECONDS, 1)])
def test_an_activity_begins_no_other_node_when_its_time_is_spent(seconds: float, nodes: int) -> None:
    graph, now = line(), [0.0]
    registry = Registry()
    registry.add(graph)
    call: Any = {"run_id": "r", "graph": "g", "hash": graph.graph_hash, "node": "a", "step": 0, "state": {}}

    def clock() -> float:
        now[0] += seconds
        return now[0]

    result = asyncio.run(run_node(registry, call, Lent(clock=clock)))

    assert 1 + len(result.get("then", ())) == nodes


def test_the_hash_of_a_graph_with_checkpoints_does_not_know_of_them() -> None:
    assert "checkpoint" not in str(line("node").manifest.to_dict())
    assert line("wait").graph_hash != line("node").graph_hash


@pytest.mark.parametrize(
    ("declare", "said"),
    [
        (lambda: ManifestBuilder("g", State, durability="never"), "graph: durability is 'never'"),  # type: ignore[arg-type]
        (lambda: ManifestBuilder("g", State).add_node("a", visit("a"), checkpoint="no"), "checkpoint is 'no'"),  # type: ignore[arg-type]
        (
            lambda: (
                ManifestBuilder("g", State)
                .add_parallel("p", branches=["a"])
                .add_node("a", visit("a"), checkpoint=False)
            ),
            "node 'a': has checkpoint=…, but is a branch by itself",
        ),
    ],
)
def test_a_declaration_that_is_not_valid_is_a_fault(declare: Callable[[], ManifestBuilder[State]], said: str) -> None:
    with pytest.raises(GraphBuildError, match=said):
        declare().build()


class Scattered(BaseModel):
    value: int = 0
    seen: set[str] = {"x", "y"}


@given(st.data())
@settings(max_examples=40, deadline=None)
def test_whatever_has_a_checkpoint_the_run_is_the_same(data: st.DataObject) -> None:
    """Random edges, updates and failures; only where results are kept differs."""
    edges = {name: data.draw(st.sampled_from([*LETTERS, None]), label=f"after {name}") for name in LETTERS}
    updates = {name: data.draw(st.sampled_from([None, 1, "bad", "raise"])) for name in LETTERS}
    without = data.draw(st.sets(st.sampled_from(LETTERS)), label="without a checkpoint")

    def handler(name: str) -> Callable[[Scattered], Any]:
        def handle(state: Scattered) -> Any:
            if updates[name] == "raise":
                raise ValueError(name)
            return updates[name] and {"value": updates[name], "seen": {*state.seen, name}}

        return handle

    def build(chosen: set[str]) -> GraphRegistration:
        builder = ManifestBuilder("g", Scattered, max_steps=9).set_entrypoint("a")
        for name in LETTERS:
            to: Any = edges[name] or RouteDecision.complete()
            builder.add_node(name, handler(name), route=lambda state, to=to: to, checkpoint=name not in chosen)
        return builder.build()

    ends = []
    for chosen in (set[str](), without):
        ended = GraphHost(build(chosen)).start("g", {})
        steps = [{key: step.get(key) for key in ("step", "node", "patch", "to", "error")} for step in ended.steps]
        ends.append((ended.status, ended.path, ended.view["state"], ended.error, steps))
    assert ends[0] == ends[1]
