"""The fenced blocks of the guide, and the graphs that its examples belong to."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from azure_functions_durable_graph import ManifestBuilder, RouteDecision

GUIDE = Path(__file__).parent.parent.parent / "docs" / "usage.md"


@dataclass(frozen=True)
class Block:
    """A fenced block: the heading above it, its number under that heading, and its text."""

    heading: str
    number: int
    language: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.heading} {self.number}"


def blocks() -> dict[str, Block]:
    """All fenced blocks of the guide, by name."""
    found: dict[str, Block] = {}
    heading = ""
    for match in re.finditer(r"^#+ ([^\n]*)$|^```(\w+)\n(.*?)^```$", GUIDE.read_text(encoding="utf-8"), re.M | re.S):
        if match[1]:
            heading = match[1]
        else:
            number = 1 + sum(block.heading == heading for block in found.values())
            block = Block(heading, number, match[2], match[3])
            found[block.name] = block
    return found


BLOCKS = blocks()
CHECKS: dict[str, Callable[[Block], None]] = {}


def check_of(name: str) -> Callable[[Callable[[Block], None]], Callable[[Block], None]]:
    """Mark the check of one block."""

    def mark(check: Callable[[Block], None]) -> Callable[[Block], None]:
        CHECKS[name] = check
        return check

    return mark


def execute(block: Block, **names: Any) -> dict[str, Any]:
    """Run a block as the module that it would stand in."""
    namespace: dict[str, Any] = {"__name__": "guide", **names}
    exec(compile(block.text, f"docs/usage.md: {block.name}", "exec", dont_inherit=True), namespace)
    return namespace


class TicketState(BaseModel):
    """The state of the routing examples."""

    category: str = "ordinary"
    handled_by: str = ""


class ReviewState(BaseModel):
    """The state of the approval examples."""

    needs_approval: bool = True
    approved: bool = False
    reviewer: str | None = None


def nothing(state: BaseModel) -> None:
    """A node that changes nothing."""


def names_of_ticket_nodes() -> dict[str, Any]:
    return {
        "TicketState": TicketState,
        "builder": ManifestBuilder("tickets", TicketState).set_entrypoint("classify"),
        "classify": nothing,
        "escalate": lambda state: {"handled_by": "a person"},
        "auto_reply": lambda state: {"handled_by": "a machine"},
    }


def review_builder() -> ManifestBuilder:
    builder = ManifestBuilder("reviews", ReviewState).set_entrypoint("review")
    return builder.add_node("apply_decision", nothing, terminal=True)


def guide_review() -> ManifestBuilder:
    """The graph around the guide's approval example."""
    builder = review_builder()
    code = execute(BLOCKS["External events 1"], ReviewState=ReviewState, RouteDecision=RouteDecision, builder=builder)
    return builder.add_node("review", nothing, route=code["route_after_review"])
