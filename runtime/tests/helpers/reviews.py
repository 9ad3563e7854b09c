"""A graph that asks for a verdict, and one that runs it as a subgraph."""

from typing import Any

from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.testing import GraphHost


class Draft(BaseModel):
    """The parent's state."""

    text: str = ""
    approved: bool = False
    reviewer: str | None = None
    failed_with: str = ""


class Review(BaseModel):
    """The child's state."""

    draft: str
    rounds: int = 0
    approved: bool = False
    reviewer: str | None = None


class Verdict(BaseModel):
    """A payload of the child's event."""

    approved: bool
    reviewer: str


def review(*, fails: int = 0, metadata: dict[str, Any] | None = None) -> GraphRegistration:
    """The child: asks for a verdict; fails a number of times first. Other metadata make another version of it."""
    failures = {"left": fails}

    def begin(state: Review) -> dict[str, Any]:
        if failures["left"]:
            failures["left"] -= 1
            raise RuntimeError("no reviewer")
        return {"rounds": state.rounds + 1}

    builder = ManifestBuilder("review", Review, metadata=metadata).set_entrypoint("begin")
    builder.add_node(
        "begin",
        begin,
        route=lambda state: RouteDecision.wait_for_event(event_name="verdict", resume_node="finish"),
        targets=["finish"],
    )
    builder.add_node("finish", lambda state: None, terminal=True)
    builder.add_event_handler(
        "verdict",
        lambda state, payload: {"approved": payload.approved, "reviewer": payload.reviewer},
        payload_model=Verdict,
    )
    return builder.build()


def parent(name: str = "article", child: str = "review", **policies: Any) -> GraphRegistration:
    builder = ManifestBuilder(name, Draft).set_entrypoint("write")
    builder.add_node("write", lambda state: {"text": state.text or "a draft"}, next_node="check")
    builder.add_subgraph(
        "check",
        graph=child,
        input={"draft": "text"},
        output={"approved": "approved", "reviewer": "reviewer"},
        next_node="publish",
        **policies,
    )
    builder.add_node("publish", lambda state: None, terminal=True)
    if policies.get("on_error"):
        builder.add_node("mend", lambda state, context: {"failed_with": context.error["message"]}, terminal=True)
    return builder.build()


def waiting_parent(metadata: dict[str, Any] | None = None) -> GraphRegistration:
    """A parent that waits before it comes to its subgraph."""
    builder = ManifestBuilder("article", Draft, metadata=metadata).set_entrypoint("write")
    builder.add_node(
        "write",
        lambda state: None,
        route=lambda state: RouteDecision.wait_for_event(event_name="go", resume_node="check"),
        targets=["check"],
    )
    builder.add_event_handler("go", lambda state, payload: None)
    return builder.add_subgraph("check", graph="review", input={"draft": "text"}).build()


YES = {"approved": True, "reviewer": "alice"}


def undeploy(host: GraphHost, name: str) -> None:
    """Take a graph out of the app that runs, as a deployment does that loads without one of its subgraphs."""
    registry = host._runtime.registry
    registry._defaults.pop(name)
    registry._versions.pop(name)


class Steps(BaseModel):
    """How far a graph that calls itself still has to go."""

    left: int


def descending(**policies: Any) -> GraphRegistration:
    """A graph that calls itself until nothing is left."""
    builder = ManifestBuilder("descend", Steps).set_entrypoint("count")
    builder.add_node(
        "count",
        lambda state: {"left": state.left - 1},
        route=lambda state: "deeper" if state.left > 0 else "__complete__",
        targets=["deeper", "__complete__"],
    )
    builder.add_subgraph("deeper", graph="descend", input={"left": "left"}, output={"left": "left"}, **policies)
    if policies.get("on_error"):
        builder.add_node("mend", lambda state: {"left": -99}, terminal=True)
    return builder.build()
