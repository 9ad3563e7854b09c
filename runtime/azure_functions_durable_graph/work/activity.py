"""The node activity: one node of one graph, dict in, dict out. All user code of a run runs here.

In one activity: updates that wait for their reducers, the event's handler (if the run resumes from a wait), the node's
handler, the merge, and the route's decision. What the user's code raises becomes a value; only a call that cannot be
read raises.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Any, cast

from pydantic import ValidationError

from ..errors import DecisionError
from ..graph.decisions import RouteDecision, as_decision
from ..graph.names import COMPLETE, did_you_mean
from ..graph.plain_json import check
from ..graph.reducers import raw_writes, to_json
from ..graph.registration import GraphRegistration, Handler
from ..graph.states import difference, dump, load, merge, reduce_writes
from ..run.messages import ErrorRecord, EventInput, NodeCall, NodeResult
from .calling import Caller, InThread, NodeTimeout
from .registry import Registry
from .starting import new_run

MESSAGE_LIMIT = 2000
"""Characters of an error's text that leave the activity. A huge text in a failure can block a hub."""

logger = logging.getLogger(__name__)


async def run_node(registry: Registry, call: NodeCall, in_thread: InThread = asyncio.to_thread) -> NodeResult:
    """Run one node. Never raises for what the user's code does; see NodeResult for the three forms of answer."""
    result = cast(NodeResult, {key: call[key] for key in _ECHOED if key in call})  # type: ignore[literal-required]
    graph = registry.find(call["graph"], call["hash"])
    if graph is None:
        return {**result, "missing": True}
    if graph.graph_hash != call["hash"]:
        result["plan"] = graph.manifest.plan()
    visit = _Visit(registry, graph, call, in_thread)
    try:
        await visit.run_in_time()
    except _NotDeployed as absent:
        return {**result, "missing": True, "missing_graph": str(absent)}
    except Exception as error:  # the boundary: a failure of user code is a value for the orchestrator
        logger.exception(
            "run %s: %s of node %r failed at step %d, attempt %d",
            call["run_id"],
            visit.where,
            call["node"],
            call["step"],
            call.get("attempt", 1),
        )
        return {**result, "error": error_record(error, visit.where)}
    return cast(NodeResult, {**result, **visit.outcome()})


_ECHOED = ("node", "step", "branch", "item", "attempt", "apply_only")


def error_record(error: Exception, where: str) -> ErrorRecord:
    """An exception as plain JSON: names travel, classes do not; the message is cut at MESSAGE_LIMIT."""
    bases = [base.__name__ for base in type(error).__mro__[1:] if base not in (BaseException, object)]
    message = _details(error) if isinstance(error, ValidationError) else str(error)
    if len(message) > MESSAGE_LIMIT:
        message = message[: MESSAGE_LIMIT - 1] + "…"
    return {"type": type(error).__name__, "bases": bases, "message": message, "where": where}


def _details(error: ValidationError) -> str:
    """Pydantic's details without its links and without the values, which may be secret."""
    lines = [f"{error.title} is not valid:"]
    for detail in error.errors(include_url=False, include_input=False, include_context=False):
        lines.append(f"{'.'.join(map(str, detail['loc'])) or '(whole)'}: {detail['msg']}")
    return "\n".join(lines)


class _NotDeployed(Exception):  # noqa: N818 - an outcome, not a failure
    """A subgraph that this deployment does not have; the text is its name."""


class _Visit:
    """One pass through a node; `where` always names the code that runs, for the error record."""

    def __init__(self, registry: Registry, graph: GraphRegistration, call: NodeCall, in_thread: InThread) -> None:
        self.registry = registry
        self.graph = graph
        self.call = call
        self.spec = graph.manifest.nodes[call["node"]]
        self.caller = Caller(graph, call, in_thread)
        self.state: dict[str, Any] = call["state"]
        self.extra: dict[str, Any] = {}
        self.where = "state"

    @property
    def _handler(self) -> Handler:
        handler = self.graph.nodes[self.spec.name].handler
        if handler is None:
            raise TypeError(f"node {self.spec.name!r} has no handler")
        return handler

    async def run_in_time(self) -> None:
        """Everything, within the node's timeout if it has one. A thread that is late runs on, and is ignored."""
        if self.spec.timeout is None:
            return await self.run()
        try:
            await asyncio.wait_for(self.run(), self.spec.timeout)
        except asyncio.TimeoutError:
            raise NodeTimeout(f"node {self.spec.name!r} took longer than {self.spec.timeout:g} s") from None

    async def run(self) -> None:
        """Bring the state up to date, then do the work of the node's kind."""
        for writes in self.call.get("writes", ()):
            self.where = "reducer"
            self.state = dump(reduce_writes(self.graph.state_model, self.state, writes))
        if "event" in self.call:
            await self._apply_event(self.call["event"])
        if not self.call.get("apply_only"):
            self.where = "handler"
            await _WORK[self.spec.kind](self)

    def outcome(self) -> dict[str, Any]:
        """The result's changing part: what changed in the state, and what else the work has brought."""
        patch, unset = difference(self.call["state"], self.state)
        found: dict[str, Any] = {"patch": patch, **self.extra}
        if unset:
            found["unset"] = unset
        if "event" in self.call:
            found["event"] = self.call["event"]["name"]
        return found

    async def _task(self) -> None:
        name, code = self.spec.name, self.graph.nodes[self.spec.name]
        if "branch" in self.call:
            return await self._branch()
        await self._update(self._handler, f"node {name!r}")
        if code.route is not None:
            self.where = "route"
            answer = await self.caller(code.route, load(self.graph.state_model, self.state))
            decision = _checked(as_decision(answer, self.spec.next_node), self.graph, name)
            self.extra["decision"] = decision.to_dict()

    async def _branch(self) -> None:
        """A branch keeps updates of fields with a reducer apart: they are reduced when all branches are back."""
        name = self.spec.name
        given = load(self.graph.state_model, self.state)
        update = await self.caller(self._handler, given)
        writes, rest = raw_writes(self.graph.state_model, update)
        self.state = self._merged(rest, f"node {name!r}")
        if writes:
            check(writes, "state")
            self.extra["writes"] = writes

    async def _map_item(self) -> None:
        given = load(self.graph.state_model, self.state)
        item = getattr(given, str(self.spec.over))[0]
        value = to_json(await self.caller(self._handler, given, item))
        check(value, "the item's result")
        self.extra["value"] = value

    async def _prepare_child(self) -> None:
        """The input of a subgraph's run: the parent's fields, validated by the child's model."""
        child = self.registry.default(str(self.spec.graph))
        if child is None:
            raise _NotDeployed(self.spec.graph)
        self.where = "input of the subgraph"
        given = {theirs: self.state[mine] for theirs, mine in (self.spec.input or {}).items()}
        run = new_run(child, given, self.call.get("metadata", {}), str(self.call.get("started_at", "")))
        self.extra["child"] = {**run, "child": True}

    async def _nothing(self) -> None:
        return None

    async def _apply_event(self, event: EventInput) -> None:
        self.where = f"event handler {event['name']!r}"
        code = self.graph.events.get(event["name"])
        if code is None:
            raise DecisionError(f"the graph has no handler for the event {event['name']!r}")
        payload = event["payload"]
        if code.payload_model is not None:
            payload = load(code.payload_model, payload)
        await self._update(code.handler, self.where, payload)

    async def _update(self, handler: Callable[..., Any], who: str, *payload: Any) -> None:
        """Call a handler with a state of its own, and merge what it returns."""
        given = load(self.graph.state_model, self.state)
        update = await self.caller(handler, given, *payload)
        self.caller.warn_of_mutation(self.state, given, update, who)
        self.state = self._merged(update, who)

    def _merged(self, update: Any, who: str) -> dict[str, Any]:
        merged = dump(merge(self.graph.state_model, self.state, update, who))
        check(merged, "state")
        return merged


_WORK: dict[str, Callable[[_Visit], Any]] = {
    "task": _Visit._task,
    "map": _Visit._map_item,
    "subgraph": _Visit._prepare_child,
    "parallel": _Visit._nothing,
    "wait": _Visit._nothing,
}
"""What the activity does for a node of each kind."""


def _checked(decision: RouteDecision, graph: GraphRegistration, node: str) -> RouteDecision:
    """The decision, if the graph can follow it: better here, with a name, than after a person has answered."""
    manifest = graph.manifest
    where = f"the route of node {node!r}"
    for target in decision.targets:
        if target not in manifest.nodes:
            raise DecisionError(f"{where} leads to the unknown node {target!r}; {did_you_mean(target, manifest.nodes)}")
    for event in decision.awaited:
        if event not in manifest.event_handlers:
            known = did_you_mean(event, manifest.event_handlers)
            raise DecisionError(f"{where} waits for the event {event!r}, which nobody handles; {known}")
    spec = manifest.nodes[node]
    for target in decision.targets or [COMPLETE]:
        if spec.targets is not None and target not in {*spec.targets, spec.next_node}:
            raise DecisionError(
                f"{where} decided for {target!r}, which its targets do not declare: "
                f"add it to targets=[…] or to the Literal[…] annotation"
            )
    return decision
