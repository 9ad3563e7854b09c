"""The guide on what nodes do: merging, retries, durability, context, subgraphs."""

from __future__ import annotations

import os
import tempfile
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

from pydantic import BaseModel

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder
from azure_functions_durable_graph.testing import GraphHost, run_graph
from guide.blocks import (
    Block,
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
