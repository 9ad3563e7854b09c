"""A branch of several steps is a run of its own, which ends where the branches join; its changes are merged there."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from branching import Contract, ask, checking, sign, two_approvals
from pydantic import BaseModel, model_validator
from watching import record

from azure_functions_durable_graph import ManifestBuilder, RetryPolicy
from azure_functions_durable_graph.testing import GraphHost, GraphRun, Problem


def start(*graphs: Any, **given: Any) -> GraphRun:
    return GraphHost(*graphs).start(graphs[0].graph_name, given)


def test_a_branch_waits_while_the_other_is_done_and_both_are_merged_where_they_join() -> None:
    run = start(checking())
    assert (run.status, run.waits) == ("waiting", ["signature"])

    run.send("signature", {"name": "ann"})

    assert (run.status, run.path) == ("completed", ["credit", "legal", "checks", "decide"])
    assert (run.state.credit, run.state.legal, run.state.signed_by) == (6, "fine", "ann")
    assert run.state.notes == ["credit", "legal", "ann signed", "signed as fine by ann", "decided"]


def test_a_task_stays_one_activity_beside_a_branch_with_steps() -> None:
    host = GraphHost(checking())
    seen = record(host)

    host.start("contract", {}).send("signature", {"name": "ann"})

    assert sorted(seen.nodes) == ["credit", "decide", "legal", "sign"]


def test_a_branch_is_shown_with_its_run_and_that_run_has_the_steps() -> None:
    run = start(checking())
    child = run.branches["legal"]
    assert (child.status, child.view["part_of"], run.steps[1]["child"]) == ("waiting", run.id, child.id)

    child.send("signature", {"name": "bob"})

    assert child.path == ["legal", "sign"]
    assert (child.status, child.decisions[-1]) == ("completed", ("sign", ["decide"]))
    assert run.steps[1]["patch"] == {"legal": "fine", "signed_by": "bob"}
    assert run.status == "completed"


def test_two_approvals_at_once_are_told_apart_by_the_id_of_the_wait() -> None:
    run = start(two_approvals())
    first, second = (wait["id"] for wait in run.view["waits"])
    with pytest.raises(Problem, match="409 event-ambiguous"):
        run.send("signature", {"name": "who"})

    run.send("signature", {"name": "ann"}, wait_id=second)
    assert run.status == "waiting"
    with pytest.raises(Problem, match="409 event-"):
        run.send("signature", {"name": "late"}, wait_id=second)
    run.send("signature", {"name": "bob"}, wait_id=first)

    assert run.state.notes == ["bob", "left", "ann", "right"]


def test_a_deadline_within_a_branch_holds_for_it_alone() -> None:
    run = start(two_approvals(timedelta(hours=1)))
    run.send("signature", {"name": "ann"}, wait_id=run.view["waits"][0]["id"]).advance(timedelta(hours=1))

    assert (run.status, run.state.notes) == ("completed", ["ann", "left", "right late"])


def test_a_failing_task_does_not_end_a_branch_that_waits() -> None:
    def broken(state: Contract) -> None:
        raise ValueError("no credit")

    run = start(checking(credit=broken))
    assert run.status == "waiting"

    run.send("signature", {"name": "ann"})

    assert run.error is not None
    assert (run.status, run.error["type"], run.error["node"]) == ("failed", "ValueError", "checks")
    assert run.error["message"] == "1 of 2 branches failed: credit: ValueError: no credit"


def test_a_failing_step_of_a_branch_fails_the_parallel_and_names_both() -> None:
    def broken(state: Contract) -> None:
        raise KeyError("law")

    run = start(checking(law=broken, on_error={"KeyError": "mend"}))

    assert (run.status, run.path[-1]) == ("completed", "mend")
    assert run.state.problem == "1 of 2 branches failed: legal: KeyError: 'law'"


def test_a_retry_does_not_wait_for_a_branch_that_waits() -> None:
    calls: list[int] = []

    def flaky(state: Contract) -> dict[str, Any]:
        calls.append(1)
        if len(calls) == 1:
            raise ConnectionError
        return {"credit": 5}

    run = start(checking(credit=flaky, retry=RetryPolicy(first_interval=timedelta(seconds=10))))
    run.advance(timedelta(seconds=10))
    assert (len(calls), run.status) == (2, "waiting")

    run.send("signature", {"name": "ann"})

    assert (run.state.credit, run.state.notes[-1]) == (5, "decided")


def test_cancelling_the_run_cancels_a_branch_that_waits() -> None:
    run = start(checking())
    child = run.branches["legal"]

    run.cancel("enough")

    assert (run.status, child.status) == ("cancelled", "cancelled")


def test_a_branch_that_is_cancelled_fails_the_parallel() -> None:
    run = start(checking())

    run.branches["legal"].cancel()

    assert run.error is not None
    assert (run.status, run.error["type"], run.error["errors"][0]["node"]) == ("failed", "ChildRunLost", "legal")


def test_every_kind_of_node_may_be_a_branch() -> None:
    inner = ManifestBuilder("inner", Contract).set_entrypoint("i")
    inner.add_node("i", lambda s: {"legal": "inner"}, terminal=True)
    builder = ManifestBuilder("outer", Contract).set_entrypoint("all")
    builder.add_parallel("all", branches=["wait", "sub", "nested", "each"], next_node="end")
    builder.add_wait("wait", duration=timedelta(hours=1), next_node="woken")
    builder.add_node("woken", lambda s: {"notes": ["woken"]})
    builder.add_subgraph("sub", graph="inner", output={"legal": "legal"})
    builder.add_parallel("nested", branches=["a", "b"], next_node="both")
    builder.add_node("a", lambda s: {"notes": ["a"]}).add_node("b", lambda s: None, next_node="b2")
    builder.add_node("b2", lambda s: {"notes": ["b2"], "signed_by": "b2"})
    builder.add_node("both", lambda s: {"notes": [f"both by {s.signed_by}"]}, next_node="end")
    builder.add_map("each", lambda s, item: item.upper(), over="notes", into="notes")
    builder.add_node("end", lambda s: {"problem": "none"}, terminal=True)

    run = start(builder.build(), inner.build(), notes=["x"])
    run.advance(timedelta(hours=1))

    assert (run.status, run.state.problem, run.state.legal, run.state.signed_by) == ("completed", "none", "inner", "b2")
    assert run.state.notes == ["x", "woken", "a", "b2", "both by b2", "X"]


def test_an_event_that_resumes_where_the_branches_join_is_applied_by_the_branch() -> None:
    builder = ManifestBuilder("g", Contract).set_entrypoint("both")
    builder.add_parallel("both", branches=["left", "right"], next_node="end")
    builder.add_node("left", lambda s: None, route=ask("signature", "end"), targets=["end"])
    builder.add_node("right", lambda s: {"notes": ["right"]})
    builder.add_event_handler("signature", lambda s, payload: {"notes": [payload["name"]]})
    run = start(builder.add_node("end", sign, terminal=True).build())

    run.send("signature", {"name": "ann"})

    assert run.state.notes == ["ann", "right", "signed as  by "]


def test_a_branch_may_end_at_a_terminal_node_or_by_a_route_that_completes() -> None:
    builder = ManifestBuilder("g", Contract).set_entrypoint("both")
    builder.add_parallel("both", branches=["left", "right"], next_node="end")
    builder.add_node("left", lambda s: {"notes": ["left"]}, terminal=True)
    builder.add_node("right", lambda s: {"notes": ["right"]}, route=lambda s: None, targets=["__complete__"])
    run = start(builder.add_node("end", lambda s: {"notes": ["end"]}, terminal=True).build())

    assert run.state.notes == ["left", "right", "end"]


def test_a_branch_that_replaces_the_whole_state_gives_its_last_value_of_a_field_with_a_reducer() -> None:
    builder = ManifestBuilder("g", Contract).set_entrypoint("both")
    builder.add_parallel("both", branches=["left", "right"], next_node="end")
    builder.add_node("left", lambda s: {"notes": ["lost"]}, next_node="again")
    builder.add_node("again", lambda s: s.model_copy(update={"notes": ["new"]}), next_node="more")
    builder.add_node("more", lambda s: {"notes": ["more"]})
    builder.add_node("right", lambda s: {"notes": ["right"]})
    run = start(builder.add_node("end", lambda s: None, terminal=True).build(), notes=["old"])

    assert run.state.notes == ["new", "more", "right"]


def test_a_loop_within_a_branch_continues_as_new_and_forgets_nothing() -> None:
    builder = ManifestBuilder("g", Contract).set_entrypoint("both")
    builder.add_parallel("both", branches=["loop", "other"], next_node="end")

    def again(state: Contract) -> str:
        return "loop" if len(state.notes) < 40 else "end"

    builder.add_node("loop", lambda s: {"notes": [str(len(s.notes))]}, route=again, targets=["loop", "end"])
    builder.add_node("other", lambda s: {"credit": 1})
    run = start(builder.add_node("end", lambda s: None, terminal=True).build())

    assert run.state.notes == [str(n) for n in range(40)]


def test_a_conflict_between_branches_with_steps_is_an_error() -> None:
    builder = ManifestBuilder("g", Contract).set_entrypoint("both")
    builder.add_parallel("both", branches=["left", "right"], next_node="end")
    for side in ("left", "right"):
        builder.add_node(side, lambda s: None, next_node=f"{side}2")
        builder.add_node(f"{side}2", lambda s: dict(legal="both"))  # noqa: C408 - not to be read by build()
    run = start(builder.add_node("end", lambda s: None, terminal=True).build())

    assert run.error is not None
    assert run.error["type"] == "MergeConflict"


def test_a_part_of_a_run_is_not_listed_and_cannot_be_repeated_by_itself() -> None:
    run = start(checking())
    child = run.branches["legal"]

    listed = [line["id"] for line in _list(run.host)]

    assert listed == [run.id]
    with pytest.raises(Problem, match=f"422 invalid: .* is a part of run '{run.id}': repeat that one"):
        child.restart()


def _list(host: GraphHost) -> list[dict[str, Any]]:
    from azure_functions_durable_graph.http.listing import list_runs

    return list(host.call(list_runs, {})["runs"])


def test_a_field_that_validation_derives_is_computed_where_the_branches_join() -> None:
    builder = ManifestBuilder("g", Summed).set_entrypoint("both")
    builder.add_parallel("both", branches=["left", "right"], next_node="end")
    for side in ("left", "right"):
        builder.add_node(side, lambda s: None, next_node=f"{side}2")
        builder.add_node(f"{side}2", _give(side))
    run = start(builder.add_node("end", lambda s: None, terminal=True).build())

    assert (run.status, run.state.left, run.state.right, run.state.total) == ("completed", 1, 1, 2)


class Summed(BaseModel):
    """A state with a field that follows from others."""

    left: int = 0
    right: int = 0
    total: int = 0

    @model_validator(mode="after")
    def add(self) -> Summed:
        self.total = self.left + self.right
        return self


def _give(side: str) -> Any:
    return lambda state: {side: 1}


def test_a_branch_without_checkpoints_is_one_activity_and_ends_where_the_branches_join() -> None:
    builder = ManifestBuilder("g", Contract, durability="wait").set_entrypoint("both")
    builder.add_parallel("both", branches=["left", "right"], next_node="end")
    builder.add_node("left", lambda s: None, next_node="left2")
    builder.add_node("left2", lambda s: {"notes": ["left2"]}, next_node="left3")
    builder.add_node("left3", lambda s: {"notes": ["left3"]}, next_node="end")
    builder.add_node("right", lambda s: {"notes": ["right"]})
    host = GraphHost(builder.add_node("end", lambda s: {"notes": ["end"]}, terminal=True).build())
    run = host.start("g", {})

    assert run.state.notes == ["left2", "left3", "right", "end"]
    assert host.activities_run == 3
