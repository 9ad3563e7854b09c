"""Suspend, resume, restart, retry, delete: over HTTP, and through the testing door."""

from __future__ import annotations

import itertools
from datetime import timedelta
from typing import Any

import pytest
from contract import problem, start
from reviews import YES, parent, review
from shapes import Counter, conversation, line

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RetryPolicy
from azure_functions_durable_graph.testing import GraphHost, GraphRun, Problem


def refused(call: Any, *args: Any, **named: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        call(*args, **named)
    return caught.value


@pytest.fixture
def run() -> GraphRun:
    return GraphHost(conversation()).start(
        "conversation", {}, run_id="one", tags={"team": "a"}, metadata={"by": "test"}
    )


# --- suspend and resume -------------------------------------------------------------------------------------------


def test_a_suspended_run_keeps_what_arrives_until_it_is_resumed(run: GraphRun) -> None:
    assert run.suspend().status == "suspended"
    assert run.suspend().send("answer", {"text": "a"}).state.said == []
    assert run.resume().status == "waiting"
    assert run.resume().state.said == ["a"]


def test_children_are_suspended_and_resumed_with_their_run() -> None:
    host = GraphHost(parent(), review())
    run = host.start("article", {})
    child = GraphRun(host, run.view["children"][0]["id"])

    run.suspend()
    assert (run.status, child.status) == ("suspended", "suspended")
    run.send("verdict", YES)
    assert child.status == "suspended"
    assert (run.resume().status, child.status) == ("completed", "completed")


def test_a_run_that_is_suspended_already_is_not_suspended_once_more(run: GraphRun) -> None:
    suspended = run.suspend().view["updated_at"]

    assert run.advance(timedelta(hours=1)).suspend().view["updated_at"] == suspended


def test_what_is_over_is_neither_suspended_nor_resumed_and_what_is_unknown_is_404(api: Any) -> None:
    run_id = start(api)
    assert api.post(f"/runs/{run_id}/suspend", json={"reason": "lunch"}).json() == {"id": run_id, "reason": "lunch"}
    assert api.post(f"/runs/{run_id}/resume").status_code == 202
    api.post(f"/runs/{run_id}/cancel")

    for verb in ("suspend", "resume"):
        problem(api.post(f"/runs/{run_id}/{verb}"), 410, "run-finished")
        problem(api.post(f"/runs/nobody/{verb}"), 404, "run-not-found")
        problem(api.post(f"/runs/{run_id}/{verb}", json={"reson": "x"}), 422, "invalid")


# --- delete -------------------------------------------------------------------------------------------------------


def test_a_run_is_deleted_once_it_is_over(api: Any) -> None:
    run_id = start(api)
    problem(api.delete(f"/runs/{run_id}"), 409, "run-live")
    api.post(f"/runs/{run_id}/cancel")
    response = api.delete(f"/runs/{run_id}")

    assert (response.status_code, response.content) == (204, b"")
    problem(api.delete(f"/runs/{run_id}"), 404, "run-not-found")
    problem(api.get(f"/runs/{run_id}"), 404, "run-not-found")


# --- restart ------------------------------------------------------------------------------------------------------


def test_a_restarted_run_has_the_input_tags_and_metadata_of_its_origin(run: GraphRun) -> None:
    run.send("answer", {"text": "stop"})
    before = run.view
    again = run.restart()

    view = again.view
    assert (again.id != run.id, again.status, again.state.said) == (True, "waiting", [])
    assert (view["tags"], view["metadata"]) == ({"team": "a"}, {"by": "test"})
    assert view["origin"] == {"run": "one", "verb": "restart"}
    assert run.view == before


def flow(fails: int = 0) -> GraphRegistration:
    """Three steps that leave their names; the last one fails so many times."""
    failures = itertools.chain([True] * fails, itertools.repeat(False))

    def last(state: Counter) -> dict[str, Any]:
        if next(failures):
            raise ValueError("no luck\nat all")
        return {"said": [*state.said, "c"]}

    builder = ManifestBuilder("flow", Counter).set_entrypoint("a")
    for name, following in (("a", "b"), ("b", "c")):
        builder.add_node(name, lambda state, name=name: {"said": [*state.said, name]}, next_node=following)
    return builder.add_node("c", last, terminal=True).build()


def test_a_run_goes_on_from_a_node_that_it_has_passed_with_the_state_that_it_had_there() -> None:
    run = GraphHost(flow()).start("flow", {"goal": 7})
    again = run.restart("b")

    assert (again.path, again.state.said, again.state.goal) == (["b", "c"], ["a", "b", "c"], 7)
    assert again.view["origin"] == {"run": run.id, "verb": "restart", "node": "b", "step": 1}
    assert again.view["input"] == {"goal": 7}


def test_the_state_may_be_another_and_is_checked() -> None:
    run = GraphHost(flow()).start("flow", {})

    assert run.restart("c", Counter(said=["x"])).state.said == ["x", "c"]
    assert refused(run.restart, "c", {"said": 5}).code == "invalid"
    assert refused(run.restart, "c", {"sad": []}).detail == "state.sad: unknown key; did you mean 'said'?"
    assert "did you mean" in refused(run.restart, "cc").detail
    assert "a state requires a node" in refused(run.restart, None, {"said": []}).detail


def test_a_node_that_the_run_has_not_passed_needs_a_state() -> None:
    host = GraphHost(flow())
    host.fail("b", ValueError("no"))
    run = host.start("flow", {})

    assert run.status == "failed"
    assert refused(run.restart, "c").code == "step-not-known"
    assert run.restart("c", {"said": ["x"]}).state.said == ["x", "c"]


def test_a_run_of_many_generations_goes_on_from_where_it_stood_last() -> None:
    waiting = GraphHost(conversation()).start("conversation", {})
    for number in range(20):
        waiting.send("answer", {"text": str(number)})

    assert waiting.restart("listen").state.said == [str(number) for number in range(20)]


def test_an_event_that_had_been_taken_is_applied_again_where_the_run_goes_on(run: GraphRun) -> None:
    run.send("answer", {"text": "a"})
    run.send("answer", {"text": "stop"})
    again = run.restart("listen")

    assert (again.status, again.state.said, again.state.value) == ("completed", ["a", "stop"], run.state.value)


def test_a_restart_under_its_key_is_one_run_and_the_key_is_good_for_nothing_else() -> None:
    run = GraphHost(flow()).start("flow", {})

    assert run.restart("b", key="k").id == run.restart("b", key="k").id
    assert refused(run.restart, "c", key="k").code == "key-reused"
    assert refused(run.restart, "b", {"said": ["x"]}, key="k").code == "key-reused"
    assert run.restart("b", {"said": ["x"]}, key="l").id == run.restart("b", {"said": ["x"]}, key="l").id
    assert refused(run.restart, "b", {"said": ["y"]}, key="l").code == "key-reused"
    assert run.restart("b").id != run.restart("b").id


def test_a_branch_is_no_place_to_begin_at() -> None:
    builder = ManifestBuilder("p", Counter).set_entrypoint("all").add_parallel("all", branches=["x", "y"])
    for name in ("x", "y"):
        builder.add_node(name, lambda state: None)
    run = GraphHost(builder.build()).start("p", {})

    assert "'x' is a branch of another node" in refused(run.restart, "x").detail


# --- retry --------------------------------------------------------------------------------------------------------


def test_a_failed_run_goes_on_as_a_new_run_from_the_node_that_has_failed() -> None:
    run = GraphHost(flow(fails=1)).start("flow", {})
    again = run.retry()

    assert (run.status, again.status) == ("failed", "completed")
    assert (again.path, again.state.said) == (["c"], ["a", "b", "c"])
    assert again.view["origin"] == {"run": run.id, "verb": "retry", "node": "c", "step": 2}


def test_only_what_has_failed_is_retried(run: GraphRun) -> None:
    assert refused(run.retry).code == "run-not-failed"
    assert refused(run.cancel().retry).code == "run-not-failed"


def test_a_retried_map_runs_only_the_items_that_have_failed() -> None:
    seen: list[str] = []

    def work(state: Counter, item: str) -> str:
        seen.append(item)
        if item == "b" and seen.count("b") < 3:
            raise ValueError(item)
        return item.upper()

    builder = ManifestBuilder("m", Counter).set_entrypoint("map")
    policy = RetryPolicy(max_attempts=2, first_interval=timedelta(seconds=1))
    builder.add_map("map", work, over="said", into="said", retry=policy)
    run = GraphHost(builder.build()).start("m", {"said": ["a", "b", "c"]}).advance(timedelta(minutes=1))
    assert run.status == "failed"

    assert run.retry().state.said == ["A", "B", "C"]
    assert sorted(seen) == ["a", "b", "b", "b", "c"]


def test_a_retry_of_a_version_that_is_not_deployed_any_more_runs_on_the_one_that_is() -> None:
    host = GraphHost(line("a", "b", version="1"))
    host.fail("b", ValueError("no"))
    run = host.start("line", {})
    host.deploy(line("a", "b", version="2"))

    again = run.retry()
    assert (again.status, again.view["version"], again.state.value) == ("completed", "2", 2)
    host.deploy(line("a", "c", version="3"))
    assert "'b' is not a node of graph 'line'" in refused(run.retry).detail
