"""What is shown of branches, parts and items has the shape that the models of responses say."""

from __future__ import annotations

from typing import Any

from branching import checking
from reviewing import papers, piling, reading

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
