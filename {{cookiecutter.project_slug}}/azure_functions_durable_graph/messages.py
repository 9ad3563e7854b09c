"""What crosses the durable boundary, as typed dicts: plain JSON, documented key by key. Floor 2.

Runs in flight hold these dicts in their histories: keys may be added, never renamed or given a new meaning.
"""

from __future__ import annotations

import sys
from typing import Any, TypedDict

if sys.version_info >= (3, 11):
    from typing import NotRequired
else:
    from typing_extensions import NotRequired

RUN_FORMAT = 1
"""Version of RunInput's shape."""


class PlanNode(TypedDict, total=False):
    """The orchestrator's view of a node. A node with neither key is terminal."""

    next: str
    routed: bool


class Plan(TypedDict):
    """The run-relevant part of a manifest. A run is pinned to `hash` for its whole life."""

    graph: str
    version: str
    hash: str
    max_steps: int
    nodes: dict[str, PlanNode]


class TrailEntry(TypedDict):
    """One finished step, as it is carried over a continue-as-new. `to` is empty where the run completed."""

    step: int
    node: str
    at: str
    to: NotRequired[str]
    event: NotRequired[str]
    note: NotRequired[str]


class EventInput(TypedDict):
    """An event that was accepted, to be applied first in the activity of the node that resumes."""

    name: str
    payload: Any


class RunInput(TypedDict):
    """The orchestration's input: at the start of a run, and again at each continue-as-new."""

    format: int
    plan: Plan
    input: dict[str, Any]
    metadata: dict[str, Any]
    started_at: str
    state: dict[str, Any]
    node: str
    step: int
    trail: list[TrailEntry]
    event: NotRequired[EventInput]


class NodeCall(TypedDict):
    """Input of the node activity."""

    run_id: str
    graph: str
    hash: str
    node: str
    step: int
    state: dict[str, Any]
    event: NotRequired[EventInput]


class ErrorRecord(TypedDict):
    """A failure as a value. `bases` are the names of the exception's base classes, nearest first."""

    type: str
    bases: list[str]
    message: str
    where: str


class NodeResult(TypedDict):
    """Output of the node activity. It names its node and step, so that a history can be read by itself.

    Exactly one of three forms: `patch` (with `unset` and `decision` where they apply), `error`, or `missing`
    (this deployment has no graph of that hash). `plan` comes with the first two where a compatible newer manifest has
    served the call: the run goes on with that plan.
    """

    node: str
    step: int
    patch: NotRequired[dict[str, Any]]
    unset: NotRequired[list[str]]
    decision: NotRequired[dict[str, str]]
    event: NotRequired[str]
    error: NotRequired[ErrorRecord]
    missing: NotRequired[bool]
    plan: NotRequired[Plan]


class OpenWait(TypedDict):
    """An event that a run asks for. `address` is the durable event name of this one wait."""

    event: str
    address: str
    resume_node: str


class RunStatus(TypedDict):
    """The custom status: small, set again on every replay."""

    graph: str
    version: str
    hash: str
    node: str
    step: int
    waits: NotRequired[list[OpenWait]]
    parked: NotRequired[str]
    note: NotRequired[str]
    error: NotRequired[dict[str, Any]]
