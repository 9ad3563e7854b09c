"""The guide on branches and maps, and on how they end."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from azure_functions_durable_graph import ItemResult, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.testing import GraphHost, run_graph
from guide.blocks import (
    Block,
    ReviewState,
    check_of,
    execute,
    nothing,
)


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
