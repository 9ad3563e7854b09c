"""One visit of a node: bring the state up to date, then do the work of the node's kind."""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import Any

from ..errors import DecisionError
from ..graph.decisions import as_decision
from ..graph.partial import load_item
from ..graph.reducers import reducers_of, write_update
from ..graph.registration import GraphRegistration, Handler
from ..graph.sizes import check_state, check_value
from ..graph.states import has_model_validators, load
from ..run.messages import EventInput, NodeCall
from .boundary import NodeFailed, failure
from .calling import Caller, InThread
from .decisions import check_decision
from .fan_in import ItemReader, child_fits, surely_reduces
from .item_inputs import item_input
from .node_facts import as_text, facts_of
from .progress import Reporter
from .registry import Registry
from .spans import current_trace
from .starting import new_run
from .trace_context import read_trace
from .visit_state import VisitState

logger = logging.getLogger(__name__)


class NotDeployed(Exception):  # noqa: N818 - an outcome, not a failure
    """A subgraph that this deployment does not have; None for the call's own graph."""

    def __init__(self, graph: str | None) -> None:
        self.graph = graph
        super().__init__(graph)


class Visit:
    """One call of the activity. Failures are raised as NodeFailed."""

    def __init__(
        self, registry: Registry, graph: GraphRegistration, call: NodeCall, in_thread: InThread, reporter: Reporter
    ) -> None:
        self._registry = registry
        self._graph, self._model = graph, graph.state_model
        self._call = call
        self._spec = graph.manifest.nodes[call["node"]]
        self._who = f"node {self._spec.name!r}"
        self._caller = Caller(graph, call, in_thread, reporter)
        self._answer: dict[str, Any] = {}
        self._updates: list[dict[str, Any]] = []
        self._replaced: set[str] = set()

    async def run(self) -> dict[str, Any]:
        """The changing part of the result: the patch of the state, and what else the work returned."""
        if "item" in self._call:
            await self._item()
            self._check_size({})
            return {"patch": {}, **self._answer}
        with _ours("state"):
            self._state = VisitState(self._model, self._call["state"])
        if "patch" in self._call:
            with _ours("merge"):
                self._state.merge_patch(self._call["patch"])
        for writes in self._call.get("writes", ()):
            with _ours("merge"):
                self._state.apply_json(writes)
                self._note({key: value for key, value in writes.items() if key in reducers_of(self._model)})
        if "event" in self._call:
            await self._apply_event(self._call["event"])
        if not self._call.get("apply_only"):
            await _WORK[self._spec.kind](self)
        patch, unset = self._state.patch()
        self._check_size(patch)
        if "branch" in self._call:
            patch = self._without_derived(patch)
        if self._call.get("branched"):
            self._tell_updates(patch)
        return {"patch": patch, **({"unset": unset} if unset else {}), **self._answer}

    def _check_size(self, patch: dict[str, Any]) -> None:
        """Fail the node if its result is too large, or the state with it."""
        most, result = self._registry.most_bytes, {"patch": patch, **self._answer}
        with _ours("size"):
            check_value(result, most, f"the result of {self._who}", patch)
            if patch:
                check_state(self._state.fields, most, f"the state after {self._who}")

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
                check_decision(decision, self._graph, self._spec.name)
            self._answer["decision"] = decision.to_dict()

    def _note(self, update: dict[str, Any]) -> None:
        """Note what is reduced into fields, in JSON: where branches join it is reduced again."""
        if update and self._call.get("branched"):
            self._updates.append(update)

    def _before(self, update: Any, who: str) -> dict[str, Any]:
        """Note what is reduced; of fields with a reducer, what they hold before they are replaced by a whole state."""
        if not isinstance(update, Mapping):
            return {name: self._state.fields.get(name) for name in reducers_of(self._model)}
        self._note(self._writes_of(self._state.split(update, who)[0]))
        return {}

    def _tell_updates(self, patch: dict[str, Any]) -> None:
        derived = [name for name in patch if self._state.derives(name)]
        if derived:
            self._answer |= {"derived": derived, "merge": True}
        if self._updates:
            self._answer["updates"] = self._updates
        if self._replaced:
            self._answer["replaced"] = sorted(self._replaced)
        fine = all(surely_reduces(self._model, update) for update in self._updates)
        if has_model_validators(self._model) or not fine:
            self._answer["merge"] = True

    def _writes_of(self, reduced: Mapping[str, Any]) -> dict[str, Any]:
        return {key: write_update(self._model, key, value) for key, value in reduced.items()}

    async def _branch(self) -> None:
        """A branch returns updates of fields with a reducer separately: they are reduced when all branches are done."""
        update = await self._caller("handler", self._handler, self._state.value)
        with _ours("handler"):
            reduced, others = self._state.split(update, self._who)
            writes = self._writes_of(reduced)
        self._merge(others, self._who, "handler", quiet=set(reduced))
        if writes:
            self._answer["writes"] = writes
        if has_model_validators(self._model) or not surely_reduces(self._model, writes):
            self._answer["merge"] = True

    async def _item(self) -> None:
        """The call for one item of a map."""
        with _ours("state"):
            value, item = load_item(self._model, self._call["state"], str(self._spec.over))
        if self._spec.graph is not None:
            return self._prepare_item(item)
        with _ours("state"):
            reader = ItemReader(self._model, str(self._spec.into), self._spec.collect)
        result = await self._caller("handler", self._handler, value, item)
        with _ours("handler"):
            self._answer["value"] = reader.read(result, self._who)
        if reader.needs_merge:
            self._answer["merge"] = True

    def _prepare_item(self, item: Any) -> None:
        """The input of the run for one item."""
        held = self._call["state"][str(self._spec.over)]
        json_item = next(iter(held.items() if isinstance(held, dict) else held))
        with _ours("input of the subgraph"):
            given = item_input(self._spec.input, self._call["state"], json_item, self._model)
            self._start_child(given)

    async def _prepare_child(self) -> None:
        """The input of a subgraph's run: the parent's fields, validated by the child's model."""
        with _ours("input of the subgraph"):
            fields = self._state.fields
            child = self._start_child({theirs: fields[mine] for theirs, mine in (self._spec.input or {}).items()})
        if not child_fits(self._model, child.state_model, self._spec.output or {}):
            self._answer["merge"] = True

    def _start_child(self, given: dict[str, Any]) -> GraphRegistration:
        child = self._registry.default(str(self._spec.graph))
        if child is None:
            raise NotDeployed(str(self._spec.graph))
        most = self._registry.most_bytes
        run = new_run(child, given, self._call.get("metadata", {}), str(self._call.get("started_at", "")), most)
        trace = current_trace() or read_trace(self._call.get("trace"))
        self._answer["child"] = {**run, "child": True, **({"trace": trace} if trace else {})}
        return child

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
            before = self._before(update, who) if self._call.get("branched") and quiet is None else {}
            lost = [name for name in self._state.apply(update, who) if name not in (quiet or ())]
            self._replaced |= {name for name, value in before.items() if self._state.fields.get(name) != value}
        if lost:
            logger.warning(
                "%s changed %s in place and did not return it; only what is returned is kept: %s",
                who,
                ", ".join(sorted(lost)),
                as_text(facts_of(self._call, self._graph)),
            )


_WORK: dict[str, Callable[[Visit], Awaitable[None]]] = {
    "task": Visit._task,
    "map": Visit._do_nothing,
    "subgraph": Visit._prepare_child,
    "parallel": Visit._do_nothing,
    "wait": Visit._do_nothing,
}
"""What the activity does for a node of each kind; a map has one call for each item, and none of its own."""


@contextlib.contextmanager
def _ours(where: str) -> Iterator[None]:
    """Processing what user code returned, or reading its input: it fails the same way every time, so it is permanent.

    Validators and reducers run inside; whatever they raise is a failure, too.
    """
    try:
        yield
    except NotDeployed:
        raise
    except BaseException as error:
        raise NodeFailed(failure(error, where, permanent=True)) from None
