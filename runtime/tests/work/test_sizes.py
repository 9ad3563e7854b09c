"""One limit for what crosses the durable boundary at once, and a sentence wherever something exceeds it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from azure_functions_durable_graph import DurableGraphApp, ItemResult, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.azure import sdk
from azure_functions_durable_graph.errors import PayloadTooLarge, RegistrationError
from azure_functions_durable_graph.graph.sizes import LEAST_BYTES, MOST_BYTES, bytes_of, check_text, check_value
from azure_functions_durable_graph.run.orchestrator import orchestrate
from azure_functions_durable_graph.testing import GraphHost, Problem
from azure_functions_durable_graph.work.starting import new_run

HALF = "x" * (MOST_BYTES // 2)
CURE = "keep large data in a blob or a file, and its name in the state"


class Work(BaseModel):
    items: list[int] = [1, 2, 3]
    one: str = ""
    two: str = ""
    done: list[str] = []


class Collecting(BaseModel):
    items: list[int] = []
    done: list[ItemResult[str]] = []


def builder(entrypoint: str, **options: Any) -> ManifestBuilder:
    return ManifestBuilder("g", Work, **options).set_entrypoint(entrypoint)


def nothing(state: Work) -> None:
    return None


# --- what is counted ----------------------------------------------------------------------------------------------


@given(st.recursive(st.none() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_a_value_takes_the_bytes_of_its_text_within_json(value: Any) -> None:
    text = json.dumps(value)

    assert bytes_of(value) == len(json.dumps(text).encode()) - 2


@given(st.text(), st.integers(0, 50))
def test_a_text_is_judged_as_the_value_is(text: str, most: int) -> None:
    def verdict(check: Any, value: Any) -> str | None:
        try:
            check(value, most, "it")
        except PayloadTooLarge as error:
            return str(error)
        return None

    assert verdict(check_text, json.dumps(text)) == verdict(check_value, text)


# --- where it is refused ------------------------------------------------------------------------------------------


def test_a_run_with_too_large_an_input_does_not_start() -> None:
    with GraphHost(builder("a").add_node("a", nothing, terminal=True).build()) as host:
        with pytest.raises(Problem) as refused:
            host.start("g", {"one": HALF, "two": '"' * (MOST_BYTES // 8)})

        assert (refused.value.status, refused.value.code) == (413, "body-too-large")
        assert refused.value.detail.startswith("the input of a run of graph 'g' takes 1,00")
        assert "bytes (two 500,004, one 500,004, items 9), and max_payload_bytes is 1,000,000" in refused.value.detail
        assert host.run_ids() == []


def test_a_node_whose_result_is_too_large_fails_as_by_an_error_of_its_own() -> None:
    graph = builder("a").add_node(
        "a", lambda state: {"one": HALF * 2}, on_error={"PayloadTooLarge": "b"}, terminal=True
    )
    graph.add_node("b", lambda state: {"two": "rescued"}, terminal=True)
    with GraphHost(graph.build()) as host:
        run = host.start("g", {})

        assert (run.status, run.path, run.state.two) == ("completed", ["a", "b"], "rescued")


def test_a_node_that_makes_the_state_too_large_is_told_which_fields_are_large() -> None:
    graph = builder("a").add_node("a", lambda state: {"two": HALF}, terminal=True)
    with GraphHost(graph.build()) as host:
        run = host.start("g", {"one": HALF[:-10]})

        assert run.status == "failed"
        assert run.error is not None
        assert (run.error["type"], run.error["where"], run.error["node"]) == ("PayloadTooLarge", "size", "a")
        assert run.error["message"].startswith("the state after node 'a' takes 1,000,0")
        assert "bytes (two 500,004, one 499,994, items 9), and" in run.error["message"]


def test_the_error_is_not_tried_again() -> None:
    from azure_functions_durable_graph import RetryPolicy

    graph = builder("a").add_node(
        "a", lambda state: {"one": HALF * 2}, retry=RetryPolicy(max_attempts=5), terminal=True
    )
    with GraphHost(graph.build()) as host:
        assert host.start("g", {}).error is not None
        assert host.activities_run == 1


def test_the_input_of_a_subgraph_is_refused_in_its_parent() -> None:
    child = ManifestBuilder("child", Work).set_entrypoint("a").add_node("a", nothing, terminal=True).build()
    graph = builder("s").add_subgraph("s", graph="child", input={"one": "one", "two": "one"}, output={"done": "done"})
    with GraphHost(graph.build(), child) as host:
        run = host.start("g", {"one": HALF})

        assert run.error is not None
        assert run.error["where"] == "input of the subgraph"
        assert "the input of a run of graph 'child' takes" in run.error["message"]


def test_an_answer_that_is_too_large_is_refused() -> None:
    wait = RouteDecision.wait_for_event(event_name="go", resume_node="b")
    graph = builder("a").add_node("a", nothing, route=lambda state: wait, targets=["b"])
    graph.add_node("b", nothing, terminal=True).add_event_handler("go", lambda state, payload: None)
    with GraphHost(graph.build()) as host:
        run = host.start("g", {})
        with pytest.raises(Problem) as refused:
            run.send("go", '"' * (MOST_BYTES // 4))

        assert (refused.value.status, run.status) == (413, "waiting")


def test_an_answer_that_does_not_fit_beside_the_state_ends_the_run_with_a_sentence() -> None:
    wait = RouteDecision.wait_for_event(event_name="go", resume_node="b")
    graph = builder("a").add_node("a", nothing, route=lambda state: wait, targets=["b"])
    graph.add_node("b", nothing, terminal=True).add_event_handler("go", lambda state, payload: None)
    with GraphHost(graph.build()) as host:
        run = host.start("g", {"one": HALF})
        run.post("go", HALF)

        assert run.status == "failed"
        assert run.error is not None
        assert "the call of node 'b' takes 1,00" in run.error["message"]
        assert CURE in run.error["message"]


def test_an_output_that_is_too_large_ends_the_run_with_a_sentence() -> None:
    graph = builder("m").add_map("m", lambda state, item: HALF, over="items", into="done")
    with GraphHost(graph.build()) as host:
        run = host.start("g", {})

        assert run.error is not None
        assert "the output of the run takes 1,50" in run.error["message"]
        assert "(done 1,500,0" in run.error["message"]


def test_a_branch_that_cannot_go_on_fails_its_run_with_the_sentence() -> None:
    wait = RouteDecision.wait_for_event(event_name="go", resume_node="b")
    graph = builder("p").add_parallel("p", branches=["a", "c"], next_node="end").add_node("c", nothing)
    graph.add_node("a", nothing, route=lambda state: wait, targets=["b"]).add_node("b", nothing)
    graph.add_node("end", nothing, terminal=True).add_event_handler("go", lambda state, payload: None)
    with GraphHost(graph.build()) as host:
        run = host.start("g", {"one": HALF})
        run.post("go", HALF)

        assert run.status == "failed"
        assert run.error is not None
        assert "the call of node 'b' takes 1,00" in run.error["message"]


def test_what_a_run_carries_into_its_next_generation_is_refused_with_a_sentence() -> None:
    def turn(state: Work) -> dict[str, Any]:
        return {"two": state.one[:-1] + "y", "items": [*state.items, 1]}

    graph = builder("a").add_node("a", turn, route=lambda state: "a" if len(state.items) < 40 else "__complete__")
    with GraphHost(graph.build()) as host:
        run = host.start("g", {"one": "x" * (MOST_BYTES // 2 - 1_000)})

        assert run.status == "failed"
        assert run.error is not None
        assert "what the run carries to node 'a' takes 1,0" in run.error["message"]
        assert "bytes (state.two 499,004, state.one 499,004, trail " in run.error["message"]


def test_an_item_whose_result_is_too_large_fails_as_by_an_error_of_its_own() -> None:
    def handler(state: Collecting, item: int) -> str:
        return HALF * item

    collected = ManifestBuilder("g", Collecting).set_entrypoint("m")
    collected.add_map("m", handler, over="items", into="done", on_item_error="collect")
    with GraphHost(collected.build()) as host:
        run = host.start("g", {"items": [0, 2]})

        assert run.status == "completed"
        assert [one.ok for one in run.state.done] == [True, False]
        assert run.state.done[1].error.type == "PayloadTooLarge"


def test_results_of_items_that_are_too_large_together_end_the_run_with_a_sentence() -> None:
    graph = builder("m").add_map("m", lambda state, item: HALF, over="items", into="done", next_node="b")
    with GraphHost(graph.add_node("b", nothing, terminal=True).build()) as host:
        run = host.start("g", {})

        assert run.status == "failed"
        assert run.error is not None
        assert "the call of node 'b' takes 1,50" in run.error["message"]
        assert "bytes (state.done 1,500,0" in run.error["message"]


def test_a_map_whose_parts_give_too_much_together_is_told_by_the_field_that_they_fill() -> None:
    graph = builder("m").add_map("m", lambda state, item: "x" * 2_000, over="items", into="done", next_node="b")
    graph.add_node("b", nothing, terminal=True)
    with GraphHost(graph.build(), max_payload_bytes=100_000) as host:
        run = host.start("g", {"items": [0] * 60})

        assert run.status == "failed"
        assert run.error is not None
        assert "what the run carries to node 'b' takes 12" in run.error["message"]
        assert "bytes (state.done 120,3" in run.error["message"]


def test_a_part_of_a_map_that_is_too_large_to_start_is_told_by_its_node_and_what_is_large() -> None:
    graph = builder("m").add_map("m", lambda state, item: "", over="items", into="done", max_concurrency=2)
    with GraphHost(graph.build(), max_payload_bytes=100_000) as host:
        owner = "r" * 100  # which each part names
        run = host.start("g", {"items": [0] * 3, "one": "x" * 99_400}, run_id=owner)

        assert run.status == "failed"
        assert run.error is not None
        assert "the start of the run 'g." in run.error["message"]
        assert "' at node 'm' takes 100," in run.error["message"]
        assert "bytes (state.one 99,404, plan " in run.error["message"]


def test_a_node_whose_result_does_not_fit_beside_the_others_runs_again_by_itself() -> None:
    calls: list[str] = []

    def fill(name: str, size: int) -> Any:
        def handler(state: Work) -> dict[str, str]:
            calls.append(name)
            return {"one": name * size}

        return handler

    graph = builder("a", durability="wait").add_node("a", fill("a", MOST_BYTES // 4), next_node="b")
    graph.add_node("b", fill("b", 4 * MOST_BYTES // 5), terminal=True)
    with GraphHost(graph.build()) as host:
        run = host.start("g", {})

        assert (run.status, run.path, calls) == ("completed", ["a", "b"], ["a", "b", "b"])


def test_nodes_share_an_activity_only_as_far_as_their_results_fit_into_one() -> None:
    calls: list[str] = []

    def fill(name: str) -> Any:
        def handler(state: Work) -> dict[str, str]:
            calls.append(name)
            return {"one": name + HALF[:-1000]}

        return handler

    graph = builder("a", durability="wait").add_node("a", fill("a"), next_node="b")
    graph.add_node("b", fill("b"), next_node="c").add_node("c", fill("c"), terminal=True)
    with GraphHost(graph.build()) as host:
        run = host.start("g", {})

        assert (run.status, run.path) == ("completed", ["a", "b", "c"])
        assert calls == ["a", "b", "c"]
        assert run.state.one[0] == "c"


def test_what_is_not_sent_is_told_as_the_extension_expects_it_of_an_orchestrator_that_raised() -> None:
    graph = builder("a").add_node("a", nothing, next_node="b").add_node("b", nothing, terminal=True).build()
    run = new_run(graph, {"one": "x" * LEAST_BYTES}, {}, "2030-01-01T00:00:00+00:00")
    call = sdk.episode_runner(lambda context: orchestrate(sdk.SparingContext(context, LEAST_BYTES), run))
    start = {"EventId": -1, "IsPlayed": False, "Timestamp": "2030-01-01T00:00:00Z"}
    history = [{**start, "EventType": 12}, {**start, "EventType": 0, "Name": "g", "Version": None, "Input": "{}"}]
    given = {"history": history, "input": "null", "instanceId": "r", "isReplaying": False, "parentInstanceId": None}

    with pytest.raises(Exception, match="OutOfProcData") as told:
        call(json.dumps({**given, "upperSchemaVersion": 1, "upperSchemaVersionNew": 2}))

    state = json.loads(str(told.value).split("$OutOfProcData$:")[1])
    assert state["error"].startswith("the call of node 'a' takes 10,")
    assert state["actions"] == [[]]
    assert state["customStatus"]["node"] == "a"


# --- the limit ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("limit", [0, -1, LEAST_BYTES - 1, True, 1e6, "1000000", None])
def test_an_app_is_told_of_a_limit_that_is_none(limit: Any) -> None:
    with pytest.raises(RegistrationError, match="max_payload_bytes must be a whole number of at least 10,000, not"):
        DurableGraphApp(max_payload_bytes=limit)


def test_a_test_may_have_the_limit_of_its_app() -> None:
    graph = builder("a").add_node("a", lambda state: {"two": HALF * 3}, next_node="b")
    with GraphHost(graph.add_node("b", nothing, terminal=True).build(), max_payload_bytes=5_000_000) as host:
        assert host.start("g", {"one": HALF * 3}).status == "completed"


def test_an_app_may_allow_more_or_less() -> None:
    assert DurableGraphApp(max_payload_bytes=20_000_000).registry.most_bytes == 20_000_000
    assert DurableGraphApp().registry.most_bytes == MOST_BYTES
