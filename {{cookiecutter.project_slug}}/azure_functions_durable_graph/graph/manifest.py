"""The manifest: a graph as frozen data, and its hash.

A manifest does not name handlers, so renaming a function changes nothing for runs in flight. Its dict form omits
default values, so that a field added by a later release changes no existing hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from ..errors import ManifestError
from .nodes import EventSpec, NodeSpec, get, read_object, without_defaults
from .plain_json import digest
from .plan import MAX_DEPTH, pack
from .regions import inside

if TYPE_CHECKING:
    from .plan import Plan

FORMAT = 1
"""Version of the dict form. It increases only if an old reader could misread a new manifest."""

DEFAULT_MAX_STEPS = 1000


@dataclass(frozen=True)
class GraphManifest:
    """A compiled graph. Immutable; equal manifests have equal hashes, whatever the order of their declarations.

    `reducers` holds the name of each field's reducer.
    """

    graph_name: str
    version: str
    entrypoint: str
    state_model: str
    state_schema: Mapping[str, Any]
    nodes: Mapping[str, NodeSpec]
    event_handlers: Mapping[str, EventSpec] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    max_steps: int = DEFAULT_MAX_STEPS
    reducers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("state_schema", "nodes", "event_handlers", "metadata", "reducers"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @cached_property
    def graph_hash(self) -> str:
        """sha256 (64 hex digits) over the canonical JSON of the whole manifest."""
        return digest(self.to_dict())

    @cached_property
    def branches(self) -> frozenset[str]:
        """The nodes with which a branch of a parallel begins."""
        return frozenset(name for node in self.nodes.values() for name in node.branches or ())

    @cached_property
    def inside(self) -> frozenset[str]:
        """The nodes that belong to a branch of a parallel: its first, and all that follow until the branches join."""
        return inside(self.nodes)

    def to_dict(self) -> dict[str, Any]:
        """The whole manifest as plain JSON."""
        return {
            "format": FORMAT,
            "graph_name": self.graph_name,
            "version": self.version,
            "entrypoint": self.entrypoint,
            "state_model": {
                "name": self.state_model,
                "schema": dict(self.state_schema),
                **without_defaults({"reducers": (dict(self.reducers), {})}),
            },
            "nodes": {name: node.to_dict() for name, node in self.nodes.items()},
            "event_handlers": {name: event.to_dict() for name, event in self.event_handlers.items()},
            **without_defaults(
                {
                    "metadata": (dict(self.metadata), {}),
                    "max_steps": (self.max_steps, DEFAULT_MAX_STEPS),
                }
            ),
        }

    @classmethod
    def from_dict(cls, data: Any) -> GraphManifest:
        """Read `to_dict`'s form. Raises ManifestError: `manifest.nodes.ship.next: …`."""
        path = "manifest"
        data = read_object(data, path, _KEYS)
        if data.get("format") != FORMAT:
            raise ManifestError(f"{path}.format: expected {FORMAT}, not {data.get('format')!r}")
        where = f"{path}.state_model"
        model = read_object(get(data, "state_model", dict, path), where, {"name", "schema", "reducers"})
        nodes = get(data, "nodes", dict, path)
        events = get(data, "event_handlers", dict, path, {})
        return cls(
            graph_name=get(data, "graph_name", str, path),
            version=get(data, "version", str, path),
            entrypoint=get(data, "entrypoint", str, path),
            state_model=get(model, "name", str, where),
            state_schema=get(model, "schema", dict, where),
            nodes={k: NodeSpec.from_dict(k, v, f"{path}.nodes.{k}") for k, v in nodes.items()},
            event_handlers={k: EventSpec.from_dict(k, v, f"{path}.event_handlers.{k}") for k, v in events.items()},
            metadata=get(data, "metadata", dict, path, {}),
            max_steps=get(data, "max_steps", int, path, DEFAULT_MAX_STEPS),
            reducers=get(model, "reducers", dict, where, {}),
        )

    def plan(self) -> Plan:
        """What a run carries with it: all that the orchestrator needs, without schemas."""
        return self._plan.copy()

    @cached_property
    def _plan(self) -> Plan:
        return pack(
            {
                "graph": self.graph_name,
                "version": self.version,
                "hash": self.graph_hash,
                "max_steps": self.max_steps,
                "max_depth": MAX_DEPTH,
                "nodes": {name: node.to_plan() for name, node in self.nodes.items()},
            }
        )


_KEYS = {
    "format",
    "graph_name",
    "version",
    "entrypoint",
    "state_model",
    "nodes",
    "event_handlers",
    "metadata",
    "max_steps",
}
