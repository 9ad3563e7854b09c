"""The guide on what nodes do: merging, retries, context, branches, maps, subgraphs."""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

from pydantic import BaseModel

from azure_functions_durable_graph import DurableGraphApp, ItemResult, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.testing import GraphHost, run_graph
from guide.blocks import (
    Block,
    ReviewState,
    TicketState,
    check_of,
    execute,
    nothing,
)


@check_of("Reducers 1")
def _reducers(block: Block) -> None:
    code = execute(block, BaseModel=BaseModel)
    builder = ManifestBuilder("g", code["ResearchState"]).set_entrypoint("a")
    builder.add_node("a", code["look_it_up"], next_node="b").add_node("b", code["look_it_up"], terminal=True)
    run = run_graph(builder.build(), {"question": "tea", "notes": ["first"]})
    assert run.state.notes == ["first", "something about tea", "something about tea"]


@check_of("Large data 1")
def _large_data(block: Block) -> None:
    code = execute(block)
    with tempfile.TemporaryDirectory() as folder, patch.dict(os.environ, {"TEXTS": folder}):
        run = run_graph(code["registration"], {"pages": 100})

        assert run.status == "completed"
        assert run.state.words == 500_000
        (kept,) = Path(folder).rglob("*.txt")
        assert kept.stat().st_size > 1_000_000
        assert len(run.state.model_dump_json()) < 200


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


class LetterState(BaseModel):
    """The state of the letter example."""

    text: str = ""


@check_of("Steps without a checkpoint 1")
def _checkpoints(block: Block) -> None:
    sent: list[str] = []

    def send_letter(state: LetterState) -> None:
        sent.append(state.text)

    code = execute(
        block, ManifestBuilder=ManifestBuilder, LetterState=LetterState, send_letter=send_letter, file_letter=nothing
    )
    graph = code["letters"].build()
    run = run_graph(graph, {"text": " Dear   Ono "})
    assert (run.path, sent) == (["tidy", "shorten", "send", "file"], ["Dear Ono"])
    assert {name: node.checkpoint for name, node in graph.manifest.nodes.items()} == {
        "tidy": False,
        "shorten": False,
        "send": True,
        "file": True,
    }


class InvoiceState(BaseModel):
    """The state of the context example."""

    customer: str = "Ono"
    sent_in_attempt: int = 0
    problem: str = ""


@check_of("The context of a handler 1")
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


@check_of("Progress 1")
def _progress(block: Block) -> None:
    class ImportState(BaseModel):
        rows: list[str] = ["a", "b"]
        imported: int = 0

    stored: list[str] = []
    code = execute(block, ImportState=ImportState, DurableGraphApp=DurableGraphApp, store=stored.append)
    builder = ManifestBuilder("g", ImportState).set_entrypoint("import")
    run = run_graph(builder.add_node("import", code["import_rows"], terminal=True).build(), {})
    assert (run.state.imported, stored) == (2, ["a", "b"])
    assert [report["value"] for report in run.progress] == [{"done": 0, "of": 2}, {"done": 1, "of": 2}]
    functions = [one.get_function_name() for one in code["runtime"].function_app.get_functions()]
    assert "durable_graph_progress" in functions


@check_of("Parallel branches 1")
def _parallel(block: Block) -> None:
    builder = ManifestBuilder("g", ReviewState).set_entrypoint("checks")
    names = {"check_credit": lambda state: {"approved": True}, "check_fraud": lambda state: {"reviewer": "f"}}
    execute(block, builder=builder, decide=nothing, **names)
    run = run_graph(builder.build(), {})
    assert (run.state.approved, run.state.reviewer) == (True, "f")
    assert run.host.activities_run == 3


@check_of("Parallel branches 2")
def _approvals(block: Block) -> None:
    builder = ManifestBuilder("g", ReviewState).set_entrypoint("approvals")
    names: dict[str, Any] = dict.fromkeys(("prepare_legal", "prepare_finance", "publish", "give_up"), nothing)
    names |= {"file_opinion": lambda state: {"reviewer": "legal"}, "book_costs": lambda state: {"approved": True}}
    for side in ("legal", "finance"):
        names[f"ask_{side}"] = lambda state, side=side: RouteDecision.wait_for_event(
            event_name=side, resume_node=f"{side}_done"
        )
        builder.add_event_handler(side, lambda state, payload: None)
    execute(block, builder=builder, **names)
    run = run_graph(builder.build(), {})
    assert sorted(run.waits) == ["finance", "legal"]
    assert run.branches["legal"].status == "waiting"
    run.send("finance").send("legal")
    assert (run.state.approved, run.state.reviewer, run.path[-1]) == (True, "legal", "publish")


@check_of("Parallel branches 3")
def _quotes(block: Block) -> None:
    builder = ManifestBuilder("g", ReviewState).set_entrypoint("quotes")
    execute(block, builder=builder, timedelta=timedelta)
    for name, days in (("supplier_a", 1), ("supplier_b", 2), ("supplier_c", 9)):
        builder.add_wait(name, duration=timedelta(days=days))
    builder.add_node("compare", nothing, terminal=True).add_node("no_quotes", nothing, terminal=True)
    run = run_graph(builder.build(), {}).advance(timedelta(days=2))
    assert (run.path[-1], run.branches["supplier_c"].status) == ("compare", "cancelled")


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


class Piece(BaseModel):
    """The state of the run for one item."""

    text: str
    rules: str = ""
    approved: bool = False


class PileState(BaseModel):
    """The state of the run with the map."""

    documents: list[Document] = []
    rules: str = "short"
    approvals: list[bool] = []


@check_of("Maps 2")
def _map_of_graphs(block: Block) -> None:
    builder = ManifestBuilder("pile", PileState).set_entrypoint("review").add_node("report", nothing, terminal=True)
    execute(block, builder=builder)
    child = ManifestBuilder("review_flow", Piece).set_entrypoint("a")
    child.add_node("a", lambda state: {"approved": (state.text, state.rules) == ("a", "short")}, terminal=True)
    run = GraphHost(builder.build(), child.build()).start("pile", {"documents": [{"text": "a"}, {"text": "b"}]})
    assert (run.state.approvals, run.items[0].state.approved) == ([True, False], True)


@check_of("Maps 3")
def _collecting(block: Block) -> None:
    code = execute(
        block, BaseModel=BaseModel, Document=Document, ItemResult=ItemResult, ManifestBuilder=ManifestBuilder
    )
    run = run_graph(code["builder"].build(), {"documents": [{"text": "abc"}, {"text": ""}]})
    assert [result.value for result in run.state.scores] == [3, None]
    assert run.state.scores[1].error.message == "the document is empty"


class Panel(BaseModel):
    """The state of the run that asks reviewers."""

    reviewers: list[str] = ["ann", "ben", "cem", "dee", "eve"]
    opinions: list[str] = []


class Opinion(BaseModel):
    """The state of the run for one of them."""

    reviewer: str
    text: str = ""


@check_of("Maps 4")
def _quorum(block: Block) -> None:
    builder = ManifestBuilder("panel", Panel).set_entrypoint("ask").add_node("decide", nothing, terminal=True)
    execute(block, builder=builder, timedelta=timedelta)
    child = ManifestBuilder("opinion_flow", Opinion).set_entrypoint("a").add_node("b", nothing, terminal=True)
    child.add_node("a", nothing, route=lambda state: RouteDecision.wait_for_event(event_name="said", resume_node="b"))
    child.add_event_handler("said", lambda state, payload: {"text": payload})
    host = GraphHost(builder.build(), child.build())
    enough, late = host.start("panel", {}), host.start("panel", {})
    enough.items[3].send("said", "yes")
    late.items[1].send("said", "no")
    enough.items[0].send("said", "well")
    assert (enough.status, enough.state.opinions) == ("completed", ["well", "yes"])
    assert enough.items[2].status == "cancelled"
    late.advance(timedelta(days=3))
    assert (late.status, late.state.opinions) == ("completed", ["no"])


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
