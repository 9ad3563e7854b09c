"""One visit of a node: bring the state up to date, then do the work of the node's kind."""

from __future__ import annotations

import contextlib
import logging
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Sequence, Set
from typing import Any

from ..errors import DecisionError
from ..graph.decisions import RouteDecision, as_decision
from ..graph.names import COMPLETE, did_you_mean
from ..graph.reducers import write_update
from ..graph.registration import GraphRegistration, Handler
from ..graph.states import has_model_validators, load
from ..run.messages import EventInput, NodeCall
from .boundary import NodeFailed, failure
from .calling import Caller, InThread
from .fan_in import ItemReader, child_fits, surely_reduces
from .registry import Registry
from .starting import new_run
from .visit_state import VisitState

logger = logging.getLogger(__name__)


class NotDeployed(Exception):  # noqa: N818 - an outcome, not a failure
    """A subgraph that this deployment does not have."""

    def __init__(self, graph: str) -> None:
        self.graph = graph
        super().__init__(graph)


class Visit:
    """One call of the activity. Failures are raised as NodeFailed."""

    def __init__(self, registry: Registry, graph: GraphRegistration, call: NodeCall, in_thread: InThread) -> None:
        self._registry = registry
        self._graph = graph
        self._call = call
        self._spec = graph.manifest.nodes[call["node"]]
        self._who = f"node {self._spec.name!r}"
        self._caller = Caller(graph, call, in_thread)
        self._answer: dict[str, Any] = {}

    async def run(self) -> dict[str, Any]:
        """The changing part of the result: the patch of the state, and what else the work returned."""
        with _ours("state"):
            self._state = VisitState(self._graph.state_model, self._call["state"])
        if "patch" in self._call:
            with _ours("merge"):
                self._state.merge_patch(self._call["patch"])
        for writes in self._call.get("writes", ()):
            with _ours("merge"):
                self._state.apply_json(writes)
        if "event" in self._call:
            await self._apply_event(self._call["event"])
        if not self._call.get("apply_only"):
            await _WORK[self._spec.kind](self)
        patch, unset = self._state.patch()
        if "branch" in self._call:
            patch = self._without_derived(patch)
        return {"patch": patch, **({"unset": unset} if unset else {}), **self._answer}

    def _without_derived(self, patch: dict[str, Any]) -> dict[str, Any]:
        """A branch's patch; what depends on other branches, too, is computed when all are merged."""
        written = {name: value for name, value in patch.items() if not self._state.derives(name)}
        if len(written) < len(patch):
            self._answer["merge"] = True
        return written

    async def _apply_event(self, event: EventInput) -> None:
        where = f"event handler {event['name']!r}"
        self._answer["event"] = event["name"]
        with _ours(where):
            code = self._graph.events.get(event["name"])
            if code is None:
                raise DecisionError(f"the graph has no handler for the event {event['name']!r}")
            payload = event["payload"]
            if code.payload_model is not None:
                payload = load(code.payload_model, payload)
        update = await self._caller(where, code.handler, self._state.value, payload)
        self._merge(update, where, where)

    async def _task(self) -> None:
        if "branch" in self._call:
            return await self._branch()
        update = await self._caller("handler", self._handler, self._state.value)
        self._merge(update, self._who, "handler")
        route = self._graph.nodes[self._spec.name].route
        if route is not None:
            answer = await self._caller("route", route, self._state.value)
            with _ours("route"):
                decision = as_decision(answer, self._spec.next_node)
                _check_decision(decision, self._graph, self._spec.name)
            self._answer["decision"] = decision.to_dict()

    async def _branch(self) -> None:
        """A branch returns updates of fields with a reducer separately: they are reduced when all branches are done."""
        update = await self._caller("handler", self._handler, self._state.value)
        with _ours("handler"):
            reduced, others = self._state.split(update, self._who)
            writes = {key: write_update(self._graph.state_model, key, value) for key, value in reduced.items()}
        self._merge(others, self._who, "handler", quiet=set(reduced))
        if writes:
            self._answer["writes"] = writes
        if has_model_validators(self._graph.state_model) or not surely_reduces(self._graph.state_model, writes):
            self._answer["merge"] = True

    async def _map_item(self) -> None:
        with _ours("state"):
            reader = ItemReader(self._graph.state_model, str(self._spec.into))
            item = _only_item(getattr(self._state.value, str(self._spec.over)), str(self._spec.over))
        result = await self._caller("handler", self._handler, self._state.value, item)
        with _ours("handler"):
            self._answer["value"] = reader.read(result, self._who)
        if reader.needs_merge:
            self._answer["merge"] = True

    async def _prepare_child(self) -> None:
        """The input of a subgraph's run: the parent's fields, validated by the child's model."""
        child = self._registry.default(str(self._spec.graph))
        if child is None:
            raise NotDeployed(str(self._spec.graph))
        with _ours("input of the subgraph"):
            fields = self._state.fields
            given = {theirs: fields[mine] for theirs, mine in (self._spec.input or {}).items()}
            run = new_run(child, given, self._call.get("metadata", {}), str(self._call.get("started_at", "")))
        self._answer["child"] = {**run, "child": True}
        if not child_fits(self._graph.state_model, child.state_model, self._spec.output or {}):
            self._answer["merge"] = True

    async def _do_nothing(self) -> None:
        return None

    @property
    def _handler(self) -> Handler:
        handler = self._graph.nodes[self._spec.name].handler
        if handler is None:
            raise TypeError(f"{self._who} has no handler")
        return handler

    def _merge(self, update: Any, who: str, where: str, *, quiet: set[str] | None = None) -> None:
        """Merge what user code returned, and warn about what it changed in place and did not return."""
        with _ours(where):
            lost = [name for name in self._state.apply(update, who) if name not in (quiet or ())]
        if lost:
            logger.warning(
                "run %s: %s changed %s in place and did not return it; only what is returned is kept",
                self._call["run_id"],
                who,
                ", ".join(sorted(lost)),
            )


def _only_item(items: Any, field: str) -> Any:
    """The item of a list, tuple, set or deque of one."""
    if not isinstance(items, (Sequence, Set, deque)) or isinstance(items, str):
        raise TypeError(f"the field {field!r} holds a {type(items).__name__}, not a list")
    return next(iter(items))


_WORK: dict[str, Callable[[Visit], Awaitable[None]]] = {
    "task": Visit._task,
    "map": Visit._map_item,
    "subgraph": Visit._prepare_child,
    "parallel": Visit._do_nothing,
    "wait": Visit._do_nothing,
}
"""What the activity does for a node of each kind."""


@contextlib.contextmanager
def _ours(where: str) -> Iterator[None]:
    """Processing what user code returned, or reading its input: it fails the same way every time, so it is permanent.

    Validators and reducers run inside; whatever they raise is a failure, too.
    """
    try:
        yield
    except BaseException as error:
        raise NodeFailed(failure(error, where, permanent=True)) from None


def _check_decision(decision: RouteDecision, graph: GraphRegistration, node: str) -> None:
    """Reject a decision that the graph cannot follow: better here, with a name, than after a person has answered."""
    manifest = graph.manifest
    where = f"the route of node {node!r}"
    for target in decision.targets:
        if target not in manifest.nodes:
            known = did_you_mean(target, manifest.nodes)
            raise DecisionError(f"{where} leads to the unknown node {target!r}; {known}")
    for event in decision.awaited:
        if event not in manifest.event_handlers:
            known = did_you_mean(event, manifest.event_handlers)
            raise DecisionError(f"{where} waits for the event {event!r}, which has no handler; {known}")
    spec = manifest.nodes[node]
    for target in decision.targets or [COMPLETE]:
        if spec.targets is not None and target not in {*spec.targets, spec.next_node}:
            raise DecisionError(
                f"{where} chose {target!r}, which its targets do not declare: "
                f"add it to targets=[…] or to the Literal[…] annotation"
            )
