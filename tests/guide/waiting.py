"""The guide on events, waits and requests over HTTP."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from served import served

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.testing import run_graph
from guide.blocks import (
    Block,
    ReviewState,
    check_of,
    execute,
    guide_review,
    nothing,
    review_builder,
)
from guide.shells import read_command


@check_of("External events 1")
def _events(block: Block) -> None:
    graph = guide_review().build()
    assert run_graph(graph, {"needs_approval": False}).path == ["review", "apply_decision"]
    run = run_graph(graph, {}).send("manager_approval", {"approved": True, "reviewer": "alice@example.com"})
    assert (run.state.approved, run.state.reviewer) == (True, "alice@example.com")


@check_of("External events 2")
def _checked_events(block: Block) -> None:
    builder = review_builder()
    execute(block, BaseModel=BaseModel, ReviewState=ReviewState, builder=builder)
    builder.add_node(
        "review",
        nothing,
        route=lambda state: RouteDecision.wait_for_event(event_name="director_approval", resume_node="apply_decision"),
    )
    run = run_graph(builder.build(), {})
    with pytest.raises(Exception, match=r"payload\.reviewer"):
        run.send("director_approval", {"approved": True})
    assert run.send("director_approval", {"approved": True, "reviewer": "bob"}).state.reviewer == "bob"


@check_of("Sending events via HTTP 1")
@check_of("Sending events via HTTP 2")
def _send(block: Block) -> None:
    status, run = paste_at_a_waiting_run(block)
    assert status in (200, 202)
    assert (run["status"], run["output"]["reviewer"]) == ("completed", "alice@example.com")


@check_of("Cancelling runs 1")
@check_of("Cancelling runs 2")
def _cancel(block: Block) -> None:
    status, run = paste_at_a_waiting_run(block)
    assert status == 202
    assert (run["status"], run["reason"]) == ("cancelled", "user requested cancellation")


def paste_at_a_waiting_run(block: Block) -> tuple[int, dict[str, Any]]:
    """Send what a command for a shell sends, to a run that waits; the answer's status, and the run afterwards."""
    runtime = DurableGraphApp()
    runtime.register_registration(guide_review().build())
    with served(runtime.function_app) as (url, _):
        api = f"{url}/api"
        run_id = httpx.post(f"{api}/graphs/reviews/runs", json={"input": {}}).json()["id"]
        command = read_command(block.text)
        assert command.method == "POST"
        target = api + command.path.replace("{instance_id}", run_id)
        answer = httpx.post(target, content=command.body, headers={"Content-Type": str(command.content_type)})
        run: dict[str, Any] = httpx.get(f"{api}/runs/{run_id}", params={"wait": 10}).json()
        return answer.status_code, run


@check_of("Waits 1")
def _deadline(block: Block) -> None:
    route = execute(block, ReviewState=ReviewState, RouteDecision=RouteDecision)["route_with_deadline"]
    builder = review_builder().add_node("review", nothing, route=route).add_node("escalate", nothing, terminal=True)
    graph = builder.add_event_handler("manager_approval", lambda state, payload: payload).build()
    assert run_graph(graph, {}).advance(timedelta(days=30)).path == ["review", "escalate"]
    answered = run_graph(graph, {}).advance(timedelta(days=29)).send("manager_approval", {"approved": True})
    assert answered.path == ["review", "apply_decision"]


@check_of("Waits 2")
def _any(block: Block) -> None:
    route = execute(block, ReviewState=ReviewState, RouteDecision=RouteDecision)["route_by_answer"]
    builder = ManifestBuilder("g", ReviewState).set_entrypoint("ask").add_node("ask", nothing, route=route)
    for event, node in (("approved", "ship"), ("rejected", "refund")):
        builder.add_event_handler(event, lambda state, payload: None).add_node(node, nothing, terminal=True)
    assert run_graph(builder.build(), {}).send("rejected").path == ["ask", "refund"]


@check_of("The question 1")
def _question(block: Block) -> None:
    route = execute(block, ReviewState=ReviewState, RouteDecision=RouteDecision)["route_with_question"]
    builder = review_builder().add_node("review", nothing, route=route)
    graph = builder.add_event_handler("manager_approval", lambda state, payload: payload).build()
    (wait,) = run_graph(graph, {}).view["waits"]
    assert (wait["id"], wait["prompt"]["title"]) == ("manager_approval.0", "Publish this draft?")


class PollState(BaseModel):
    """The state of the polling example."""

    polls: int = 0
    ready: bool = False


@check_of("Waits 3")
def _sleep(block: Block) -> None:
    builder = ManifestBuilder("g", PollState).set_entrypoint("poll")
    names = dict.fromkeys(("fetch", "finish"), nothing)
    execute(
        block,
        builder=builder,
        PollState=PollState,
        RouteDecision=RouteDecision,
        timedelta=timedelta,
        poll=lambda state: {"polls": state.polls + 1, "ready": state.polls >= 2},
        **names,
    )
    run = run_graph(builder.build(), {}).advance(timedelta(hours=2))
    assert run.path == ["poll", "poll", "poll", "fetch"]
    assert run.advance(timedelta(minutes=5)).path[-2:] == ["cool_down", "finish"]
