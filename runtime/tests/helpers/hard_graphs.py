"""Graphs that are hard to draw: loops, error edges, many branches, long names, routes without declared targets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from itertools import pairwise
from typing import Any

from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RetryPolicy, RouteDecision

RETRY = RetryPolicy(max_attempts=3)
LONG = "a_very_long_name_of_a_node_that_somebody_has_chosen_for_it"


class Batch(BaseModel):
    """The state of all of them."""

    items: list[str] = []
    out: list[str] = []


def nothing(state: Batch) -> None:
    """Change nothing."""


def to(target: str) -> Callable[[Batch], str]:
    """A route."""
    return lambda state: target


def choices(name: str, edges: Mapping[str, Sequence[str]]) -> ManifestBuilder[Batch]:
    """Nodes that choose; those without a choice end the run, those with one have an edge."""
    builder = ManifestBuilder(name, Batch).set_entrypoint(next(iter(edges)))
    for node, targets in edges.items():
        if len(targets) > 1:
            builder.add_node(node, nothing, route=to(targets[0]), targets=list(targets))
        else:
            builder.add_node(node, nothing, next_node=next(iter(targets), None), terminal=not targets)
    return builder


def pipeline() -> ManifestBuilder[Batch]:
    """Sixteen nodes, loops, and errors that lead to one place."""
    line = ["fetch", "parse", "validate", "enrich", "dedupe", "score", "rank", "select", "render", "review", "publish"]
    builder = ManifestBuilder("pipeline", Batch).set_entrypoint("fetch")
    routes = {"validate": ["enrich", "repair", "quarantine"], "review": ["publish", "render", "select", "archive"]}
    errors: dict[str, Any] = {name: {"*": "quarantine"} for name in ("parse", "score", "render")}
    errors |= {name: {"TimeoutError": "backoff", "*": "quarantine"} for name in ("fetch", "enrich")}
    for name, following in [*pairwise(line), ("publish", None)]:
        if name in routes:
            builder.add_node(name, nothing, route=to(str(following)), targets=routes[name])
        else:
            builder.add_node(name, nothing, next_node=following, terminal=not following, on_error=errors.get(name))
    builder.add_node("repair", nothing, next_node="validate")
    builder.add_wait("backoff", duration=timedelta(minutes=5), next_node="fetch")
    builder.add_node("quarantine", nothing, route=to("alert"), targets=["alert", "archive"])
    return builder.add_node("alert", nothing, terminal=True).add_node("archive", nothing, terminal=True)


def agent() -> ManifestBuilder[Batch]:
    """A loop over tools, each of which goes on after errors."""
    tools = ["search", "browse", "run_code", "ask_database", "send_mail"]
    builder = ManifestBuilder("agent", Batch).set_entrypoint("think")
    targets = [*tools, "answer", "__complete__"]
    builder.add_node("think", nothing, route=to("answer"), targets=targets, retry=RETRY, on_error="apologize")
    for tool in tools:
        builder.add_node(tool, nothing, next_node="observe", on_error="observe")
    builder.add_node("observe", nothing, route=to("think"), targets=["think", "answer"])
    return builder.add_node("answer", nothing, terminal=True).add_node("apologize", nothing, terminal=True)


def checks() -> ManifestBuilder[Batch]:
    """Eight branches that join, a choice, and a wait for one of two events with a deadline."""
    builder = ManifestBuilder("checks", Batch).set_entrypoint("checks")
    names = ("credit", "fraud", "identity", "address", "sanctions", "income", "history", "employer")
    branches = [f"check_{name}" for name in names]
    errors: dict[str | type[BaseException], str] = {"MergeConflict": "manual", "*": "reject"}
    builder.add_parallel("checks", branches=branches, next_node="decide", on_error=errors)
    for branch in branches:
        builder.add_node(branch, nothing)
    builder.add_node("decide", nothing, route=to("accept"), targets=["accept", "reject", "manual"])
    builder.add_node("manual", nothing, route=either, targets=["accept", "reject"])
    builder.add_event_handler("accepted", lambda state, payload: None)
    builder.add_event_handler("rejected", lambda state, payload: None)
    return builder.add_node("accept", nothing, terminal=True).add_node("reject", nothing, terminal=True)


def either(state: Batch) -> RouteDecision:
    """Wait for one of two."""
    return RouteDecision.wait_for_any(
        {"accepted": "accept", "rejected": "reject"}, timeout=timedelta(days=2), timeout_node="reject"
    )


def saga() -> ManifestBuilder[Batch]:
    """Steps that are undone in the reverse order."""
    builder = ManifestBuilder("saga", Batch).set_entrypoint("flight")
    undo = {"hotel": "cancel_flight", "car": "cancel_hotel", "charge": "cancel_car"}
    for name, following in [*pairwise(["flight", "hotel", "car", "charge", "tickets"]), ("tickets", None)]:
        builder.add_node(
            name, nothing, next_node=following, terminal=not following, retry=RETRY, on_error=undo.get(name)
        )
    builder.add_node("cancel_car", nothing, next_node="cancel_hotel")
    builder.add_node("cancel_hotel", nothing, next_node="cancel_flight")
    return builder.add_node("cancel_flight", nothing, terminal=True)


def later(state: Batch) -> RouteDecision:
    """Look again in an hour."""
    return RouteDecision.sleep(timedelta(hours=1), resume_node="poll")


def polling() -> ManifestBuilder[Batch]:
    """A sleep, a map, a pause."""
    builder = ManifestBuilder("polling", Batch).set_entrypoint("poll")
    builder.add_node("poll", nothing, route=later, targets=["cool_down", "poll"], timeout=timedelta(seconds=30))
    builder.add_wait("cool_down", duration=timedelta(minutes=5), next_node="each")
    long = timedelta(minutes=10)
    builder.add_map(
        "each", lambda state, item: item, over="items", into="out", next_node="end", retry=RETRY, timeout=long
    )
    return builder.add_node("end", nothing, terminal=True)


def open_ends() -> ManifestBuilder[Batch]:
    """Routes that say nothing of their targets, a long name, a loop of one node."""
    builder = ManifestBuilder("open_ends", Batch).set_entrypoint(LONG)
    builder.add_node(LONG, nothing, route=lambda state: "b")
    builder.add_node("b", nothing, route=lambda state: "c", next_node="c")
    builder.add_node("c", nothing, route=to("d"), targets=["c", "d", LONG])
    return builder.add_node("d", nothing, terminal=True)


def machine() -> ManifestBuilder[Batch]:
    """A dense state machine."""
    return choices(
        "machine",
        {
            "draft": ["submitted", "withdrawn"],
            "submitted": ["in_review", "withdrawn", "draft"],
            "in_review": ["approved", "changes_requested", "rejected"],
            "changes_requested": ["submitted", "withdrawn"],
            "approved": ["scheduled", "published", "draft"],
            "scheduled": ["published", "approved", "withdrawn"],
            "published": ["archived", "in_review"],
            "rejected": ["draft", "archived"],
            "withdrawn": ["draft", "archived"],
            "archived": [],
        },
    )


def branches() -> ManifestBuilder[Batch]:
    """Branches of several nodes, one with branches of its own."""
    builder = ManifestBuilder("branches", Batch).set_entrypoint("both")
    builder.add_parallel("both", branches=["legal", "finance"], next_node="sign", on_error="stop")
    builder.add_node("legal", nothing, route=to("legal_ok"), targets=["legal_ok", "legal_deep"])
    builder.add_node("legal_deep", nothing, next_node="legal_ok").add_node("legal_ok", nothing, next_node="sign")
    builder.add_node("finance", nothing, next_node="inner")
    builder.add_parallel("inner", branches=["tax", "budget"], next_node="finance_ok")
    builder.add_node("tax", nothing).add_node("budget", nothing).add_node("finance_ok", nothing)
    return builder.add_node("sign", nothing, terminal=True).add_node("stop", nothing, terminal=True)


def router() -> ManifestBuilder[Batch]:
    """A choice among many that all lead to one end."""
    names = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota", "kappa")
    teams = [f"team_{name}" for name in names]
    builder = ManifestBuilder("router", Batch).set_entrypoint("classify")
    builder.add_node("classify", nothing, route=to("unknown"), targets=[*teams, "unknown"])
    for number, team in enumerate(teams):
        builder.add_node(team, nothing, next_node="close", on_error=None if number % 3 else "unknown")
    builder.add_node("unknown", nothing, route=to("close"), targets=["classify", "close"])
    return builder.add_node("close", nothing, terminal=True)


def hard_graphs() -> list[GraphRegistration]:
    """All of them."""
    makers = (pipeline, agent, checks, saga, polling, open_ends, machine, branches, router)
    return [make().build() for make in makers]
