"""The plan: the part of a manifest that a run carries with it, as typed dicts of plain JSON.

It is in the histories of runs in flight: keys may be added, but never renamed or given a new meaning.
"""

from __future__ import annotations

import sys
from typing import Any, TypedDict, Union

if sys.version_info >= (3, 11):
    from typing import NotRequired
else:
    from typing_extensions import NotRequired

MAX_DEPTH = 32
"""How deeply subgraphs may nest. A graph that calls itself without end stops there, with an error."""


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
    """

    graph: str
    version: str
    hash: str
    max_steps: int
    max_depth: NotRequired[int]
    nodes: dict[str, PlanNode]
