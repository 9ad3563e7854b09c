"""Mistakes that type checkers must find: each line with `# E` has one, no other line has.

mypy does not infer what a lambda without annotations returns where several shapes are allowed: `# E (pyright)`.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from pydantic import BaseModel

from azure_functions_durable_graph import ManifestBuilder, NodeContext, RetryPolicy, RouteDecision
from azure_functions_durable_graph.client import AsyncGraphClient, GraphClient


class Document(BaseModel):
    """An item."""

    text: str


class OrderState(BaseModel):
    """The state."""

    total: int = 0
    documents: list[Document] = []
    scores: list[int] = []


class Other(BaseModel):
    """A model that has nothing to do with the state."""


class Approval(BaseModel):
    """A payload."""

    approved: bool


def to_list(state: OrderState) -> list[str]:
    return []


async def to_list_later(state: OrderState) -> list[str]:
    return []


def to_text(state: OrderState) -> str:
    return ""


def to_other(state: OrderState) -> Other:
    return Other()


def to_numbers(state: OrderState) -> dict[int, str]:
    return {}


def of_other(state: Other) -> dict[str, Any]:
    return {}


def of_nothing() -> dict[str, Any]:
    return {}


def of_number(state: OrderState, context: int) -> dict[str, Any]:
    return {}


def of_number_by_keyword(state: OrderState, *, context: int) -> dict[str, Any]:
    return {}


def of_three(state: OrderState, context: NodeContext, more: int) -> dict[str, Any]:
    return {}


def to_bool(state: OrderState) -> bool:
    return True


def to_steps(state: OrderState) -> list[str]:
    return []


def route_of_other(state: Other) -> str:
    return ""


def approve(state: OrderState, payload: Approval) -> dict[str, Any]:
    return {}


def approve_number(state: OrderState, payload: int) -> dict[str, Any]:
    return {}


def approve_to_list(state: OrderState, payload: Approval) -> list[str]:
    return []


def score(state: OrderState, item: Document) -> int:
    return 1


def score_number(state: OrderState, item: int) -> int:
    return 1


def score_of_other(state: Other, item: Document) -> int:
    return 1


def with_error(state: OrderState, context: NodeContext) -> dict[str, Any]:
    return {"total": context.error["type"]}  # E


builder = ManifestBuilder(graph_name="order_flow", state_model=OrderState)
builder.add_node("a", to_list)  # E
builder.add_node("a", to_list_later)  # E
builder.add_node("a", to_text)  # E
builder.add_node("a", to_other)  # E
builder.add_node("a", to_numbers)  # E
builder.add_node("a", of_other)  # E
builder.add_node("a", of_nothing)  # E
builder.add_node("a", of_number)  # E
builder.add_node("a", of_number_by_keyword)  # E
builder.add_node("a", of_three)  # E
builder.add_node("a", lambda state: [1])  # E
builder.add_node("a", lambda: {})  # E
builder.add_node("a", to_list(OrderState()))  # E

builder.add_node("a", lambda state: None, route=to_bool)  # E
builder.add_node("a", lambda state: None, route=to_steps)  # E
builder.add_node("a", lambda state: None, route=route_of_other)  # E
builder.add_node("a", lambda state: None, route=of_nothing)  # E
builder.add_node("a", lambda state: None, route=lambda state: state.total > 3)  # E (pyright)

builder.add_event_handler("go", to_list)  # E
builder.add_event_handler("go", approve_to_list)  # E
builder.add_event_handler("go", approve, payload_model=Document)  # E
builder.add_event_handler("go", approve_number, payload_model=Approval)  # E
builder.add_event_handler("go", approve, payload_model=int)  # E
builder.add_event_handler("go", lambda state, payload: [1], payload_model=Approval)  # E

builder.add_map("a", to_list, over="documents", into="scores")  # E
builder.add_map("a", score_of_other, over="documents", into="scores")  # E
builder.add_map("a", score_number, over="documents", into="scores", item_type=Document)  # E
builder.add_map("a", lambda state: 1, over="documents", into="scores")  # E

builder.add_node("a", lambda state: None, retry=3)  # E
builder.add_node("a", lambda state: None, timeout=5)  # E
builder.add_node("a", lambda state: None, on_error=ValueError)  # E
builder.add_wait("a", duration=5)  # E
builder.add_map("a", score, over=None, into="scores")  # E
ManifestBuilder(graph_name="g", state_model=dict)  # E
RetryPolicy(first_interval=2)  # E
RouteDecision.sleep(5, resume_node="a")  # E
RouteDecision.wait_for_any(["go"], timeout=timedelta(days=1), timeout_node="a")  # E


def steer(client: GraphClient) -> None:
    """The client in ordinary code."""
    client.start("order_flow", 3)  # E
    client.list(status="wating")  # E
    client.wait("run-1", until="forever")  # E
    client.send("run-1")  # E
    text: str = client.get("run-1").state_as(OrderState).total  # E
    assert client.get("run-1").statsu  # E
    client.cancel(text, because="enough")  # E


async def steer_later(client: AsyncGraphClient) -> None:
    """The client in async code."""
    for step in client.follow("run-1"):  # E
        assert step
    assert (await client.start("order_flow")).events  # E
