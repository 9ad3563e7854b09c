"""Graphs with branches that are more than one task: two approvals at once."""

from __future__ import annotations

import operator
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, NodeContext, RetryPolicy, RouteDecision


class Contract(BaseModel):
    """What is checked and signed."""

    text: str = "a text"
    credit: int = 0
    legal: str = ""
    signed_by: str = ""
    notes: Annotated[list[str], operator.add] = []
    problem: str = ""


class Answer(BaseModel):
    """What a person says."""

    name: str


def ask(event: str, resume: str, **settings: Any) -> Any:
    """A route that waits for an event."""
    return lambda state: RouteDecision.wait_for_event(event_name=event, resume_node=resume, **settings)


def hear(state: Contract, payload: Answer) -> dict[str, Any]:
    return {"signed_by": payload.name, "notes": [f"{payload.name} signed"]}


def check_credit(state: Contract) -> dict[str, Any]:
    return {"credit": len(state.text), "notes": ["credit"]}


def check_law(state: Contract) -> dict[str, Any]:
    return {"legal": "fine", "notes": ["legal"]}


def sign(state: Contract) -> dict[str, Any]:
    return {"notes": [f"signed as {state.legal} by {state.signed_by}"]}


def remember(state: Contract, context: NodeContext) -> dict[str, Any]:
    assert context.error is not None
    return {"problem": context.error["message"]}


def checking(
    credit: Any = check_credit, law: Any = check_law, *, retry: RetryPolicy | None = None, on_error: Any = None
) -> GraphRegistration:
    """`checks` begins the branches `credit`, one task, and `legal`, which waits and goes on to `sign`."""
    builder = ManifestBuilder("contract", Contract).set_entrypoint("checks")
    builder.add_parallel("checks", branches=["credit", "legal"], next_node="decide", on_error=on_error)
    builder.add_node("credit", credit, retry=retry)
    builder.add_node("legal", law, route=ask("signature", "sign"), targets=["sign"])
    builder.add_node("sign", sign, next_node="decide")
    builder.add_event_handler("signature", hear, Answer)
    builder.add_node("decide", lambda state: {"notes": ["decided"]}, terminal=True)
    if on_error:
        builder.add_node("mend", remember, terminal=True)
    return builder.build()


def two_approvals(deadline: timedelta | None = None) -> GraphRegistration:
    """Two branches ask the same event at once."""
    builder = ManifestBuilder("contract", Contract).set_entrypoint("both")
    builder.add_parallel("both", branches=["left", "right"], next_node="end")
    for side in ("left", "right"):
        late: dict[str, Any] = {} if deadline is None else {"timeout": deadline, "timeout_node": f"{side}_late"}
        targets = [f"{side}_done", *([f"{side}_late"] if late else [])]
        builder.add_node(side, lambda s: None, route=ask("signature", f"{side}_done", **late), targets=targets)
        builder.add_node(f"{side}_done", _note(side))
        if late:
            builder.add_node(f"{side}_late", _note(f"{side} late"))
    builder.add_event_handler("signature", lambda s, payload: {"notes": [payload.name]}, Answer)
    return builder.add_node("end", lambda s: None, terminal=True).build()


def _note(text: str) -> Any:
    return lambda state: {"notes": [text]}
