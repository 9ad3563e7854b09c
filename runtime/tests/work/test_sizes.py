"""One limit for what crosses the durable boundary at once, and a sentence wherever something exceeds it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from too_large import HALF, Collecting, Work, builder, nothing

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.errors import PayloadTooLarge, RegistrationError
from azure_functions_durable_graph.graph.sizes import (
    LEAST_BYTES,
    MOST_BYTES,
    bytes_of,
    check_text,
    check_value,
    surely_fits,
)
from azure_functions_durable_graph.testing import GraphHost, Problem

# --- what is counted ----------------------------------------------------------------------------------------------


@given(st.recursive(st.none() | st.integers() | st.text(), lambda one: st.lists(one) | st.dictionaries(st.text(), one)))
def test_a_value_takes_the_bytes_of_its_text_within_json(value: Any) -> None:
    text = json.dumps(value)

    assert bytes_of(value) == len(json.dumps(text).encode()) - 2


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
        lambda one: st.lists(one) | st.dictionaries(st.text(), one),
    )
)
@example("\x01" * 100)
@example([False] * 100)
@example(["x" * 100] * 100)
def test_what_surely_fits_fits(value: Any) -> None:
    size = bytes_of(value)

    assert not surely_fits(value, size - 1)
    assert surely_fits(value, 100 * size)


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
        assert "bytes (two 500,004, one 500,004, items 9), but a state may take 950,000, 95 %" in refused.value.detail
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
        assert "bytes (two 500,004, one 499,994, items 9), but" in run.error["message"]


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
