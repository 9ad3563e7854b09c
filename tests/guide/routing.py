"""The guide on declaring graphs and routes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import httpx
from served import served

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.testing import run_graph
from guide.blocks import (
    Block,
    TicketState,
    check_of,
    execute,
    names_of_ticket_nodes,
    nothing,
)


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
