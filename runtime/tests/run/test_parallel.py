"""Branches run at once, their patches are merged, and they fail without hiding each other."""

from datetime import timedelta
from typing import Annotated, Any

import pytest
from fan_out_graphs import Work, checks, credit, fraud
from pydantic import BaseModel, ConfigDict
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


class Open(BaseModel):
    """A state that takes any key."""

    model_config = ConfigDict(extra="allow")
    seen: str = ""


@pytest.mark.parametrize("steps", [1, 2])
def test_a_key_that_a_branch_drops_is_gone_where_the_branches_join(steps: int) -> None:
    builder = ManifestBuilder("g", Open).set_entrypoint("p")
    builder.add_parallel("p", branches=["drops", "writes"], next_node="end")
    builder.add_node("drops", lambda state: Open(seen=""), next_node="after" if steps == 2 else None)
    if steps == 2:
        builder.add_node("after", lambda state: None)
    builder.add_node("writes", lambda state: {"seen": "b"}).add_node("end", lambda state: None, terminal=True)
    run = run_graph(builder.build(), {"key": 1, "seen": ""})

    assert run.view["state"] == {"seen": "b"}


def test_a_key_that_one_branch_drops_and_another_writes_is_a_conflict() -> None:
    builder = ManifestBuilder("g", Open).set_entrypoint("p").add_parallel("p", branches=["drops", "writes"])
    builder.add_node("drops", lambda state: Open()).add_node("writes", lambda state: {"key": 2})
    run = run_graph(builder.build(), {"key": 1})

    assert run.error is not None
    assert (run.error["type"], "both wrote 'key'" in run.error["message"]) == ("MergeConflict", True)


def test_a_failing_reducer_is_named() -> None:
    def explode(old: Any, new: Any) -> Any:
        raise ValueError("cannot reduce")

    class Broken(BaseModel):
        notes: Annotated[list[str], explode] = []

    builder = ManifestBuilder("g", Broken).set_entrypoint("check").add_parallel("check", ["a"], next_node="end")
    builder.add_node("a", lambda state: {"notes": ["x"]}).add_node("end", lambda state: None, terminal=True)
    run = run_graph(builder.build(), {})

    assert run.error is not None
    assert (run.error["where"], run.error["message"]) == ("reducer of field 'notes'", "cannot reduce")


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
