"""ManifestBuilder: declare a graph, then compile it once. Floor 4.

Declaring never raises for a fault of the graph: `build()` collects them and reports all at once.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel

from . import checks
from .errors import Fault, GraphBuildError
from .graph import EventCode, GraphRegistration, Handler, NodeCode
from .hints import annotated_targets
from .manifest import DEFAULT_MAX_STEPS, EventSpec, GraphManifest, NodeSpec
from .mermaid import flowchart
from .names import COMPLETE
from .plain import canonical
from .states import model_faults, schema_of


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
    ) -> ManifestBuilder:
        """Add a node.

        `handler(state)` returns changed fields, a state or None. What follows is `next_node`, or what `route(state)`
        decides, or nothing (`terminal`). With both, `next_node` follows where the route returns None. `targets`
        declares what the route can decide; a `Literal[…]` return annotation does the same.
        """
        where = f"node {name!r}"
        if not isinstance(name, str):
            self._fault(where, "is not named by a string", "Pass the name first, then the handler")
            return self
        if name in self._nodes:
            self._fault(where, "declared twice", "Give each node a name of its own")
        self._check_callable(where, "handler", handler)
        if route is not None:
            self._check_callable(where, "route", route)
        if isinstance(targets, str):
            self._fault(where, "has a string for targets", f"Write targets=[{targets!r}]")
            targets = [targets]
        declared = None if targets is None else tuple(sorted(set(targets)))
        if declared is not None and route is None:
            self._fault(where, "has targets but no route", "Add route=…, or drop targets=…")
        if declared is None and callable(route):
            declared = annotated_targets(route, otherwise=next_node or COMPLETE)
        self._nodes[name] = NodeSpec(
            name, next_node=next_node, routed=route is not None, targets=declared, terminal=terminal
        )
        self._node_code[name] = NodeCode(handler, route)
        return self

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
        )
        faults = [*self._faults, *model_problems, *self._metadata_faults()]
        faults += checks.manifest_faults(manifest)
        faults += checks.route_faults(manifest, self._node_code)
        if faults:
            raise GraphBuildError(str(self._graph_name), faults, flowchart(manifest) if self._nodes else "")
        return GraphRegistration(manifest, self._state_model, self._node_code, self._event_code)

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
