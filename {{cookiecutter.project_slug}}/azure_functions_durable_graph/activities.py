"""The node activity: one node of one graph, dict in, dict out. All user code of a run runs here. Floor 5.

In one activity: the event's handler (if the run resumes from a wait), the node's handler, the merge, and the
route's decision. What the user's code raises becomes a value; only a call that cannot be read raises.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from .decisions import RouteAction, RouteDecision, as_decision
from .errors import DecisionError
from .graph import GraphRegistration
from .messages import ErrorRecord, EventInput, NodeCall, NodeResult
from .names import COMPLETE, hint
from .plain import check
from .registry import Registry
from .states import difference, dump, load, merge

MESSAGE_LIMIT = 2000
"""Characters of an error's text that leave the activity. A huge text in a failure can block a hub."""

logger = logging.getLogger(__name__)


InThread = Callable[..., Awaitable[Any]]
"""Runs `code(*arguments)` in a thread: `asyncio.to_thread`, or the host's own way."""


async def run_node(registry: Registry, call: NodeCall, in_thread: InThread = asyncio.to_thread) -> NodeResult:
    """Run one node. Never raises for what the user's code does; see NodeResult for the three forms of answer."""
    result: NodeResult = {"node": call["node"], "step": call["step"]}
    graph = registry.find(call["graph"], call["hash"])
    if graph is None:
        return {**result, "missing": True}
    if graph.graph_hash != call["hash"]:
        result["plan"] = graph.manifest.plan()
    visit = _Visit(graph, call, in_thread)
    try:
        await visit.run()
    except Exception as error:  # the boundary: a failure of user code is a value for the orchestrator
        logger.exception(
            "run %s: %s of node %r failed at step %d", call["run_id"], visit.where, call["node"], call["step"]
        )
        return {**result, "error": error_record(error, visit.where)}
    patch, unset = difference(call["state"], visit.state)
    result["patch"] = patch
    if unset:
        result["unset"] = unset
    if visit.decision is not None:
        result["decision"] = visit.decision.to_dict()
    if "event" in call:
        result["event"] = call["event"]["name"]
    return result


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


class _Visit:
    """One pass through a node; `where` always names the code that runs, for the error record."""

    def __init__(self, graph: GraphRegistration, call: NodeCall, in_thread: InThread) -> None:
        self.graph = graph
        self.in_thread = in_thread
        self.call = call
        self.state: dict[str, Any] = call["state"]
        self.decision: RouteDecision | None = None
        self.where = "state"

    async def run(self) -> None:
        name = self.call["node"]
        code = self.graph.nodes[name]
        if "event" in self.call:
            await self._apply_event(self.call["event"])
        self.where = "handler"
        await self._update(code.handler, f"node {name!r}")
        if code.route is not None:
            self.where = "route"
            answer = await self._call(code.route, load(self.graph.state_model, self.state))
            self.decision = _checked(as_decision(answer, self.graph.manifest.nodes[name].next_node), self.graph, name)

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
        update = await self._call(handler, given, *payload)
        self._warn_of_mutation(given, update, who)
        merged = dump(merge(self.graph.state_model, self.state, update, who))
        check(merged, "state")
        self.state = merged

    async def _call(self, code: Callable[..., Any], *arguments: Any) -> Any:
        """Call user code: `async def` on this loop, anything else in a thread, so that it cannot block the loop."""
        if inspect.iscoroutinefunction(code):
            return await code(*arguments)
        return await _maybe_await(await self.in_thread(code, *arguments))

    def _warn_of_mutation(self, given: BaseModel, update: Any, who: str) -> None:
        """Changes made in place are not kept (a handler returns its changes); losing them in silence is not kind."""
        if isinstance(update, BaseModel):
            return
        try:
            changed, _ = difference(self.state, dump(given))
        except Exception:  # a state broken in place is dropped anyway; this is only a warning
            return
        lost = sorted(set(changed) - set(update if isinstance(update, dict) else ()))
        if lost:
            logger.warning(
                "run %s: %s changed %s in place and did not return it; only what is returned is kept",
                self.call["run_id"],
                who,
                ", ".join(lost),
            )


async def _maybe_await(value: Any) -> Any:
    """The value, or what it resolves to: sync and async handlers look the same from here on."""
    return await value if inspect.isawaitable(value) else value


def _checked(decision: RouteDecision, graph: GraphRegistration, node: str) -> RouteDecision:
    """The decision, if the graph can follow it: better here, with a name, than after a person has answered."""
    manifest = graph.manifest
    if decision.target is not None and decision.target not in manifest.nodes:
        raise DecisionError(
            f"the route of node {node!r} leads to the unknown node {decision.target!r}; "
            f"{hint(decision.target, manifest.nodes)}"
        )
    if decision.action is RouteAction.WAIT_FOR_EVENT and decision.event_name not in manifest.event_handlers:
        raise DecisionError(
            f"the route of node {node!r} waits for the event {decision.event_name!r}, which nobody handles; "
            f"{hint(decision.event_name or '', manifest.event_handlers)}"
        )
    spec = manifest.nodes[node]
    target = decision.target or COMPLETE
    if spec.targets is not None and target not in {*spec.targets, spec.next_node}:
        raise DecisionError(
            f"the route of node {node!r} decided for {target!r}, which its targets do not declare: "
            f"add it to targets=[…] or to the Literal[…] annotation"
        )
    return decision
