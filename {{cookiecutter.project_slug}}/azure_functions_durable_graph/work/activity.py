"""The node activity: a node of a graph, dict in, dict out. All user code of a run is called here.

In one activity: pending updates of fields with reducers, the event's handler (if the run resumes from a wait), the
node's handler, the merge, and the route's decision. Whatever the user's code returns or raises becomes a value; only a
call that cannot be read raises.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable
from typing import cast

from ..graph.registration import GraphRegistration
from ..run.messages import NodeCall, NodeResult
from .boundary import Failure, NodeFailed, failure
from .calling import InThread
from .chain import CHAIN_SECONDS, following_call
from .registry import Registry
from .visit import NotDeployed, Visit

logger = logging.getLogger(__name__)

_ECHOED = ("node", "step", "branch", "item", "attempt", "apply_only")


async def run_node(
    registry: Registry,
    call: NodeCall,
    in_thread: InThread = asyncio.to_thread,
    clock: Callable[[], float] = time.monotonic,
) -> NodeResult:
    """Run one node, and those that follow it without a checkpoint. Never raises because of the user's code.

    See NodeResult for the three forms of the result; `then` has the results of the nodes that followed.
    """
    graph = registry.find(call["graph"], call["hash"])
    if graph is None:
        return {**_echo(call), "missing": True}
    started = clock()
    result = await _run(registry, graph, call, in_thread)
    if graph.graph_hash != call["hash"]:
        result["plan"] = graph.manifest.plan()
    last, following = result, following_call(graph.manifest, call, result)
    while following is not None and clock() - started < CHAIN_SECONDS:
        last = await _run(registry, graph, following, in_thread)
        result.setdefault("then", []).append(last)
        following = following_call(graph.manifest, following, last)
    return result


async def _run(registry: Registry, graph: GraphRegistration, call: NodeCall, in_thread: InThread) -> NodeResult:
    """Run the node of one call."""
    result = _echo(call)
    try:
        return cast(NodeResult, {**result, **await Visit(registry, graph, call, in_thread).run()})
    except NotDeployed as missing:
        return {**result, "missing": True, "missing_graph": missing.graph}
    except NodeFailed as failed:
        found = failed.failure
    except Exception as error:  # a bug of ours is a failure of the node, too: the run must not hang
        found = failure(error, "runtime")
    _log(call, found)
    return {**result, "error": found.record}


def _echo(call: NodeCall) -> NodeResult:
    """What a result repeats of its call."""
    return cast(NodeResult, {key: call[key] for key in _ECHOED if key in call})  # type: ignore[literal-required]


def _log(call: NodeCall, found: Failure) -> None:
    """Log what failed and where: the record's text, which contains no values of the state, and the user's frames."""
    logger.error(
        "run %s: %s of node %r failed at step %d, attempt %d: %s: %s\n%s",
        call["run_id"],
        found.record["where"],
        call["node"],
        call["step"],
        call.get("attempt", 1),
        found.record["type"],
        found.record["message"],
        found.stack,
    )
