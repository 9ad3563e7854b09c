"""The testing door that users write their tests with."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from pydantic import BaseModel
from shapes import Counter, conversation, increment, line

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.errors import RegistrationError
from azure_functions_durable_graph.testing import GraphHost, Problem, run_graph


def test_a_run_goes_as_far_as_it_can() -> None:
    run = run_graph(line("a", "b"), {"goal": 9})

    assert (run.status, run.path, run.state) == ("completed", ["a", "b"], Counter(value=2, goal=9))


def test_a_bad_input_raises_what_the_route_would_answer() -> None:
    with pytest.raises(Problem, match=r"422 invalid: .*input\.value"):
        run_graph(line("a"), {"value": "many"})


def test_an_unknown_graph_raises() -> None:
    with pytest.raises(Problem, match="404 graph-not-found"):
        GraphHost(line("a")).start("lines", {})


def test_inside_a_running_loop_it_works_the_same_way() -> None:
    """A plain function: the loop of an async test is neither needed nor disturbed."""

    async def async_test() -> Any:
        return run_graph(line("a"), {}).status

    assert asyncio.run(async_test()) == "completed"


def test_async_handlers_run_too() -> None:
    async def handler(state: Any) -> Any:
        await asyncio.sleep(0)
        return {"value": 3}

    builder = ManifestBuilder("g", Counter).set_entrypoint("a").add_node("a", handler, terminal=True)

    assert run_graph(builder.build(), {}).state.value == 3


def test_several_graphs_and_runs_share_a_host() -> None:
    host = GraphHost(line("a"), conversation())

    first = host.start("conversation", {}, run_id="one")
    second = host.start("conversation", {}, run_id="two", metadata={"by": "me"})
    first.send("answer", {"text": "stop"})

    assert (first.status, second.status) == ("completed", "waiting")
    assert second.view["metadata"] == {"by": "me"}
    assert host.activities_run == 3


def test_a_payload_may_be_a_model() -> None:
    class Payload(BaseModel):
        text: str

    run = run_graph(conversation(), {}).send("answer", Payload(text="stop"))

    assert run.state.said == ["stop"]


def test_time_passes_only_when_it_is_told_to() -> None:
    run = run_graph(conversation(), {})
    before = run.host.clock.now()

    run.advance(timedelta(days=365))

    assert run.host.clock.now() - before == timedelta(days=365)
    assert run.waits == ["answer"]


def test_deployments_happen_in_the_middle_of_a_run() -> None:
    host = GraphHost(conversation())
    run = host.start("conversation", {})

    host.deploy(line("a"))
    with pytest.raises(RegistrationError, match="no graph 'conversation'"):
        _ = run.state

    host.deploy(conversation())
    assert run.state.said == []


def test_a_decision_taken_in_a_test_graph_is_followed() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=lambda state: {"action": "next", "next_node": "b"})
    builder.add_node("b", increment, route=lambda state: None, next_node="c")
    builder.add_node("c", increment, route=lambda state: RouteDecision.complete())

    assert run_graph(builder.build(), {}).path == ["a", "b", "c"]


def test_only_registrations_can_be_registered() -> None:
    with pytest.raises(RegistrationError, match="a GraphRegistration was expected"):
        DurableGraphApp().register_registration(ManifestBuilder("g", Counter))  # type: ignore[arg-type]
    with pytest.raises(RegistrationError, match="takes a package"):
        DurableGraphApp().register_package(asyncio.tasks)
