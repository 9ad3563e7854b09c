"""A map runs its handler on every item of a list, in rounds, and keeps the order of the results."""

from datetime import timedelta

import pytest
from fan_out_graphs import Doc, Work, docs, scoring
from pydantic import BaseModel
from watching import record

from azure_functions_durable_graph import ManifestBuilder, NodeContext, RetryPolicy
from azure_functions_durable_graph.graph.manifest import GraphManifest
from azure_functions_durable_graph.graph.plan import Plan
from azure_functions_durable_graph.testing import GraphHost, run_graph


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
    assert max(len(outcome.actions) for _, _, outcome in seen.episodes) <= 13
    assert run.steps[0]["items"] == 500


def test_a_run_of_an_earlier_release_whose_plan_says_nothing_of_parts_keeps_its_rounds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    plan_of = GraphManifest.plan

    def earlier(manifest: GraphManifest) -> Plan:
        plan = plan_of(manifest)
        for node in plan["nodes"].values():
            node.pop("group", None)
            node.pop("keeps", None)
        return plan

    monkeypatch.setattr(GraphManifest, "plan", earlier)
    host = GraphHost(scoring(lambda state, doc: doc.size, max_concurrency=4))
    seen = record(host)

    run = host.start("g", docs(10))

    assert run.state.sizes == list(range(10))
    assert host.run_ids() == [run.id]
    assert [call["item"] for call in seen.activities if "item" in call] == list(range(10))


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
