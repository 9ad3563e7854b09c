"""Uses that type checkers must accept: mypy in strict mode, and pyright."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Literal, NoReturn, Optional, TypedDict, TypeVar

from pydantic import BaseModel

from azure_functions_durable_graph import (
    DurableGraphApp,
    GraphRegistration,
    ManifestBuilder,
    NodeContext,
    RetryPolicy,
    RouteDecision,
)
from azure_functions_durable_graph.client import Answer, AsyncGraphClient, GraphClient, Step


class Document(BaseModel):
    """An item."""

    text: str


class OrderState(BaseModel):
    """The state."""

    order_id: str = ""
    total: int = 0
    documents: list[Document] = []
    scores: list[int] = []


class Approval(BaseModel):
    """A payload."""

    approved: bool


class Changes(TypedDict, total=False):
    """Fields that a handler changes."""

    total: int


StateT = TypeVar("StateT", bound=BaseModel)


def to_dict(state: OrderState) -> dict[str, Any]:
    return {"total": state.total + 1}


def to_objects(state: OrderState) -> dict[str, object]:
    return {"total": 1}


def to_ints(state: OrderState) -> dict[str, int]:
    return {"total": 1}


def to_mapping(state: OrderState) -> Mapping[str, Any]:
    return {"total": 1}


def to_typed_dict(state: OrderState) -> Changes:
    return {"total": 1}


def to_state(state: OrderState) -> OrderState:
    return state.model_copy(update={"total": 1})


def to_nothing(state: OrderState) -> None:
    return None


def to_any_of_them(state: OrderState) -> OrderState | dict[str, Any] | None:
    return None


def never(state: OrderState) -> NoReturn:
    raise LookupError("no such order")


def of_any_model(state: BaseModel) -> None:
    return None


def of_anything(state: Any) -> Any:
    return state


def of_its_kind(state: StateT) -> StateT:
    return state


def untyped(state):  # type: ignore[no-untyped-def]
    return {"total": state.total}


def with_context(state: OrderState, context: NodeContext) -> dict[str, Any]:
    return {"order_id": context.idempotency_key}


def with_optional_context(state: OrderState, context: Optional[NodeContext] = None) -> None:  # noqa: UP045
    return None


def with_context_by_keyword(state: OrderState, *, context: NodeContext) -> dict[str, Any]:
    return {"order_id": context.run_id}


def with_option(state: OrderState, loud: bool = False) -> None:
    return None


def with_error(state: OrderState, context: NodeContext) -> dict[str, object]:
    assert context.error is not None
    return {"order_id": f"{context.error['node']}: {context.error['type']}: {context.error['message']}"}


async def asynchronous(state: OrderState) -> dict[str, Any]:
    return {"total": 1}


async def asynchronous_state(state: OrderState, context: NodeContext) -> OrderState | None:
    return state


class Service:
    """Methods and callable objects."""

    def method(self, state: OrderState) -> dict[str, Any]:
        return {"total": 1}

    async def __call__(self, state: OrderState, context: NodeContext) -> dict[str, Any]:
        return {"total": 1}


def with_database(database: object, state: OrderState) -> dict[str, Any]:
    return {"total": 1}


def decide(state: OrderState) -> RouteDecision:
    return RouteDecision.sleep(timedelta(hours=1), resume_node="a")


def decide_by_name(state: OrderState, context: NodeContext) -> str:
    return "a"


def decide_by_literal(state: OrderState) -> Literal["a", "__complete__"]:
    return "a"


async def decide_later(state: OrderState, *, context: NodeContext) -> dict[str, str] | None:
    return {"action": "next", "next_node": "a"}


def merge_anything(state: OrderState, payload: dict[str, Any]) -> dict[str, Any]:
    return {"order_id": payload["id"]}


def merge_objects(state: OrderState, payload: dict[str, object]) -> dict[str, object]:
    return {"order_id": payload["id"]}


def merge_model(state: OrderState, payload: Approval) -> dict[str, Any]:
    return {"total": int(payload.approved)}


async def merge_later(state: OrderState, payload: Approval, context: NodeContext) -> OrderState:
    return state


def merge_by_base(state: BaseModel, payload: BaseModel, *, context: NodeContext) -> None:
    return None


def score(state: OrderState, item: Document) -> int:
    return len(item.text)


async def score_later(state: OrderState, item: Document, context: NodeContext) -> int:
    return len(item.text)


builder = ManifestBuilder(graph_name="order_flow", state_model=OrderState, version="1")
builder.set_entrypoint("a")
builder.add_node("a", to_dict, next_node="b")
builder.add_node("a", to_objects).add_node("a", to_ints).add_node("a", to_mapping).add_node("a", to_typed_dict)
builder.add_node("a", to_state).add_node("a", to_nothing).add_node("a", to_any_of_them).add_node("a", never)
builder.add_node("a", of_any_model).add_node("a", of_anything).add_node("a", of_its_kind).add_node("a", untyped)
builder.add_node("a", with_context).add_node("a", with_optional_context).add_node("a", with_context_by_keyword)
builder.add_node("a", with_option).add_node("a", with_error).add_node("a", asynchronous)
builder.add_node("a", asynchronous_state).add_node("a", Service().method).add_node("a", Service())
builder.add_node("a", functools.partial(with_database, object()))
builder.add_node("a", lambda state: {"total": state.total + 1})
builder.add_node("a", lambda state: None)
builder.add_node("a", lambda state, context: {"order_id": context.run_id})
builder.add_node("a", lambda state: state)

builder.add_node("a", to_dict, route=decide).add_node("a", to_dict, route=decide_by_name)
builder.add_node("a", to_dict, route=decide_by_literal).add_node("a", to_dict, route=decide_later)
builder.add_node("a", to_dict, route=lambda state: "a" if state.total else None)
builder.add_node("a", to_dict, route=lambda state: RouteDecision.complete())
builder.add_node(
    "a",
    to_dict,
    terminal=True,
    targets=["a"],
    timeout=timedelta(seconds=5),
    retry=RetryPolicy(retry_on=ConnectionError, give_up_on=("Declined", LookupError)),
    on_error={LookupError: "a", "*": "a"},
)

by_name, by_class = {"Declined": "a"}, {ConnectionError: "a"}
builder.add_node("a", to_dict, on_error=by_name).add_node("a", to_dict, on_error=by_class)

builder.add_event_handler("go", merge_anything).add_event_handler("go", merge_objects)
builder.add_event_handler("go", merge_model, payload_model=Approval)
builder.add_event_handler("go", merge_later, Approval)
builder.add_event_handler("go", merge_by_base, payload_model=Approval)
builder.add_event_handler("go", lambda state, payload: {"order_id": payload["id"]})
builder.add_event_handler("go", lambda state, payload: {"total": int(payload.approved)}, payload_model=Approval)

builder.add_map("a", score, over="documents", into="scores")
builder.add_map("a", score_later, over="documents", into="scores", item_type=Document)
builder.add_map("a", lambda state, item: len(item.text), over="documents", into="scores")
builder.add_map("a", lambda state, item: len(item.text), over="documents", into="scores", item_type=Document)

builder.add_parallel("a", branches=["b"], next_node="c").add_wait("a", duration=timedelta(minutes=5))
builder.add_subgraph("a", graph="child", input={"text": "order_id"}, output={"total": "total"})

registration: GraphRegistration = builder.build()


def extend(known: ManifestBuilder) -> ManifestBuilder:
    """A builder whose state does not matter."""
    return known.add_node("z", of_any_model, terminal=True)


def extend_orders(known: ManifestBuilder[OrderState]) -> None:
    """A builder of one state."""
    known.add_node("z", to_dict, terminal=True)


extend(builder)
extend_orders(ManifestBuilder[OrderState]("order_flow", OrderState))


def steer(client: GraphClient) -> int:
    """The client in ordinary code."""
    run = client.start("order_flow", OrderState(order_id="A"), key="order-A", tags={"team": "red"})
    answer: Answer = client.send(run, "go", Approval(approved=True), wait=1)
    nodes = [step.node for step in client.follow(run)]
    client.cancel(client.list(status="waiting").runs[0], "enough")
    client.restart(run.id, node=nodes[-1], state={"order_id": answer.event})
    return client.wait(run, until="idle", timeout=5).state_as(OrderState).total


async def steer_later(client: AsyncGraphClient) -> list[Step]:
    """The client in async code."""
    run = await client.start("order_flow", {"order_id": "A"})
    await client.send(run, "go", {"approved": True})
    return [step async for step in client.follow(run)]


async def steer_from_a_function(durable: Any) -> str:
    """The client in a function of the app."""
    client = DurableGraphApp().client(durable)
    return (await client.get(await client.start("order_flow"), wait=1)).status
