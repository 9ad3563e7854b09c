"""A map that runs a graph for each document: each asks somebody, or ends at once, or fails."""

from __future__ import annotations

import operator
from datetime import timedelta
from typing import Annotated, Any

from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, NodeContext, RouteDecision


class Paper(BaseModel):
    """An item."""

    title: str
    pages: int = 1


class Pile(BaseModel):
    """The state of the run with the map."""

    papers: list[Paper] = []
    rules: str = "strict"
    verdicts: list[str] = []
    sizes: list[int] = []
    notes: Annotated[list[str], operator.add] = []
    problem: str = ""


class Reading(BaseModel):
    """The state of the run for one item."""

    title: str
    pages: int = 0
    rules: str = ""
    verdict: str = ""
    size: int = 0


def read_it(state: Reading) -> dict[str, Any]:
    if state.title == "torn":
        raise ValueError("a page is missing")
    return {"size": state.pages, "verdict": f"{state.rules} {state.title}"}


def asks(state: Reading) -> Any:
    if state.title.startswith("ask"):
        return RouteDecision.wait_for_event(event_name="opinion", resume_node="done")
    if state.title == "slow":
        return RouteDecision.sleep(timedelta(hours=1), resume_node="done")
    return "done"


def reading() -> GraphRegistration:
    """The graph that is run for each item."""
    builder = ManifestBuilder("reading", Reading).set_entrypoint("read")
    builder.add_node("read", read_it, route=asks, targets=["done"])
    builder.add_event_handler("opinion", lambda state, payload: {"verdict": payload["text"]})
    return builder.add_node("done", lambda state: None, terminal=True).build()


def remember(state: Pile, context: NodeContext) -> dict[str, Any]:
    assert context.error is not None
    return {"problem": context.error["message"]}


def piling(**settings: Any) -> GraphRegistration:
    """The graph with the map; what fails leads to `mend`, if settings say so."""
    builder = ManifestBuilder("pile", Pile).set_entrypoint("review")
    builder.add_map(
        "review",
        graph="reading",
        over="papers",
        input={"title": "__item__.title", "pages": "__item__.pages", "rules": "rules"},
        output={"verdicts": "verdict", "sizes": "size"},
        next_node="end",
        **settings,
    )
    builder.add_node("end", lambda state: {"notes": ["end"]}, terminal=True)
    if "mend" in str(settings):
        builder.add_node("mend", remember, terminal=True)
    return builder.build()


def papers(*titles: str) -> dict[str, Any]:
    """The input of a run with these papers."""
    return {"papers": [{"title": title, "pages": number} for number, title in enumerate(titles)]}
