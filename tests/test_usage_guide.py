"""Every block of code in docs/usage.md is executed, in the situation that the guide describes."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from pydantic import BaseModel
from served import served

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.hosting import AppHost
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
    exec(compile(block.text, f"docs/usage.md: {block.name}", "exec", dont_inherit=True), namespace)
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


@check_of("Reducers 1")
def _reducers(block: Block) -> None:
    code = execute(block, BaseModel=BaseModel)
    builder = ManifestBuilder("g", code["ResearchState"]).set_entrypoint("a")
    builder.add_node("a", code["look_it_up"], next_node="b").add_node("b", code["look_it_up"], terminal=True)
    run = run_graph(builder.build(), {"question": "tea", "notes": ["first"]})
    assert run.state.notes == ["first", "something about tea", "something about tea"]


class CardDeclined(Exception):  # noqa: N818 - the guide's name
    """The card has no money."""


@check_of("Retries, time-outs and error edges 1")
def _retries(block: Block) -> None:
    errors: list[Exception] = [ConnectionError("x"), ConnectionError("y")]

    def charge_card(state: TicketState) -> None:
        if errors:
            raise errors.pop()

    builder = ManifestBuilder("g", TicketState).set_entrypoint("charge").add_node("ship", nothing, terminal=True)
    names = {"charge_card": charge_card, "refund": nothing, "alert": nothing, "CardDeclined": CardDeclined}
    execute(block, builder=builder, **names)
    graph = builder.build()
    assert run_graph(graph, {}).advance(timedelta(seconds=6)).path == ["charge", "ship"]
    errors.append(CardDeclined("no"))
    assert run_graph(graph, {}).path == ["charge", "refund"]


class InvoiceState(BaseModel):
    """The state of the context example."""

    customer: str = "Ono"
    sent_in_attempt: int = 0
    problem: str = ""


@check_of("What a handler may know 1")
def _context(block: Block) -> None:
    class Billing:
        keys: list[str] = []  # noqa: RUF012 - one for the test

        def send(self, customer: str, key: str) -> None:
            self.keys.append(key)
            if customer == "nobody":
                raise LookupError("no such customer")

    code = execute(block, InvoiceState=InvoiceState, billing=Billing())
    builder = ManifestBuilder("g", InvoiceState).set_entrypoint("send")
    builder.add_node("send", code["send_invoice"], terminal=True, on_error="alert")
    graph = builder.add_node("alert", code["alert"], terminal=True).build()
    run = run_graph(graph, {})
    assert (run.state.sent_in_attempt, Billing.keys) == (1, [f"{run.id}:0"])
    assert run_graph(graph, {"customer": "nobody"}).state.problem == "send: no such customer"


@check_of("Parallel branches 1")
def _parallel(block: Block) -> None:
    builder = ManifestBuilder("g", ReviewState).set_entrypoint("checks")
    names = {"check_credit": lambda state: {"approved": True}, "check_fraud": lambda state: {"reviewer": "f"}}
    execute(block, builder=builder, decide=nothing, **names)
    run = run_graph(builder.build(), {})
    assert (run.state.approved, run.state.reviewer) == (True, "f")
    assert run.host.activities_run == 3


class Document(BaseModel):
    """An item of the map example."""

    text: str


class BatchState(BaseModel):
    """The state of the map example."""

    documents: list[Document] = []
    scores: list[int] = []


@check_of("Maps 1")
def _map(block: Block) -> None:
    builder = ManifestBuilder("g", BatchState).set_entrypoint("score").add_node("report", nothing, terminal=True)
    execute(block, builder=builder, BatchState=BatchState, Document=Document)
    run = run_graph(builder.build(), {"documents": [{"text": "abc"}, {"text": "a"}]})
    assert run.state.scores == [3, 1]


class DraftState(BaseModel):
    """Both graphs of the subgraph example."""

    draft: str = "a draft"
    text: str = ""
    approved: bool = False


@check_of("Subgraphs 1")
def _subgraph(block: Block) -> None:
    builder = (
        ManifestBuilder("article", DraftState).set_entrypoint("review").add_node("publish", nothing, terminal=True)
    )
    execute(block, builder=builder)
    child = ManifestBuilder("review_flow", DraftState).set_entrypoint("a")
    child.add_node("a", lambda state: {"approved": state.text == "a draft"}, terminal=True)
    run = GraphHost(builder.build(), child.build()).start("article", {})
    assert (run.path, run.state.approved) == (["review", "publish"], True)


@check_of("Schedules 1")
def _schedule(block: Block) -> None:
    runtime = DurableGraphApp()
    execute(block, runtime=runtime)
    functions = {function.get_function_name(): function for function in runtime.function_app.get_functions()}
    trigger = functions["schedule_nightly_report"].get_trigger()
    assert trigger is not None
    assert trigger.get_dict_repr()["schedule"] == "0 30 2 * * *"


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


@check_of("Testing whole runs 2")
def _failures_on_order(block: Block) -> None:
    names = execute(block, review_registration=guide_review().build(), run_graph=run_graph)
    names["test_a_review_fails_with_its_service"]()


@check_of("Testing whole runs 3")
def _whole_apps(block: Block) -> None:
    runtime = DurableGraphApp()
    runtime.register_registration(guide_review().build())
    with AppHost(runtime.function_app) as host:
        execute(block)["test_the_app_over_http"](host)


@pytest.mark.parametrize("name", BLOCKS)
def test_the_block_does_what_the_guide_says(name: str) -> None:
    CHECKS[name](BLOCKS[name])


def test_no_check_stands_for_a_block_that_is_gone() -> None:
    assert set(CHECKS) == set(BLOCKS)


def test_the_route_table_of_the_guide_is_the_one_that_is_served() -> None:
    from azure_functions_durable_graph.http.routes import ROUTES

    section = GUIDE.read_text(encoding="utf-8").split("\n## HTTP\n")[1].split("\n## ")[0]

    for route in ROUTES:
        assert f"{route.path}" in section, f"{route.path} is not in the guide"
    assert json.dumps("return") in section
