"""However a child ends, its parent's node has an answer: the child's state, its error, or that it was lost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from reviews import YES, parent, review

from azure_functions_durable_graph.testing import GraphHost, GraphRun


def ended_with(output: Any) -> GraphRun:
    """A parent whose child has come to an end that no graph would write, as an old or foreign orchestration may."""
    host = GraphHost(parent(on_error="mend"), review())
    worker: Any = host._host.worker
    orchestrate = worker.orchestrate

    async def ending(name: Any, context: Any) -> Any:
        outcome = await orchestrate(name, context)
        is_child = json.loads(context)["instanceId"].startswith("review.")
        return replace(outcome, actions=[], done=True, output=json.dumps(output)) if is_child else outcome

    worker.orchestrate = ending
    return host.start("article", {})


@pytest.mark.parametrize(
    ("output", "kind"),
    [(7, "int"), ("done", "str"), (None, "NoneType"), ([], "list"), ({}, "dict"), ({"state": 7}, "dict")],
)
def test_an_end_that_is_not_a_runs_is_an_error_of_the_node(output: Any, kind: str) -> None:
    run = ended_with(output)

    assert run.status == "completed"
    assert f"it returned {kind}, which is not the result of a run" in run.state.failed_with
    assert "was terminated or could not be started" in run.state.failed_with


def test_a_state_without_a_field_that_the_parent_takes_is_an_error_that_names_it() -> None:
    run = ended_with({"state": {"approved": True, "reviewr": "alice"}})

    assert run.state.failed_with == (
        "the state of the child has no field 'reviewer', which output=… names; did you mean 'reviewr'?"
    )


def test_a_child_that_fails_is_told_with_its_run_its_node_and_its_error() -> None:
    run = GraphHost(parent(), review(fails=1)).start("article", {})

    error = run.error
    assert error is not None
    (inner,) = error["errors"]
    assert (error["type"], error["bases"], error["where"]) == ("RuntimeError", ["Exception"], "subgraph")
    assert error["message"].endswith(", node 'begin': no reviewer")
    assert (inner["node"], inner["message"], inner["attempts"]) == ("begin", "no reviewer", 1)


def test_a_child_that_was_ended_from_outside_is_told_with_its_run() -> None:
    host = GraphHost(parent(), review())
    run = host.start("article", {})
    (child,) = run.view["children"]
    assert child["node"] == "check"

    GraphRun(host, child["id"]).cancel("not needed")

    assert run.error is not None
    assert {key: run.error[key] for key in ("type", "bases", "where")} == {
        "type": "ChildRunLost",
        "bases": ["Exception"],
        "where": "subgraph",
    }
    assert run.error["message"].startswith(f"run {child['id']} was terminated or could not be started: ")


def test_a_child_is_called_after_its_graph_and_the_same_at_every_replay() -> None:
    host = GraphHost(parent(), review())
    run = host.start("article", {}, run_id="one")
    (child,) = run.view["children"]

    assert child["id"].startswith("review.")
    assert len(child["id"]) == len("review.") + 32
    assert run.send("verdict", YES).status == "completed"
    other = host.start("article", {}, run_id="two")
    assert other.view["children"][0]["id"] != child["id"]


def test_a_run_shows_the_child_only_while_it_waits_for_it() -> None:
    run = GraphHost(parent(), review()).start("article", {})
    run.send("verdict", YES)

    assert "children" not in run.view
