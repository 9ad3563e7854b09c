"""The plan: the part of a manifest that a run carries with it, as typed dicts of plain JSON.

It is in the histories of runs in flight: keys may be added, but never renamed or given a new meaning.
"""

from __future__ import annotations

import base64
import json
import sys
import zlib
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, TypedDict, Union

from ..errors import PayloadError

if sys.version_info >= (3, 11):
    from typing import NotRequired
else:
    from typing_extensions import NotRequired

MAX_DEPTH = 32
"""How deeply subgraphs may nest. A graph that calls itself without end stops there, with an error."""


PACKED_FROM = 4000
"""Characters of JSON from which nodes are carried packed: they cross with every episode, and most are not looked at."""

STARTING = frozenset({"parallel", "map", "subgraph"})
"""Kinds of nodes that may start runs."""

MOST_UNPACKED = 10_000_000
"""Bytes of JSON that are unpacked at most: what is packed may come from a damaged file."""


class PlanNode(TypedDict, total=False):
    """The orchestrator's view of a node. A task with neither `next` nor `routed` is terminal.

    `kind` is omitted for a task; `seconds` belongs to a wait, `branches` to a parallel, `over`, `into` and `limit`
    to a map, `output` (parent's field -> child's field) to a subgraph. `group` is how many items of a map are dealt out
    at least; a map with a `graph` runs that for each item. One that `keeps` what succeeded shows it to the node
    that `on_error` names.
    """

    kind: str
    next: str
    routed: bool
    retry: dict[str, Any]
    on_error: dict[str, str]
    seconds: float
    branches: list[str]
    over: str
    into: str
    limit: int
    output: dict[str, str]
    group: int
    graph: str
    keeps: bool
    min_successful: int
    collect: bool
    stop_when: Union[str, int]
    deadline: float


class Plan(TypedDict):
    """The part of a manifest that a run needs. A run is pinned to `hash` for its whole life.

    `max_depth` limits how deeply subgraphs nest below the run that a client started; its default is MAX_DEPTH.
    `packed` stands for `nodes` in a large plan: base64 of the zlib-compressed JSON. `nodes_of` reads both forms.
    """

    graph: str
    version: str
    hash: str
    max_steps: int
    max_depth: NotRequired[int]
    nodes: dict[str, PlanNode]
    packed: NotRequired[str]


def pack(plan: Plan) -> Plan:
    """The same plan, with its nodes packed if they are large."""
    text = json.dumps(plan["nodes"], separators=(",", ":"))
    if len(text) < PACKED_FROM:
        return plan
    return {**plan, "nodes": {}, "packed": base64.b64encode(zlib.compress(text.encode(), 9)).decode()}


def nodes_of(plan: Plan) -> Mapping[str, PlanNode]:
    """The plan's nodes by name; they are shared, and must not be changed. Raises PayloadError for damaged text."""
    return _unpacked(str(plan["packed"])) if "packed" in plan else plan["nodes"]


@lru_cache(maxsize=32)
def _unpacked(packed: str) -> Mapping[str, PlanNode]:
    try:
        nodes = json.loads(zlib.decompressobj().decompress(base64.b64decode(packed, validate=True), MOST_UNPACKED))
    except (ValueError, TypeError, RecursionError, zlib.error):
        raise PayloadError("plan.packed cannot be read: it is not the compressed JSON of a plan's nodes") from None
    if not isinstance(nodes, dict) or not all(isinstance(node, dict) for node in nodes.values()):
        raise PayloadError("plan.packed does not contain nodes by name")
    return nodes


def may_start_runs(plan: Plan, besides: str | None = None) -> bool:
    """Whether a node of the plan, besides that one, may start a run of its own."""
    return any(node.get("kind") in STARTING for name, node in nodes_of(plan).items() if name != besides)
