"""docs/operations.md, and the app that its examples are about."""

from __future__ import annotations

import logging
import re
from datetime import timedelta

from projects import ROOT
from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.testing import GraphHost

PAGE = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")

RUN, FAILED = "order_flow.7f3a", "order_flow.2c19"
"""The runs of the page's examples."""


def fences(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


class OrderState(BaseModel):
    order_id: str = "A-1"
    approved: bool = False


class CardDeclined(RuntimeError):  # noqa: N818 - users name their errors as they like
    pass


def charge(state: OrderState) -> None:
    logging.getLogger("orders").info("charging %s", state.order_id)
    if state.order_id == "no money":
        raise CardDeclined("no money\non this card")


def order_flow(version: str = "1") -> GraphRegistration:
    """The graph of the page's examples: charges, asks the manager, and waits until the order is picked up."""
    ask = RouteDecision.wait_for_event(event_name="manager_approval", resume_node="pack")
    ready = RouteDecision.wait_for_event(event_name="picked_up", resume_node="end")
    builder = ManifestBuilder("order_flow", OrderState, version=version).set_entrypoint("charge")
    builder.add_node("charge", charge, route=lambda state: ask, targets=["pack"])
    builder.add_node("pack", lambda state: None, route=lambda state: ready, targets=["end"])
    builder.add_node("end", lambda state: None, terminal=True)
    builder.add_event_handler("manager_approval", lambda state, payload: {"approved": payload["approved"]})
    return builder.add_event_handler("picked_up", lambda state, payload: None).build()


def nightly() -> GraphRegistration:
    """A graph that sleeps until its version has gone."""
    builder = ManifestBuilder("nightly", OrderState).set_entrypoint("sleep")
    builder.add_wait("sleep", duration=timedelta(hours=1), next_node="charge")
    return builder.add_node("charge", charge, terminal=True).build()


def act(version: str = "1") -> None:
    """A run that waits, one that has failed, and one that is parked."""
    host = GraphHost(order_flow(version), nightly())
    host.start("order_flow", {}, run_id=RUN)
    host.start("order_flow", {"order_id": "no money"}, run_id=FAILED)
    host.start("nightly", {})
    host.deploy(order_flow(version))
    host.advance(timedelta(hours=1))
