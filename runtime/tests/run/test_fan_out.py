"""Branches and items run at once, merge by patches, and fail without hiding each other."""

from datetime import timedelta
from typing import Annotated, Any

import pytest
from fan_out_graphs import Doc, Work, checks, credit, docs, fraud, scoring
from pydantic import BaseModel
from shapes import increment
from watching import record

from azure_functions_durable_graph import GraphBuildError, ManifestBuilder, NodeContext, RetryPolicy
from azure_functions_durable_graph.testing import GraphHost, run_graph


def test_branches_run_on_one_snapshot_and_their_patches_are_merged() -> None:
    def spy(state: Work) -> dict[str, Any]:
        return {"value": state.credit}

    run = run_graph(checks({"credit": credit, "spy": spy}), {"credit": 1})

    assert (run.state.credit, run.state.value) == (700, 1)
    assert run.path == ["credit", "spy", "check", "end"]


def test_a_parallel_costs_one_activity_a_branch() -> None:
    host = GraphHost(checks({"credit": credit, "fraud": fraud}))
    seen = record(host)

    host.start("g", {})

    assert sorted(seen.nodes) == ["credit", "end", "fraud"]


@pytest.mark.parametrize("after", ["task", "wait", "nothing"])
def test_fields_with_a_reducer_take_what_every_branch_writes(after: str) -> None:
    branches = {
        "one": lambda state: {"notes": ["one"], "total": 3},
        "two": lambda state: {"notes": ["two"], "credit": 5},
    }
    run = run_graph(checks(branches, after=after), {"notes": ["zero"], "total": 1}).advance(timedelta(minutes=5))

    assert run.status == "completed"
    assert (run.state.notes, run.state.total, run.state.credit) == (["zero", "one", "two"], 4, 5)


def test_reducing_costs_nothing_where_a_task_follows_and_one_activity_elsewhere() -> None:
    branches = {"one": lambda state: {"notes": ["1"]}, "two": lambda state: {"notes": ["2"]}}
    costs = {}
    for after in ("task", "nothing"):
        host = GraphHost(checks(branches, after=after))
        host.start("g", {})
        costs[after] = host.activities_run

    assert costs == {"task": 3, "nothing": 3}


def test_a_reducer_works_in_any_node_as_langgraph_users_expect() -> None:
    builder = ManifestBuilder("g", Work).set_entrypoint("a")
    builder.add_node("a", lambda state: {"notes": ["a"]}, next_node="b")
    builder.add_node("b", lambda state: {"notes": ["b"]}, terminal=True)

    assert run_graph(builder.build(), {"notes": ["0"]}).state.notes == ["0", "a", "b"]


def test_a_failing_reducer_is_named() -> None:
    def explode(old: Any, new: Any) -> Any:
        raise ValueError("cannot reduce")

    class Broken(BaseModel):
        notes: Annotated[list[str], explode] = []

    builder = ManifestBuilder("g", Broken).set_entrypoint("check").add_parallel("check", ["a"], next_node="end")
    builder.add_node("a", lambda state: {"notes": ["x"]}).add_node("end", lambda state: None, terminal=True)
    run = run_graph(builder.build(), {})

    assert run.error is not None
    assert (run.error["where"], run.error["message"]) == ("reducer", "cannot reduce")


def test_a_conflict_without_a_reducer_is_an_error_never_the_last_writer() -> None:
    branches = {"one": lambda state: {"credit": 1}, "two": lambda state: {"credit": 2}}

    run = run_graph(checks(branches), {})

    assert run.error is not None
    assert run.error["type"] == "MergeConflict"
    assert "branches 'one' and 'two' both wrote 'credit', which has no reducer" in run.error["message"]


def test_a_conflict_that_the_source_shows_does_not_build() -> None:
    def also(state: Work) -> dict[str, Any]:
        return {"credit": 2}

    with pytest.raises(GraphBuildError, match="its branches 'credit' and 'also' both write 'credit'"):
        checks({"credit": credit, "also": also})


def test_a_failing_branch_lets_the_others_finish_then_fails_with_all_errors() -> None:
    ran: list[str] = []

    def fails(state: Work, context: NodeContext) -> None:
        ran.append(context.node)
        raise ValueError(f"no {context.node}")

    def works(state: Work, context: NodeContext) -> None:
        ran.append(context.node)

    run = run_graph(checks({"a": fails, "b": works, "c": fails}), {})

    assert sorted(ran) == ["a", "b", "c"]
    assert run.error is not None
    assert run.error["type"] == "ValueError"
    assert "2 of 3 branches failed: a: ValueError: no a; c: ValueError: no c" in run.error["message"]
    assert [error["node"] for error in run.error["errors"]] == ["a", "c"]


def test_failing_branches_of_different_types_lead_to_on_error() -> None:
    def other(state: Work) -> None:
        raise KeyError("x")

    def value(state: Work) -> None:
        raise ValueError("y")

    run = run_graph(checks({"a": other, "b": value}, on_error={"FanOutFailed": "mend"}), {})

    assert run.state.notes == ["FanOutFailed"]


def test_a_branch_is_retried_by_its_own_policy_in_rounds() -> None:
    calls: list[tuple[str, int, str]] = []

    def flaky(state: Work, context: NodeContext) -> dict[str, Any]:
        calls.append((context.node, context.attempt, context.idempotency_key.rpartition(".")[2]))
        if context.attempt < 3:
            raise ValueError("not yet")
        return {"value": context.attempt}

    builder = ManifestBuilder("g", Work).set_entrypoint("check").add_parallel("check", ["flaky", "credit"])
    builder.add_node("flaky", flaky, retry=RetryPolicy(first_interval=timedelta(minutes=1))).add_node("credit", credit)
    host = GraphHost(builder.build())
    run = host.start("g", {}, run_id="r").advance(timedelta(minutes=5))

    assert (run.status, run.state.value, run.state.credit) == ("completed", 3, 700)
    assert calls == [("flaky", 1, "r:0:flaky"), ("flaky", 2, "r:0:flaky"), ("flaky", 3, "r:0:flaky")]
    assert host.activities_run == 4


# --- maps ---------------------------------------------------------------------------------------------------------


def test_a_map_runs_on_each_item_and_keeps_the_order() -> None:
    def score(state: Work, doc: Doc) -> int:
        assert state.docs == [doc]
        return doc.size * 2

    run = run_graph(scoring(score), docs(5))

    assert run.state.sizes == [0, 2, 4, 6, 8]
    assert run.state.value == 20
    assert len(run.state.docs) == 5
    assert run.steps[0]["items"] == 5


def test_an_empty_list_is_mapped_to_an_empty_list() -> None:
    assert run_graph(scoring(lambda state, doc: 1), {"sizes": [9]}).state.sizes == []


def test_a_map_costs_one_activity_an_item_and_never_runs_more_than_allowed() -> None:
    host = GraphHost(scoring(lambda state, doc: doc.size, max_concurrency=4))
    seen = record(host)

    host.start("g", docs(10))

    assert seen.nodes == ["score"] * 10 + ["end"]
    rounds = [[len(action.children) for action in outcome.actions] for _, _, outcome in seen.episodes]
    assert max(max(sizes, default=0) for sizes in rounds) == 4


def test_five_hundred_items_work_and_their_history_stays_bounded() -> None:
    host = GraphHost(scoring(lambda state, doc: doc.size))
    seen = record(host)

    run = host.start("g", docs(500))

    assert run.status == "completed"
    assert run.state.sizes == list(range(500))
    assert len(seen.activities) == 501
    assert max(len(outcome.actions) for _, _, outcome in seen.episodes) <= 3


def test_a_failing_item_is_retried_alone() -> None:
    calls: list[str] = []

    def score(state: Work, doc: Doc, context: NodeContext) -> int:
        calls.append(context.idempotency_key)
        if doc.size == 2 and context.attempt == 1:
            raise ValueError("once")
        return doc.size

    host = GraphHost(scoring(score, retry=RetryPolicy()))
    run = host.start("g", docs(4), run_id="r").advance(timedelta(minutes=1))

    assert run.state.sizes == [0, 1, 2, 3]
    assert sorted(calls) == ["r:0:0", "r:0:1", "r:0:2", "r:0:2", "r:0:3"]


def test_failing_items_are_all_named() -> None:
    def score(state: Work, doc: Doc) -> int:
        if doc.size % 2:
            raise ValueError("odd")
        return doc.size

    run = run_graph(scoring(score, on_error="mend"), docs(4))

    assert run.state.notes == ["2 of 4 items failed: 1: ValueError: odd; 3: ValueError: odd"]


def test_a_result_may_be_a_model() -> None:
    class Scored(BaseModel):
        docs: list[Doc] = []
        found: list[Doc] = []

    builder = ManifestBuilder("g", Scored).set_entrypoint("m")
    builder.add_map("m", lambda state, doc: Doc(name=doc.name.upper()), over="docs", into="found", next_node="end")
    run = run_graph(builder.add_node("end", lambda state: None, terminal=True).build(), {"docs": [{"name": "a"}]})

    assert run.state.found == [Doc(name="A")]


def test_a_run_parks_in_the_middle_of_a_map_and_comes_back() -> None:
    graph = scoring(lambda state, doc: doc.size, max_concurrency=2)
    host = GraphHost(graph)
    run_activity = host._host.worker.run_activity
    calls = 0

    async def gone_after_three(name: str, text: str) -> str:
        """Answer as a deployment without the graph would, from the fourth item on."""
        nonlocal calls
        calls += 1
        return await run_activity(name, text if calls <= 3 else text.replace(graph.graph_hash, "0" * 64))

    host._host.worker.run_activity = gone_after_three  # type: ignore[method-assign,assignment]
    run = host.start("g", docs(7))
    assert run.status == "parked"

    host.deploy(graph)
    run.advance(timedelta(minutes=10))
    assert run.state.sizes == list(range(7))


def test_an_event_is_applied_before_branches_start() -> None:
    builder = ManifestBuilder("g", Work).set_entrypoint("ask")
    builder.add_node(
        "ask",
        lambda state: None,
        route=lambda state: {"action": "wait_for_event", "event_name": "go", "resume_node": "check"},
        targets=["check"],
    )
    builder.add_parallel("check", ["a", "b"]).add_node("a", lambda state: {"value": state.credit})
    builder.add_node("b", lambda state: {"fraud": state.credit > 1})
    builder.add_event_handler("go", lambda state, payload: {"credit": payload["credit"]})
    run = run_graph(builder.build(), {}).send("go", {"credit": 9})

    assert (run.status, run.state.value, run.state.fraud, run.state.credit) == ("completed", 9, True, 9)


# --- build --------------------------------------------------------------------------------------------------------


def measure(state: Work, item: str) -> int:
    return len(item)


def builder_with_parallel(**branch: Any) -> ManifestBuilder:
    builder = ManifestBuilder("g", Work).set_entrypoint("p").add_parallel("p", ["a"], next_node="end")
    return builder.add_node("a", increment, **branch).add_node("end", increment, terminal=True)


@pytest.mark.parametrize(
    ("builder", "text"),
    [
        (builder_with_parallel(next_node="end"), "is a branch of 'p' and has an edge or kind of its own"),
        (builder_with_parallel(on_error="end"), "is a branch with on_error. Put on_error on 'p'"),
        (ManifestBuilder("g", Work).set_entrypoint("p").add_parallel("p", []), "has no branches"),
        (
            ManifestBuilder("g", Work).set_entrypoint("p").add_parallel("p", ["x"]),
            "branches names the unknown node 'x'",
        ),
        (
            ManifestBuilder("g", Work).set_entrypoint("p").add_parallel("p", ["a", "a"]).add_node("a", increment),
            "names a branch twice",
        ),
        (
            ManifestBuilder("g", Work).set_entrypoint("m").add_map("m", measure, over="dcs", into="sizes"),
            "over names 'dcs', which is not a field of Work. Did you mean 'docs'[?] Otherwise, add that field.",
        ),
        (
            ManifestBuilder("g", Work)
            .set_entrypoint("m")
            .add_map("m", measure, over="docs", into="sizes", max_concurrency=0),
            "max_concurrency is 0",
        ),
        (
            ManifestBuilder("g", Work).set_entrypoint("w").add_wait("w", duration=timedelta(0)),
            "duration is 0 seconds. Use a positive duration",
        ),
        (
            ManifestBuilder("g", Work).set_entrypoint("s").add_subgraph("s", graph="a b", output={"nope": "x"}),
            "output names 'nope', which is not a field of Work",
        ),
        (
            ManifestBuilder("g", Work).set_entrypoint("a").add_node("a", increment, terminal=True, on_error="x"),
            "on_error names the unknown node 'x'",
        ),
    ],
)
def test_a_shape_that_makes_no_sense_does_not_build(builder: ManifestBuilder, text: str) -> None:
    with pytest.raises(GraphBuildError, match=text):
        builder.build()
