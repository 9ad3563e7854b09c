"""What is shown of branches, parts and items has the shape that the models of responses say."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from branching import checking
from reviewing import papers, piling, reading

from azure_functions_durable_graph.commands.show import about
from azure_functions_durable_graph.history.views import run_view
from azure_functions_durable_graph.http.responses import History, Run
from azure_functions_durable_graph.http.runs import get_history, get_run
from azure_functions_durable_graph.testing import GraphHost, GraphRun


def shown(run: GraphRun) -> tuple[Run, History]:
    def ask(handler: Any) -> Any:
        return run.host.call(handler, {"id": run.id})

    return Run.model_validate(ask(get_run)), History.model_validate(ask(get_history))


def test_a_branch_that_waits_is_not_over_and_one_that_has_ended_is() -> None:
    run = GraphHost(checking()).start("contract", {})
    seen, history = shown(run)
    branch = next(step for step in history.steps if step.node == "legal")
    assert (branch.has_led_on, branch.child) == (False, seen.children[0]["id"])
    assert seen.fan_out == {"done": 0, "of": 2}
    assert shown(run.branches["legal"])[0].part_of == run.id

    run.send("signature", {"name": "ann"})
    branch = next(step for step in shown(run)[1].steps if step.node == "legal")

    assert branch.has_led_on
    assert branch.writes == [{"notes": ["legal"]}, {"notes": ["ann signed"]}, {"notes": ["signed as fine by ann"]}]


def test_the_progress_of_a_map_is_counted_over_its_parts() -> None:
    titles = ["a", "b", "ask", "c", "d", "e"]
    run = GraphHost(piling(max_concurrency=2), reading()).start("pile", papers(*titles))

    seen, _ = shown(run)

    assert seen.fan_out == {"done": 5, "of": 6}
    assert [wait.run for wait in seen.waits] == [run.items[2].id]


@pytest.mark.parametrize(("items", "at_once"), [(30, 100), (60, 4), (60, 1), (120, 100)])
def test_the_progress_of_a_map_says_how_many_have_failed_at_any_size(items: int, at_once: int) -> None:
    titles = ["torn", "torn", *["a"] * (items - 3), "ask"]
    run = GraphHost(piling(max_concurrency=at_once), reading()).start("pile", papers(*titles))

    seen, _ = shown(run)

    assert seen.fan_out == {"done": items - 1, "of": items, "failed": 2}
    assert f"done          {items - 1} of {items}, 2 failed" in about(seen)
    run.send("opinion", {"text": "well"})
    assert run.status == "failed", "and then all of it is in the error"


@pytest.mark.parametrize("told", [{}, {"done": "x"}, {"done": 1, "failed": "x"}, {"done": 1, "of": None, "failed": []}])
def test_a_status_that_somebody_else_has_written_is_shown_as_far_as_it_goes(told: dict[str, Any]) -> None:
    host = GraphHost(checking())
    record = host.peek(host.start("contract", {}).id)
    assert record is not None

    shown = run_view(replace(record, custom_status={**record.custom_status, "fan_out": told}))

    assert about(Run.model_validate({**shown, "trace_id": None}))
