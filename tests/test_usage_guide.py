"""Every block of code in docs/usage.md is executed, in the situation that the guide describes."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from served import served

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.testing import GraphHost, run_graph

GUIDE = Path(__file__).parent.parent / "docs" / "usage.md"


@dataclass(frozen=True)
class Block:
    """A fenced block: the heading above it, its number under that heading, and its text."""

    heading: str
    number: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.heading} {self.number}"


def blocks() -> dict[str, Block]:
    """All fenced blocks of the guide, by name."""
    found: dict[str, Block] = {}
    heading = ""
    for match in re.finditer(r"^#+ ([^\n]*)$|^```(\w+)\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.M | re.S):
        if match[1]:
            heading = match[1]
        else:
            number = 1 + sum(block.heading == heading for block in found.values())
            block = Block(heading, number, match[2], match[3])
            found[block.name] = block
    return found


BLOCKS = blocks()
CHECKS: dict[str, Callable[[Block], None]] = {}


def check_of(name: str) -> Callable[[Callable[[Block], None]], Callable[[Block], None]]:
    """Mark the check of one block."""

    def mark(check: Callable[[Block], None]) -> Callable[[Block], None]:
        CHECKS[name] = check
        return check

    return mark


def execute(block: Block, **names: Any) -> dict[str, Any]:
    """Run a block as the module that it would stand in."""
    namespace: dict[str, Any] = {"__name__": "guide", **names}
    exec(compile(block.text, f"docs/usage.md: {block.name}", "exec"), namespace)
    return namespace


class TicketState(BaseModel):
    """The state of the routing examples."""

    category: str = "ordinary"
    handled_by: str = ""


class ReviewState(BaseModel):
    """The state of the approval examples."""

    needs_approval: bool = True
    approved: bool = False
    reviewer: str | None = None


def nothing(state: BaseModel) -> None:
    """A node that changes nothing."""


def names_of_ticket_nodes() -> dict[str, Any]:
    return {
        "TicketState": TicketState,
        "builder": ManifestBuilder("tickets", TicketState).set_entrypoint("classify"),
        "classify": nothing,
        "escalate": lambda state: {"handled_by": "a person"},
        "auto_reply": lambda state: {"handled_by": "a machine"},
    }


def review_builder() -> ManifestBuilder:
    builder = ManifestBuilder("reviews", ReviewState).set_entrypoint("review")
    return builder.add_node("apply_decision", nothing, terminal=True)


def guide_review() -> ManifestBuilder:
    """The graph around the guide's approval example."""
    builder = review_builder()
    code = execute(BLOCKS["External events 1"], ReviewState=ReviewState, RouteDecision=RouteDecision, builder=builder)
    return builder.add_node("review", nothing, route=code["route_after_review"])


@check_of("Baseline pattern 1")
def _baseline(block: Block) -> None:
    app = execute(block)
    with served(app["app"]) as (url, _):
        started = httpx.post(f"{url}/api/graphs/order_flow/runs", json={"input": {"order_id": "A-1"}})
        run = httpx.get(started.headers["location"], params={"wait": 10}).json()
    assert run["output"] == {"order_id": "A-1", "validated": True, "shipped": True}


@check_of("Sequential flow 1")
def _sequential(block: Block) -> None:
    builder = ManifestBuilder("g", TicketState).set_entrypoint("a")
    execute(block, builder=builder, handler_a=nothing, handler_b=nothing, handler_c=nothing)
    assert run_graph(builder.build(), {}).path == ["a", "b", "c"]


@check_of("Conditional routing 1")
def _conditional(block: Block) -> None:
    graph = execute(block, **names_of_ticket_nodes())["builder"].build()
    assert run_graph(graph, {"category": "urgent"}).state.handled_by == "a person"
    assert run_graph(graph, {"category": "other"}).state.handled_by == "a machine"


@check_of("String shorthand 1")
def _shorthand(block: Block) -> None:
    route_graph(execute(block, TicketState=TicketState)["route_after_classify"])


@check_of("String shorthand 2")
def _known_targets(block: Block) -> None:
    graph = route_graph(execute(block, TicketState=TicketState)["route_with_known_targets"])
    assert graph.manifest.nodes["classify"].targets == ("__complete__", "auto_reply", "escalate")
    assert run_graph(graph, {"category": "spam"}).path == ["classify"]


def route_graph(route: Callable[..., Any]) -> Any:
    """A ticket graph with this route, which sends urgent tickets to a person."""
    builder = names_of_ticket_nodes()["builder"]
    builder.add_node("classify", nothing, route=route)
    builder.add_node("escalate", nothing, terminal=True).add_node("auto_reply", nothing, terminal=True)
    graph = builder.build()
    assert run_graph(graph, {"category": "urgent"}).path == ["classify", "escalate"]
    assert run_graph(graph, {"category": "other"}).path == ["classify", "auto_reply"]
    return graph


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
def _send(block: Block) -> None:
    status, run = curl_a_waiting_run(block.text)
    assert status == 202
    assert (run["status"], run["output"]["reviewer"]) == ("completed", "alice@example.com")


@check_of("Cancelling runs 1")
def _cancel(block: Block) -> None:
    status, run = curl_a_waiting_run(block.text)
    assert status == 202
    assert (run["status"], run["reason"]) == ("cancelled", "user requested cancellation")


def curl_a_waiting_run(command: str) -> tuple[int, dict[str, Any]]:
    """Do what a curl command says to a run that waits; the answer's status, and the run afterwards."""
    runtime = DurableGraphApp()
    runtime.register_registration(guide_review().build())
    with served(runtime.function_app) as (url, _):
        api = f"{url}/api"
        run_id = httpx.post(f"{api}/graphs/reviews/runs", json={"input": {}}).json()["id"]
        words = shlex.split(command.replace("\\\n", " ").replace("{instance_id}", run_id))
        assert words[:3] == ["curl", "-X", "POST"]
        options = dict(zip(words[4::2], words[5::2], strict=True))
        name, value = options["-H"].split(": ")
        answer = httpx.post(
            words[3].replace("http://localhost:7071/api", api), content=options["-d"], headers={name: value}
        )
        run: dict[str, Any] = httpx.get(f"{api}/runs/{run_id}", params={"wait": 10}).json()
        return answer.status_code, run


@check_of("State merging 1")
def _merging(block: Block) -> None:
    class MyState(BaseModel):
        processed: bool = False
        other: int = 0

    handler = execute(block, MyState=MyState)["handler"]
    builder = ManifestBuilder("g", MyState).set_entrypoint("a").add_node("a", handler, terminal=True)
    assert run_graph(builder.build(), {"other": 7}).state == MyState(processed=True, other=7)


@check_of("Async handlers 1")
def _async(block: Block) -> None:
    class AgentState(BaseModel):
        prompt: str
        llm_response: str = ""

    class Client:
        async def complete(self, prompt: str) -> str:
            return prompt.upper()

    handler = execute(block, AgentState=AgentState, llm_client=Client())["call_llm"]
    builder = ManifestBuilder("g", AgentState).set_entrypoint("a").add_node("a", handler, terminal=True)
    assert run_graph(builder.build(), {"prompt": "hi"}).state.llm_response == "HI"


@check_of("Multiple graphs 1")
def _multiple(block: Block) -> None:
    graphs = {
        f"{name}_registration": ManifestBuilder(name, TicketState)
        .set_entrypoint("a")
        .add_node("a", nothing, terminal=True)
        .build()
        for name in ("order_flow", "support_agent")
    }
    app = execute(block, DurableGraphApp=DurableGraphApp, **graphs)["app"]
    with served(app) as (url, _):
        for name in ("order_flow", "support_agent"):
            assert httpx.post(f"{url}/api/graphs/{name}/runs", json={}).status_code == 202


@check_of("Graph versioning 1")
def _versioning(block: Block) -> None:
    baseline = execute(BLOCKS["Baseline pattern 1"])
    first = baseline["builder"].build()
    execute(block, **{**baseline, "pack_order": lambda state: None})
    versions = baseline["runtime"].registry.versions("order_flow")
    assert [graph.manifest.version for graph in versions] == ["1", "2"]

    host = GraphHost(*versions)
    run = host.start("order_flow", {"order_id": "A"})
    assert run.path == ["validate", "pack", "ship"]
    assert first.graph_hash != run.view["graph_hash"]


@check_of("Testing graph registrations 1")
def _test_build(block: Block) -> None:
    execute(block)["test_graph_build"]()


@check_of("Testing whole runs 1")
def _test_runs(block: Block) -> None:
    execute(block, review_registration=guide_review().build())["test_a_review_waits_for_the_manager"]()


@pytest.mark.parametrize("name", BLOCKS)
def test_the_block_does_what_the_guide_says(name: str) -> None:
    CHECKS[name](BLOCKS[name])


def test_no_check_stands_for_a_block_that_is_gone() -> None:
    assert set(CHECKS) == set(BLOCKS)


def test_the_route_table_of_the_guide_is_the_one_that_is_served() -> None:
    from azure_functions_durable_graph.routes import ROUTES

    section = GUIDE.read_text(encoding="utf-8").split("\n## HTTP\n")[1].split("\n## ")[0]

    for route in ROUTES:
        assert f"{route.path}" in section, f"{route.path} is not in the guide"
    assert json.dumps("return") in section
