"""A run whose activity was lost as a whole can be read at any time, and shows what was lost."""

from datetime import timedelta
from typing import Any

import pytest
from failing import graph
from fan_out_graphs import checks, credit, docs, fraud, scoring
from losing import lose
from shapes import increment, line

from azure_functions_durable_graph import GraphRegistration, RetryPolicy
from azure_functions_durable_graph.testing import GraphHost, GraphRun

TWICE = RetryPolicy(max_attempts=2, first_interval=timedelta(seconds=1))


def started(graph: GraphRegistration, given: Any = None, **lost: int) -> GraphRun:
    host = GraphHost(graph)
    lose(host, **lost)
    return host.start(graph.graph_name, given or {})


def test_a_run_that_ended_with_a_lost_activity_shows_its_steps_and_its_state() -> None:
    run = started(line("a", "b"), b=1)

    assert run.status == "failed"
    assert run.error is not None
    assert run.error["type"] == "ActivityLost"
    assert (run.path, run.state.value) == (["a", "b"], 1)
    assert run.steps[1]["error"]["type"] == "ActivityLost"
    assert "b was at work" in run.steps[1]["error"]["message"]
    assert "incomplete" not in run.view


def test_a_lost_activity_counts_as_an_attempt() -> None:
    run = started(graph(increment, retry=TWICE), work=1)
    assert run.status == "sleeping"
    assert run.steps[0]["error"]["type"] == "ActivityLost"

    run.advance(timedelta(seconds=5))

    assert (run.status, run.attempts) == ("completed", {"work": 2})
    assert "error" not in run.steps[0]


@pytest.mark.parametrize("lost", ["credit", "fraud"])
def test_a_lost_branch_is_told_from_those_that_came_back(lost: str) -> None:
    run = started(checks({"credit": credit, "fraud": fraud}), **{lost: 1})

    errors = {step["node"]: step.get("error", {}).get("type") for step in run.steps}
    assert errors == {"credit": None, "fraud": None, lost: "ActivityLost", "check": "ActivityLost"}
    assert run.status == "failed"


def test_a_lost_item_is_run_again() -> None:
    run = started(scoring(lambda state, item: item.size, retry=TWICE), docs(4), score_1=1, score_3=1)

    run.advance(timedelta(seconds=5))

    assert (run.status, run.state.sizes) == ("completed", [0, 1, 2, 3])
    assert run.steps[0]["items"] == 4
