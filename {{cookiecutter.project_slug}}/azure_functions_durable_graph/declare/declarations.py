"""What a ManifestBuilder has collected, and how it becomes a graph: everything is kept, and checked at the end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from ..errors import Fault, GraphBuildError
from ..graph.manifest import GraphManifest
from ..graph.names import plain_name
from ..graph.nodes import EventSpec, NodeSpec
from ..graph.plain_json import canonical
from ..graph.reducers import reducer_names
from ..graph.regions import is_single
from ..graph.registration import EventCode, GraphRegistration, Handler, NodeCode
from ..graph.wording import brief_repr
from . import checks, code_checks
from .origin import caller
from .reading import Reader
from .state_faults import examine_payload, examine_state

if TYPE_CHECKING:
    from ..graph.policies import RetryPolicy
    from .handler_types import OnError

_NO_CODE = NodeCode(None)


@dataclass(eq=False, repr=False)
class Declarations:
    """One graph as it has been declared so far.

    `item_types` are the types that maps declare for their items, `checkpoints` what single nodes declare of theirs.
    """

    graph_name: Any
    state_model: Any
    version: Any
    metadata: Any
    max_steps: Any
    durability: Any = "node"
    entrypoint: str | None = None
    nodes: dict[str, NodeSpec] = field(default_factory=dict)
    node_code: dict[str, NodeCode] = field(default_factory=dict)
    events: dict[str, EventSpec] = field(default_factory=dict)
    event_code: dict[str, EventCode] = field(default_factory=dict)
    item_types: dict[str, Any] = field(default_factory=dict)
    checkpoints: dict[str, bool] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def reader(self, kind: str, name: Any = None) -> Reader:
        """A reader for the settings of a node, an event or the graph itself."""
        return Reader(kind if name is None else f"{kind} {brief_repr(plain_name(name))}", self.faults)

    def start_at(self, name: str) -> None:
        """Keep the entrypoint."""
        read = self.reader("entrypoint")
        known = read.text("the name", name)
        if self.entrypoint not in (None, known):
            read.fault(f"is set twice, to {self.entrypoint!r} and {known!r}", "Keep one")
        self.entrypoint = known

    def keep_node(
        self,
        read: Reader,
        spec: NodeSpec,
        code: NodeCode = _NO_CODE,
        *,
        next_node: str | None = None,
        retry: RetryPolicy | None = None,
        timeout: timedelta | None = None,
        on_error: OnError | None = None,
    ) -> None:
        """Keep a node with its policies and its code. A node other than a task is terminal if nothing follows it."""
        name = plain_name(spec.name)
        if not isinstance(name, str):
            read.fault("has a name that is not a string", "Pass the name first, then the handler")
            return
        if name in self.nodes:
            read.fault("is declared twice", "Give each node a name of its own")
        successor = read.text("next_node", next_node)
        self.nodes[name] = replace(
            spec,
            name=name,
            next_node=successor,
            terminal=spec.terminal or (spec.kind != "task" and successor is None),
            retry=read.retry(retry),
            timeout=None if timeout is None else read.seconds("timeout", timeout),
            on_error=read.on_error(on_error),
        )
        self.node_code[name] = code

    def keep_checkpoint(self, read: Reader, name: Any, checkpoint: Any) -> None:
        """Keep what a node declares of its checkpoint."""
        if not isinstance(checkpoint, bool):
            read.fault(f"checkpoint is {brief_repr(checkpoint)}", "Pass True or False")
        elif isinstance(plain := plain_name(name), str):
            self.checkpoints[plain] = checkpoint

    def keep_event(self, event_name: str, handler: Handler, payload_model: Any) -> None:
        """Keep an event with its handler and its model."""
        name = plain_name(event_name)
        read = self.reader("event", event_name)
        if not isinstance(name, str):
            read.fault("has a name that is not a string", "Pass the event's name first, then the handler")
            return
        if name in self.events:
            read.fault("has two handlers", "Keep one")
        schema, faults = ({}, []) if payload_model is None else examine_payload(payload_model, f"event {name!r}")
        self.faults += faults
        self.events[name] = EventSpec(name, schema or None)
        self.event_code[name] = EventCode(handler, None if faults else payload_model)

    def compile(self) -> GraphRegistration:
        """The graph. Raises GraphBuildError with every fault."""
        schema, model_problems = examine_state(self.state_model, "state model")
        model = None if model_problems else self.state_model
        manifest = GraphManifest(
            graph_name=plain_name(self.graph_name),
            version=self.version,
            entrypoint=self.entrypoint or "",
            state_model=getattr(self.state_model, "__name__", str(self.state_model)),
            state_schema=schema,
            nodes=self._with_checkpoints(),
            event_handlers=self.events,
            metadata=self.metadata if isinstance(self.metadata, Mapping) else {},
            max_steps=self.max_steps,
            reducers={} if model is None else reducer_names(model),
        )
        faults = [
            *self.faults,
            *model_problems,
            *self._metadata_faults(),
            *self._durability_faults(),
            *checks.manifest_faults(manifest),
        ]
        faults += code_checks.code_faults(manifest, model, self.node_code, self.event_code, self.item_types)
        if faults:
            raise GraphBuildError(str(manifest.graph_name), faults)
        return GraphRegistration(manifest, self.state_model, self.node_code, self.event_code, caller())

    def _with_checkpoints(self) -> dict[str, NodeSpec]:
        """The nodes; with durability "wait", a task that leads on to another node needs no checkpoint."""
        single = self._single_branches()
        return {
            name: replace(spec, checkpoint=self.checkpoints.get(name, self.durability != "wait"))
            if spec.kind == "task" and not spec.terminal and name not in single
            else spec
            for name, spec in self.nodes.items()
        }

    def _single_branches(self) -> set[str]:
        """The branches that are a single task: their results are kept where the branches join."""
        parallels = [spec for spec in self.nodes.values() if spec.branches]
        known = [
            (parallel, self.nodes[name])
            for parallel in parallels
            for name in parallel.branches or ()
            if name in self.nodes
        ]
        return {node.name for parallel, node in known if is_single(node.to_plan(), parallel.next_node)}

    def _durability_faults(self) -> Iterator[Fault]:
        if self.durability not in ("node", "wait"):
            fix = 'Use "node", which keeps each result, or "wait", which keeps them when the run waits or ends'
            yield Fault("graph", f"durability is {brief_repr(self.durability)}", fix)
        for name in sorted(self._single_branches() & set(self.checkpoints)):
            fix = "Drop it: the results of branches are kept where the branches join"
            yield Fault(f"node {name!r}", "has checkpoint=…, but is a branch by itself", fix)

    def _metadata_faults(self) -> list[Fault]:
        if not isinstance(self.metadata, Mapping):
            return [Fault("metadata", f"is a {type(self.metadata).__name__}", "Pass a dict")]
        try:
            canonical(dict(self.metadata))
        except (TypeError, ValueError) as error:
            return [Fault("metadata", f"is not plain JSON ({error})", "Use strings, numbers, lists and dicts")]
        return []
