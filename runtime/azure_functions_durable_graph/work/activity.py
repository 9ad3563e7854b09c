"""The node activity: a node of a graph, dict in, dict out. All user code of a run is called here.

In one activity: pending updates of fields with reducers, the event's handler (if the run resumes from a wait), the
node's handler, the merge, and the route's decision. Whatever the user's code returns or raises becomes a value; only a
call that cannot be read raises.

Each attempt leaves one line in the log and, where the app has OpenTelemetry, one span.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Union, cast

from ..graph.registration import GraphRegistration
from ..graph.sizes import bytes_of
from ..run.messages import NodeCall, NodeResult, TraceContext
from .boundary import Failure, NodeFailed, failure
from .calling import InThread
from .chain import CHAIN_SECONDS, following_call
from .node_facts import as_text, attributes, facts_of, known_to_logs
from .progress import Ignoring, Reporter
from .registry import Registry
from .spans import Span, span
from .trace_context import read_trace
from .visit import NotDeployed, Visit

logger = logging.getLogger(__name__)

_ECHOED = ("node", "step", "branch", "item", "attempt", "apply_only")

Ending = Union[dict[str, Any], NotDeployed, Failure]


def _ignoring(place: Mapping[str, Any]) -> Reporter:
    return Ignoring()


@dataclass(frozen=True)
class Lent:
    """What a host lends to one call of the activity: threads, a trace context, where progress is reported, a clock."""

    in_thread: InThread = asyncio.to_thread
    trace: TraceContext | None = None
    reporter_for: Callable[[Mapping[str, Any]], Reporter] = _ignoring
    clock: Callable[[], float] = time.monotonic


async def run_node(registry: Registry, call: NodeCall, host: Lent = Lent()) -> NodeResult:
    """Run one node, and those that follow it without a checkpoint. Never raises because of the user's code.

    See NodeResult for the three forms of the result; `then` has the results of the nodes that followed.
    """
    graph = registry.find(call["graph"], call["hash"])
    started = host.clock()
    result = last = await _attempt(registry, graph, call, host)
    if graph is None:
        return result
    if graph.graph_hash != call["hash"]:
        result["plan"] = graph.manifest.plan()
    following = following_call(graph.manifest, call, result)
    if following is None:
        return result
    size = total = bytes_of(result)
    while following is not None and host.clock() - started < CHAIN_SECONDS and total + size <= registry.most_bytes:
        last = await _attempt(registry, graph, following, host)
        size = bytes_of(last)
        total += size
        if total > registry.most_bytes:
            break  # it is larger than the one before, and runs again in an activity of its own
        result.setdefault("then", []).append(last)
        following = following_call(graph.manifest, following, last)
    return result


async def _attempt(registry: Registry, graph: GraphRegistration | None, call: NodeCall, host: Lent) -> NodeResult:
    """One attempt at the node of a call, with its line in the log and its span."""
    echoed = {key: call[key] for key in _ECHOED if key in call}  # type: ignore[literal-required]
    facts = facts_of(call, graph)
    named, carried = attributes(facts), read_trace(call.get("trace"))
    began = time.perf_counter()
    with known_to_logs(facts), span(f"node {call['node']}", named, host=host.trace, carried=carried) as here:
        reporter = host.reporter_for(facts)
        try:
            ending = await _visit(registry, graph, call, host.in_thread, reporter)
        finally:
            await reporter.close()
        _report(ending, facts, time.perf_counter() - began, here)
        return cast(NodeResult, {**echoed, **_answer(ending)})


async def _visit(
    registry: Registry, graph: GraphRegistration | None, call: NodeCall, in_thread: InThread, reporter: Reporter
) -> Ending:
    if graph is None:
        return NotDeployed(None)
    try:
        return await Visit(registry, graph, call, in_thread, reporter).run()
    except NotDeployed as missing:
        return missing
    except NodeFailed as failed:
        return failed.failure
    except Exception as error:  # a bug of ours is a failure of the node, too: the run must not hang
        return failure(error, "runtime")


def _answer(ending: Ending) -> dict[str, Any]:
    """What the result says besides what it repeats of the call."""
    if isinstance(ending, NotDeployed):
        return {"missing": True} if ending.graph is None else {"missing": True, "missing_graph": ending.graph}
    return {"error": ending.record} if isinstance(ending, Failure) else ending


def _report(ending: Ending, facts: Mapping[str, Any], seconds: float, here: Span) -> None:
    """Log how the attempt has ended, in a form that queries read, and note it in the span.

    What validation rejects is named without its value; the stack is that of the user's frames.
    """
    place = as_text(facts)
    if isinstance(ending, NotDeployed):
        here.set("durable_graph.outcome", "not deployed")
        what = as_text({"missing": ending.graph or facts["graph"]})
        logger.warning("node not deployed: %s %s", place, what)
    elif isinstance(ending, Failure):
        here.set("durable_graph.outcome", "failed")
        here.fail(ending.record, ending.stack)
        how, record = as_text({"seconds": seconds, "where": ending.record["where"]}), ending.record
        line = "node failed: %s %s error=%s: %s\n%s"
        logger.error(line, place, how, record["type"], record["message"], ending.stack)
    else:
        here.set("durable_graph.outcome", "succeeded")
        logger.info("node succeeded: %s %s", place, as_text({"seconds": seconds}))
