"""What is too large only together fails the node that has gathered it, and `on_error` deals with it."""

from __future__ import annotations

import operator
from typing import Annotated, Any

import pytest
from pydantic import BaseModel
from too_large import CURE, HALF, Work, builder, nothing

from azure_functions_durable_graph import ItemResult, ManifestBuilder, NodeContext, RetryPolicy, RouteDecision
from azure_functions_durable_graph.testing import GraphHost, GraphRun

RESCUE = {"PayloadTooLarge": "rescue"}


def rescue(state: Work, context: NodeContext) -> dict[str, str]:
    assert context.error is not None
    return {"two": f"{context.error['type']} at {context.error['node']}"}


@pytest.mark.parametrize("items", [3, 60], ids=["at_once", "in_parts"])
def test_the_results_of_all_items_may_be_too_large_together(items: int) -> None:
    size = 120_000 // items
    graph = builder("m").add_map(
        "m", lambda state, item: "x" * size, over="items", into="done", on_error=RESCUE, next_node="b"
    )
    graph.add_node("rescue", rescue, terminal=True).add_node("b", nothing, terminal=True)
    with GraphHost(graph.build(), max_payload_bytes=100_000) as host:
        run = host.start("g", {"items": [0] * items})

        assert (run.status, run.path, run.state.two) == ("completed", ["m", "rescue"], "PayloadTooLarge at m")
        assert run.state.done == []


def test_the_failure_says_what_is_large_and_what_to_do() -> None:
    graph = builder("m").add_map("m", lambda state, item: HALF, over="items", into="done", next_node="b")
    with GraphHost(graph.add_node("b", nothing, terminal=True).build()) as host:
        run = host.start("g", {})

        assert run.status == "failed"
        assert run.error is not None
        assert (run.error["type"], run.error["where"], run.error["node"]) == ("PayloadTooLarge", "size", "m")
        assert run.error["bases"] == ["PayloadError", "GraphError", "ValueError", "Exception"]
        assert run.error["message"].startswith("the state with the results of node 'm' takes 1,50")
        assert "bytes (done 1,500,0" in run.error["message"]
        assert CURE in run.error["message"]


def test_it_is_not_tried_again() -> None:
    calls: list[int] = []

    def handler(state: Work, item: int) -> str:
        calls.append(item)
        return HALF

    policy = RetryPolicy(max_attempts=5)
    graph = builder("m").add_map("m", handler, over="items", into="done", retry=policy)
    with GraphHost(graph.build()) as host:
        assert host.start("g", {}).status == "failed"
        assert sorted(calls) == [1, 2, 3]


def test_a_map_that_a_new_generation_cannot_carry_fails_as_soon_as_that_is_known() -> None:
    graph = builder("m").add_map(
        "m", lambda state, item: "x" * 15_000, over="items", into="done", max_concurrency=2, on_error=RESCUE
    )
    graph.add_node("rescue", rescue, terminal=True)
    with GraphHost(graph.build(), max_payload_bytes=100_000) as host:
        run = host.start("g", {"items": [0] * 40})

        assert (run.status, run.state.two) == ("completed", "PayloadTooLarge at m")


def test_the_items_of_a_share_that_is_too_large_fail_and_those_of_the_others_are_kept() -> None:
    class Collecting(BaseModel):
        items: list[int] = []
        done: list[ItemResult[str]] = []

    graph = ManifestBuilder("g", Collecting).set_entrypoint("m")
    graph.add_map(
        "m",
        lambda state, item: "x" * item,
        over="items",
        into="done",
        max_concurrency=2,
        on_item_error="collect",
    )
    with GraphHost(graph.build(), max_payload_bytes=50_000) as host:
        run = host.start("g", {"items": [1] * 4 + [20_000] * 4})

        assert run.status == "completed"
        assert [one.ok for one in run.state.done] == [True] * 4 + [False] * 4
        assert {one.error.type for one in run.state.done[4:]} == {"PayloadTooLarge"}


@pytest.mark.parametrize("next_node", ["end", None], ids=["before_a_task", "at_the_end"])
def test_branches_may_be_too_large_together(next_node: str | None) -> None:
    graph = builder("p").add_parallel("p", branches=["a", "b"], next_node=next_node, on_error=RESCUE)
    graph.add_node("a", lambda state: {"one": HALF}).add_node("b", lambda state: {"done": [HALF]})
    graph.add_node("rescue", rescue, terminal=True)
    if next_node:
        graph.add_node(next_node, nothing, terminal=True)
    with GraphHost(graph.build()) as host:
        run = host.start("g", {})

        assert (run.status, run.state.two) == ("completed", "PayloadTooLarge at p")


def test_updates_of_branches_that_a_reducer_would_put_together_may_be_too_large() -> None:
    class Notes(BaseModel):
        notes: Annotated[list[str], operator.add] = []

    graph = ManifestBuilder("g", Notes).set_entrypoint("p")
    graph.add_parallel("p", branches=["a", "b"], next_node="end", on_error={"PayloadTooLarge": "rescue"})
    graph.add_node("a", lambda state: {"notes": [HALF]}).add_node("b", lambda state: {"notes": [HALF]})
    graph.add_node("rescue", lambda state: {"notes": ["rescued"]}, terminal=True)
    graph.add_node("end", lambda state: None, terminal=True)
    with GraphHost(graph.build()) as host:
        run = host.start("g", {})

        assert (run.status, run.path, run.state.notes) == ("completed", ["a", "b", "p", "rescue"], ["rescued"])


def test_a_branch_carries_its_updates_beside_its_state_and_fails_where_they_are_too_large() -> None:
    class Notes(BaseModel):
        notes: Annotated[list[str], operator.add] = []

    graph = ManifestBuilder("g", Notes).set_entrypoint("p")
    graph.add_parallel("p", branches=["a", "b"], next_node="end", on_error={"PayloadTooLarge": "rescue"})
    graph.add_node("a", lambda state: {"notes": [HALF]}, next_node="a2").add_node("a2", lambda state: None)
    graph.add_node("b", lambda state: None)
    graph.add_node("rescue", lambda state, context: {"notes": [context.error["message"]]}, terminal=True)
    graph.add_node("end", lambda state: None, terminal=True)
    with GraphHost(graph.build()) as host:
        run = host.start("g", {})

        assert run.status == "completed"
        (told,) = run.state.notes
        assert told.startswith(
            "1 of 2 branches failed: a: PayloadTooLarge: the state with the branch's updates up to node 'a'"
        )


@pytest.mark.parametrize("into", ["two", "done"], ids=["as_it_is", "by_the_rules_of_the_parent"])
def test_what_a_subgraph_gives_may_not_fit_beside_the_state(into: str) -> None:
    class Small(BaseModel):
        given: Any = ""

    child = ManifestBuilder("child", Small).set_entrypoint("a")
    child.add_node("a", lambda state: {"given": HALF if into == "two" else [HALF]}, terminal=True)
    graph = builder("s").add_subgraph("s", graph="child", input={}, output={into: "given"}, on_error=RESCUE)
    graph.add_node("rescue", rescue, terminal=True)
    with GraphHost(graph.build(), child.build()) as host:
        run = host.start("g", {"one": HALF})

        assert (run.status, run.state.two) == ("completed", "PayloadTooLarge at s")


def test_a_state_that_grows_in_small_steps_fails_the_node_that_makes_it_too_large() -> None:
    def grow(state: Work) -> dict[str, Any]:
        return {"done": [*state.done, "x" * 1_000]}

    def route(state: Work) -> str:
        return "a" if len(state.done) < 200 else "__complete__"

    def smaller(state: Work) -> dict[str, Any]:
        return {"done": state.done[:1]}

    graph = builder("a").add_node("a", grow, route=route, on_error=RESCUE).add_node("rescue", smaller, terminal=True)
    with GraphHost(graph.build(), max_payload_bytes=100_000) as host:
        run = host.start("g", {})

        assert (run.status, run.path[-1], len(run.state.done)) == ("completed", "rescue", 1)


def waiting_after_the_map(limit: int) -> tuple[GraphHost, GraphRun]:
    """A run that waits where its map has led it: to `asked` with 120,000 bytes of results, else to `rescue`."""
    wait = RouteDecision.wait_for_event(event_name="go", resume_node="end")
    graph = builder("m").add_map(
        "m", lambda state, item: "x" * 40_000, over="items", into="done", on_error=RESCUE, next_node="asked"
    )
    for name in ("asked", "rescue"):
        graph.add_node(name, nothing, route=lambda state: wait, targets=["end"])
    graph.add_node("end", nothing, terminal=True).add_event_handler("go", lambda state, payload: None)
    built = graph.build()
    host = GraphHost(built, max_payload_bytes=limit)
    run = host.start("g", {})
    host.deploy(built, max_payload_bytes=1_100_000 - limit)
    return host, run


def test_a_deployment_that_allows_more_changes_no_step_that_was_taken() -> None:
    host, run = waiting_after_the_map(100_000)
    with host:
        run.send("go")

        assert (run.status, run.path) == ("completed", ["m", "rescue", "end"])


def test_a_deployment_that_allows_less_ends_a_run_that_sends_more() -> None:
    host, run = waiting_after_the_map(1_000_000)
    with host:
        run.send("go")

        assert (run.status, run.path[:2]) == ("failed", ["m", "asked"])
        assert run.error is not None
        assert "the call to node 'end' takes 120," in run.error["message"]
