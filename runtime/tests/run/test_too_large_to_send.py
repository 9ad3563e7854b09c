"""What only adds up in the orchestrator is not sent: the run ends with a sentence, which names the node."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from too_large import CURE, HALF, Work, builder, nothing

from azure_functions_durable_graph import RouteDecision
from azure_functions_durable_graph.azure import sdk
from azure_functions_durable_graph.azure.sparing import SparingContext
from azure_functions_durable_graph.graph.sizes import LEAST_BYTES
from azure_functions_durable_graph.run.orchestrator import orchestrate
from azure_functions_durable_graph.testing import GraphHost
from azure_functions_durable_graph.work.starting import new_run


def test_an_answer_that_does_not_fit_beside_the_state_ends_the_run_with_a_sentence() -> None:
    wait = RouteDecision.wait_for_event(event_name="go", resume_node="b")
    graph = builder("a").add_node("a", nothing, route=lambda state: wait, targets=["b"])
    graph.add_node("b", nothing, terminal=True).add_event_handler("go", lambda state, payload: None)
    with GraphHost(graph.build()) as host:
        run = host.start("g", {"one": HALF})
        run.post("go", HALF)

        assert run.status == "failed"
        assert run.error is not None
        assert "the call to node 'b' takes 1,00" in run.error["message"]
        assert CURE in run.error["message"]


def test_an_output_that_is_too_large_for_a_later_deployment_ends_the_run_with_a_sentence() -> None:
    graph = builder("a").add_node("a", lambda state: {"one": HALF}, next_node="rest")
    built = graph.add_wait("rest", duration=timedelta(hours=1)).build()
    with GraphHost(built) as host:
        run = host.start("g", {})
        host.deploy(built, max_payload_bytes=100_000)
        run.advance(timedelta(hours=1))

        assert run.error is not None
        assert "the output of the run takes 500,0" in run.error["message"]
        assert "(one 500,0" in run.error["message"]


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
        assert "the call to node 'b' takes 1,00" in run.error["message"]


def test_what_a_run_carries_into_its_next_generation_is_refused_with_a_sentence() -> None:
    """With its state it carries what its input was."""

    def turn(state: Work) -> dict[str, Any]:
        return {"one": state.one[:-1] + "y", "items": [*state.items, 1]}

    graph = builder("a").add_node("a", turn, route=lambda state: "a" if len(state.items) < 40 else "__complete__")
    with GraphHost(graph.build()) as host:
        run = host.start("g", {"one": HALF})

        assert run.status == "failed"
        assert run.error is not None
        assert "what the run carries to node 'a' takes 1,00" in run.error["message"]
        assert "bytes (input 500,0" in run.error["message"]
        assert ", state.one 500,004, trail " in run.error["message"]


def test_a_part_of_a_map_that_is_too_large_to_start_is_told_by_its_node_and_what_is_large() -> None:
    graph = builder("rest").add_wait("rest", duration=timedelta(hours=1), next_node="m")
    built = graph.add_map("m", lambda state, item: "", over="items", into="done", max_concurrency=2).build()
    with GraphHost(built) as host:
        run = host.start("g", {"items": [0] * 3, "one": HALF})
        host.deploy(built, max_payload_bytes=100_000)
        run.advance(timedelta(hours=1))

        assert run.status == "failed"
        assert run.error is not None
        assert "the start of the run 'g." in run.error["message"]
        assert "' at node 'm' takes 500," in run.error["message"]
        assert "bytes (state.one 500,004, plan " in run.error["message"]


def test_what_is_not_sent_is_told_as_the_extension_expects_it_of_an_orchestrator_that_raised() -> None:
    graph = builder("a").add_node("a", nothing, next_node="b").add_node("b", nothing, terminal=True).build()
    run = new_run(graph, {"one": "x" * LEAST_BYTES}, {}, "2030-01-01T00:00:00+00:00")
    call = sdk.episode_runner(lambda context: orchestrate(SparingContext(context, LEAST_BYTES), run))
    start = {"EventId": -1, "IsPlayed": False, "Timestamp": "2030-01-01T00:00:00Z"}
    history = [{**start, "EventType": 12}, {**start, "EventType": 0, "Name": "g", "Version": None, "Input": "{}"}]
    given = {"history": history, "input": "null", "instanceId": "r", "isReplaying": False, "parentInstanceId": None}

    with pytest.raises(Exception, match="OutOfProcData") as told:
        call(json.dumps({**given, "upperSchemaVersion": 1, "upperSchemaVersionNew": 2}))

    state = json.loads(str(told.value).split("$OutOfProcData$:")[1])
    assert state["error"].startswith("the call to node 'a' takes 10,")
    assert state["actions"] == [[]]
    assert state["customStatus"]["node"] == "a"
