"""ManifestBuilder: declare a graph, then compile it once.

Declaring never raises for a fault of the graph: `build()` collects them and reports all at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Union

from pydantic import BaseModel

from ..errors import Fault, GraphBuildError
from ..graph.manifest import DEFAULT_MAX_STEPS, GraphManifest
from ..graph.names import COMPLETE
from ..graph.nodes import EventSpec, NodeSpec
from ..graph.plain_json import canonical
from ..graph.reducers import reducer_names
from ..graph.registration import EventCode, GraphRegistration, Handler, NodeCode
from ..graph.states import model_faults, schema_of
from . import checks
from .origin import caller

if TYPE_CHECKING:
    from ..graph.policies import ErrorName, RetryPolicy

    OnError = Union[str, Mapping[ErrorName, str]]
    """A node for any error, or a table from exception classes (or their names, or "*") to nodes."""


class ManifestBuilder:
    """Declares a graph step by step; `build()` returns the registration for an app."""

    def __init__(
        self,
        graph_name: str,
        state_model: type[BaseModel],
        version: str = "1",
        metadata: Mapping[str, Any] | None = None,
        max_steps: int = DEFAULT_MAX_STEPS,
    ) -> None:
        """Begin a graph. `max_steps` bounds the nodes that one run may visit; a run that reaches it fails."""
        self._graph_name = graph_name
        self._state_model = state_model
        self._version = version
        self._metadata = {} if metadata is None else metadata
        self._max_steps = max_steps
        self._entrypoint: str | None = None
        self._nodes: dict[str, NodeSpec] = {}
        self._node_code: dict[str, NodeCode] = {}
        self._events: dict[str, EventSpec] = {}
        self._event_code: dict[str, EventCode] = {}
        self._faults: list[Fault] = []

    def set_entrypoint(self, name: str) -> ManifestBuilder:
        """Name the node at which every run begins."""
        if self._entrypoint not in (None, name):
            self._fault("entrypoint", f"set twice, to {self._entrypoint!r} and {name!r}", "Keep one")
        self._entrypoint = name
        return self

    def add_node(
        self,
        name: str,
        handler: Handler,
        *,
        next_node: str | None = None,
        route: Handler | None = None,
        terminal: bool = False,
        targets: Iterable[str] | None = None,
        retry: RetryPolicy | None = None,
        timeout: timedelta | None = None,
        on_error: OnError | None = None,
    ) -> ManifestBuilder:
        """Add a node.

        `handler(state)` or `handler(state, context)` returns changed fields, a state or None. What follows is
        `next_node`, or what `route(state)` decides, or nothing (`terminal`). With both, `next_node` follows where the
        route returns None. `targets` declares what the route can decide; a `Literal[…]` return annotation does, too.
        An attempt that takes longer than `timeout` fails with NodeTimeout. After the attempts that `retry` allows,
        `on_error` names the node that follows, for any error or by the error's type.
        """
        where = f"node {name!r}"
        if isinstance(targets, str):
            self._fault(where, "has a string for targets", f"Write targets=[{targets!r}]")
            targets = [targets]
        if route is not None:
            self._check_callable(where, "route", route)
        declared = None if targets is None else tuple(sorted(set(targets)))
        if declared is not None and route is None:
            self._fault(where, "has targets but no route", "Add route=…, or drop targets=…")
        if declared is None and callable(route):
            from .introspection import annotated_targets  # reads source: only where there is a route

            declared = annotated_targets(route, otherwise=next_node or COMPLETE)
        spec = NodeSpec(name, next_node=next_node, routed=route is not None, targets=declared, terminal=terminal)
        return self._add(spec, handler, route, retry=retry, timeout=timeout, on_error=on_error)

    def add_parallel(
        self, name: str, branches: Iterable[str], *, next_node: str | None = None, on_error: OnError | None = None
    ) -> ManifestBuilder:
        """Run several nodes at once on one snapshot of the state, then merge what they changed.

        The branches are nodes without an edge of their own. Two of them may write one field only if it has a reducer.
        """
        spec = NodeSpec(
            name, kind="parallel", branches=tuple(branches), next_node=next_node, terminal=next_node is None
        )
        return self._add(spec, None, on_error=on_error)

    def add_map(
        self,
        name: str,
        handler: Handler,
        *,
        over: str,
        into: str,
        max_concurrency: int = 20,
        next_node: str | None = None,
        retry: RetryPolicy | None = None,
        timeout: timedelta | None = None,
        on_error: OnError | None = None,
    ) -> ManifestBuilder:
        """Run `handler(state, item)` on each item of the list field `over`; the results, in order, become `into`.

        The state that a handler gets holds only its own item in `over`. At most `max_concurrency` run at once.
        """
        spec = NodeSpec(
            name,
            kind="map",
            over=over,
            into=into,
            limit=max_concurrency,
            next_node=next_node,
            terminal=next_node is None,
        )
        return self._add(spec, handler, retry=retry, timeout=timeout, on_error=on_error)

    def add_subgraph(
        self,
        name: str,
        *,
        graph: str,
        input: Mapping[str, str] | None = None,  # noqa: A002 - the word that users look for
        output: Mapping[str, str] | None = None,
        next_node: str | None = None,
        retry: RetryPolicy | None = None,
        on_error: OnError | None = None,
    ) -> ManifestBuilder:
        """Run another graph of the app as a run of its own, and wait for it.

        `input` maps the child's fields to fields of this state, `output` this state's fields to the child's.
        """
        spec = NodeSpec(
            name,
            kind="subgraph",
            graph=graph,
            input=dict(input or {}),
            output=dict(output or {}),
            next_node=next_node,
            terminal=next_node is None,
        )
        return self._add(spec, None, retry=retry, on_error=on_error)

    def add_wait(self, name: str, *, duration: timedelta, next_node: str | None = None) -> ManifestBuilder:
        """Let time pass before the run goes on; a wait may take months."""
        seconds = self._seconds(f"node {name!r}", "duration", duration)
        spec = NodeSpec(name, kind="wait", seconds=seconds, next_node=next_node, terminal=next_node is None)
        return self._add(spec, None)

    def add_event_handler(
        self, event_name: str, handler: Handler, payload_model: type[BaseModel] | None = None
    ) -> ManifestBuilder:
        """Handle an external event: `handler(state, payload)` returns what a node's handler returns.

        With a `payload_model` a posted payload is validated at the door (422), and the handler gets the model.
        """
        where = f"event {event_name!r}"
        if not isinstance(event_name, str):
            self._fault(where, "is not named by a string", "Pass the event's name first, then the handler")
            return self
        if event_name in self._events:
            self._fault(where, "has two handlers", "Keep one")
        self._check_callable(where, "handler", handler)
        schema = None
        if payload_model is not None:
            faults = list(model_faults(payload_model, where))
            self._faults += faults
            schema = None if faults else schema_of(payload_model)
        self._events[event_name] = EventSpec(event_name, schema)
        self._event_code[event_name] = EventCode(handler, payload_model)
        return self

    def build(self) -> GraphRegistration:
        """Compile the graph. Raises GraphBuildError with every fault and its cure."""
        model_problems = list(model_faults(self._state_model, "state model"))
        manifest = GraphManifest(
            graph_name=self._graph_name,
            version=self._version,
            entrypoint=self._entrypoint or "",
            state_model=getattr(self._state_model, "__name__", str(self._state_model)),
            state_schema={} if model_problems else schema_of(self._state_model),
            nodes=self._nodes,
            event_handlers=self._events,
            metadata=self._metadata if isinstance(self._metadata, Mapping) else {},
            max_steps=self._max_steps,
            reducers={} if model_problems else reducer_names(self._state_model),
        )
        faults = [*self._faults, *model_problems, *self._metadata_faults()]
        faults += checks.manifest_faults(manifest)
        faults += checks.code_faults(manifest, self._node_code)
        if faults:
            from .mermaid import flowchart  # a picture only of what is wrong

            raise GraphBuildError(str(self._graph_name), faults, flowchart(manifest) if self._nodes else "")
        return GraphRegistration(manifest, self._state_model, self._node_code, self._event_code, caller())

    def _add(
        self,
        spec: NodeSpec,
        handler: Handler | None,
        route: Handler | None = None,
        *,
        retry: RetryPolicy | None = None,
        timeout: timedelta | None = None,
        on_error: OnError | None = None,
    ) -> ManifestBuilder:
        """Keep a node with its policies and its code."""
        where = f"node {spec.name!r}"
        if not isinstance(spec.name, str):
            self._fault(where, "is not named by a string", "Pass the name first, then the handler")
            return self
        if spec.name in self._nodes:
            self._fault(where, "declared twice", "Give each node a name of its own")
        if handler is not None or spec.kind in ("task", "map"):
            self._check_callable(where, "handler", handler)
        self._nodes[spec.name] = replace(
            spec,
            retry=None if retry is None else retry.to_dict(),
            timeout=None if timeout is None else self._seconds(where, "timeout", timeout),
            on_error=None if on_error is None else self._error_table(where, on_error),
        )
        self._node_code[spec.name] = NodeCode(handler, route)
        return self

    def _error_table(self, where: str, on_error: OnError) -> dict[str, str] | None:
        from ..graph.policies import ANY, error_name  # only where there is a policy

        if isinstance(on_error, str):
            return {ANY: on_error}
        if not isinstance(on_error, Mapping) or not on_error:
            self._fault(where, f"on_error is {on_error!r}", 'Name a node, or a table such as {"ValueError": "mend"}')
            return None
        return {error_name(error): target for error, target in on_error.items()}

    def _seconds(self, where: str, what: str, span: Any) -> float | None:
        if not isinstance(span, timedelta) or span <= timedelta(0):
            self._fault(where, f"{what} is {span!r}", "Use a timedelta that is longer than nothing")
            return None
        return span.total_seconds()

    def _metadata_faults(self) -> list[Fault]:
        if not isinstance(self._metadata, Mapping):
            return [Fault("metadata", f"is a {type(self._metadata).__name__}", "Pass a dict")]
        try:
            canonical(dict(self._metadata))
        except (TypeError, ValueError) as error:
            return [Fault("metadata", f"is not plain JSON ({error})", "Use strings, numbers, lists and dicts")]
        return []

    def _check_callable(self, where: str, role: str, code: Any) -> None:
        if not callable(code):
            self._fault(where, f"{role} is a {type(code).__name__}, not a function", "Pass the function itself")
        elif inspect.isgeneratorfunction(code) or inspect.isasyncgenfunction(code):
            self._fault(where, f"{role} is a generator", "Return the update instead of yielding it")

    def _fault(self, where: str, problem: str, cure: str) -> None:
        self._faults.append(Fault(where, problem, cure))
