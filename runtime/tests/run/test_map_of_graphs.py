"""A map that runs a graph for each item: one run an item, whose events, failures and results come back in order."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from reviewing import Pile, papers, piling, reading
from reviews import undeploy
from watching import record

from azure_functions_durable_graph import (
    DurableGraphApp,
    GraphBuildError,
    ManifestBuilder,
    RetryPolicy,
)
from azure_functions_durable_graph.errors import RegistrationError
from azure_functions_durable_graph.testing import GraphHost, GraphRun, Problem


def start(*titles: str, **settings: Any) -> GraphRun:
    return GraphHost(piling(**settings), reading()).start("pile", papers(*titles))


def test_each_item_is_a_run_and_its_fields_come_back_in_order() -> None:
    run = start("a", "b", "c")

    assert (run.status, run.state.verdicts, run.state.sizes) == (
        "completed",
        ["strict a", "strict b", "strict c"],
        [0, 1, 2],
    )
    assert [run.items[index].path for index in range(3)] == [["read", "done"]] * 3
    assert run.path == ["review", "end"]


def test_an_item_costs_one_activity_and_one_run_besides_its_own() -> None:
    host = GraphHost(piling(), reading())
    seen = record(host)

    host.start("pile", papers("a", "b", "c"))

    assert sorted(seen.nodes) == ["done"] * 3 + ["end"] + ["read"] * 3 + ["review"] * 4, "the fourth merges"
    assert len({instance for _, instance, _ in _starts(seen)}) == 4


def _starts(seen: Any) -> list[Any]:
    return [(name, json.loads(context)["instanceId"], outcome) for name, context, outcome in seen.episodes]


def test_nothing_is_run_for_an_empty_list() -> None:
    run = start()

    assert (run.status, run.state.verdicts, run.items) == ("completed", [], {})


def test_items_that_ask_the_same_question_are_told_apart_by_the_id_of_the_wait() -> None:
    run = start("ask 1", "plain", "ask 2")
    waits = [wait["id"] for wait in run.view["waits"]]
    assert (run.status, len(waits)) == ("waiting", 2)
    with pytest.raises(Problem, match="409 event-ambiguous"):
        run.send("opinion", {"text": "?"})

    run.send("opinion", {"text": "second"}, wait_id=waits[1])
    assert run.items[2].status == "completed"
    run.items[0].send("opinion", {"text": "first"})

    assert (run.status, run.state.verdicts) == ("completed", ["first", "strict plain", "second"])


def test_one_slow_item_holds_up_no_other() -> None:
    run = start(*["a"] * 3, "slow", *["b"] * 30, max_concurrency=2)
    assert sum(item.status == "completed" for item in run.items.values()) >= 17

    run.advance(timedelta(hours=1))

    assert (run.status, len(run.state.verdicts)) == ("completed", 34)


def test_no_more_runs_at_once_than_allowed_however_many_items_there_are() -> None:
    run = start(*[f"ask {number}" for number in range(30)], max_concurrency=4)
    assert len(run.view["waits"]) == 4

    for _ in range(30):
        run.send("opinion", {"text": "yes"}, wait_id=run.view["waits"][0]["id"])

    assert (run.status, run.state.verdicts) == ("completed", ["yes"] * 30)


def test_a_hundred_items_wait_at_once_and_each_run_has_a_bounded_history() -> None:
    host = GraphHost(piling(), reading())
    seen = record(host)
    run = host.start("pile", papers(*[f"ask {number}" for number in range(100)]))
    assert len(run.view["waits"]) == 100

    run.cancel("enough")

    assert {item.status for item in run.items.values()} == {"cancelled"}
    assert max(len(outcome.actions) for _, _, outcome in seen.episodes) <= 13


def test_a_failing_item_fails_the_map_and_is_named() -> None:
    run = start("a", "torn", "c", on_error="mend")

    assert run.status == "completed"
    assert run.state.problem.startswith("1 of 3 items failed: 1: ValueError: in run reading.")
    assert run.state.problem.endswith("node 'read': a page is missing")


def test_an_item_is_tried_again_while_another_still_waits() -> None:
    retry = RetryPolicy(max_attempts=2, first_interval=timedelta(minutes=1))
    host = GraphHost(piling(retry=retry), reading())
    host.fail("read", RuntimeError("once"), graph="reading")
    run = host.start("pile", papers("a", "ask"))

    run.advance(timedelta(minutes=1))

    assert [item.status for _, item in sorted(run.items.items())] == ["completed", "waiting"]
    assert run.send("opinion", {"text": "fine"}).state.verdicts == ["strict a", "fine"]


def test_an_item_whose_input_is_not_valid_fails_without_a_run() -> None:
    class Loose(BaseModel):
        papers: list[Any] = []
        verdicts: list[str] = []

    builder = ManifestBuilder("loose", Loose).set_entrypoint("m")
    builder.add_map("m", graph="reading", over="papers", output={"verdicts": "verdict"})
    run = GraphHost(builder.build(), reading()).start("loose", {"papers": [{"title": "a"}, {"title": 5}, 7]})

    assert run.error is not None
    assert [(error["item"], error["type"]) for error in run.error["errors"]] == [
        (1, "ValidationError"),
        (2, "PayloadError"),
    ]
    assert "the item is of type int, not an object" in run.error["message"]


def test_a_graph_that_is_not_deployed_parks_the_run() -> None:
    builder = ManifestBuilder("pile", Pile).set_entrypoint("go")
    builder.add_wait("go", duration=timedelta(hours=1), next_node="m")
    builder.add_map(
        "m", graph="reading", over="papers", input={"title": "__item__.title"}, output={"verdicts": "title"}
    )
    host = GraphHost(builder.build(), reading())
    run = host.start("pile", papers("a", "b"))
    undeploy(host, "reading")
    run.advance(timedelta(hours=1))
    assert (run.status, run.view["parked"]) == ("parked", "no graph 'reading' is deployed, but node 'm' runs it")

    host.deploy(builder.build(), reading())
    run.advance(timedelta(hours=1))
    assert run.state.verdicts == ["a", "b"]


def test_a_result_that_does_not_fit_fails_the_map() -> None:
    builder = ManifestBuilder("pile", Pile).set_entrypoint("m")
    builder.add_map("m", graph="reading", over="papers", input={"title": "__item__.title"}, output={"verdicts": "size"})
    run = GraphHost(builder.build(), reading()).start("pile", papers("a"))

    assert run.error is not None
    assert (run.error["type"], run.error["node"]) == ("ValidationError", "m")


def test_a_run_that_failed_is_retried_with_what_failed_only() -> None:
    host = GraphHost(piling(), reading())
    host.fail("read", None, RuntimeError("once"), graph="reading")
    run = host.start("pile", papers("a", "b", "c"))
    assert run.status == "failed"

    again = run.retry()

    assert (again.status, again.state.sizes, len(again.items)) == ("completed", [0, 1, 2], 1)


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"into": "sizes", "graph": "reading"}, "has both graph and into. Use output={…}"),
        (
            {"graph": "reading", "timeout": timedelta(1)},
            "has both graph and timeout. Give the nodes of the graph a timeout",
        ),
        ({}, "does not say where its results go. Name a list field: into=…"),
        ({"into": "sizes", "output": {"sizes": "size"}}, "has output but no graph"),
        (
            {"graph": "reading", "input": {"title": "__item__.titel"}},
            "input names '__item__.titel', and Paper has no such field. Did you mean 'title'?",
        ),
        ({"graph": "reading", "output": {"sises": "size"}}, "output names 'sises', which is not a field of Pile"),
    ],
)
def test_settings_that_do_not_go_together_do_not_build(settings: dict[str, Any], text: str) -> None:
    builder = ManifestBuilder("pile", Pile).set_entrypoint("m")
    handler = [] if "graph" in settings else [lambda state, item: 1]

    with pytest.raises(GraphBuildError) as caught:
        builder.add_map("m", *handler, over="papers", **settings).build()

    assert text in str(caught.value)


def test_a_graph_and_a_handler_do_not_go_together() -> None:
    builder: Any = ManifestBuilder("pile", Pile).set_entrypoint("m")
    builder.add_map("m", lambda state, item: 1, graph="reading", over="papers")

    with pytest.raises(GraphBuildError, match=r"has both graph and a handler\. Drop one of them"):
        builder.build()


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"output": {"sizes": "sice"}}, "output takes 'sizes' from 'sice', which is not a field of 'reading'"),
        ({"input": {"pages": "__item__.pages"}}, "input does not give 'title', which 'reading' requires"),
        ({"graph": "reding"}, "runs the unknown graph 'reding'"),
    ],
)
def test_a_map_is_checked_together_with_its_graph(given: dict[str, Any], text: str) -> None:
    app = DurableGraphApp()
    builder = ManifestBuilder("pile", Pile).set_entrypoint("m")
    app.register_registration(builder.add_map("m", **{"graph": "reading", "over": "papers", **given}).build())
    app.register_registration(reading())

    with pytest.raises(RegistrationError, match=text):
        app.check()
