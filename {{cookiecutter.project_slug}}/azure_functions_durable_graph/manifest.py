"""The manifest: a graph as frozen data, and its hash. Floor 2.

A manifest names handlers nowhere: renaming a function changes nothing for runs in flight. Its dict form leaves
out whatever has its default value, so that a field added by a later release changes no existing hash.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType
from typing import Any, TypeVar

from .errors import ManifestError
from .messages import Plan, PlanNode
from .plain import digest

FORMAT = 1
"""Version of the dict form. It goes up only when an old reader could misread a new manifest."""

DEFAULT_MAX_STEPS = 1000

T = TypeVar("T")


@dataclass(frozen=True)
class NodeSpec:
    """One node: what follows it, and how that is decided.

    `routed`: its activity also returns a decision. `targets`: every node that the decision can name
    (and "__complete__"), sorted, or None where that is not declared: an open edge.
    """

    name: str
    next_node: str | None = None
    routed: bool = False
    targets: tuple[str, ...] | None = None
    terminal: bool = False
    kind: str = "task"

    def to_dict(self) -> dict[str, Any]:
        """JSON form without the name, which is the key that it stands under."""
        return _without_defaults(
            {
                "kind": (self.kind, "task"),
                "next": (self.next_node, None),
                "routed": (self.routed, False),
                "targets": (None if self.targets is None else list(self.targets), None),
                "terminal": (self.terminal, False),
            }
        )

    @classmethod
    def from_dict(cls, name: str, data: Any, path: str) -> NodeSpec:
        """Read `to_dict`'s form; `path` begins the text of an error."""
        data = _object(data, path, {"kind", "next", "routed", "targets", "terminal"})
        targets = _get(data, "targets", list, path, None)
        return cls(
            name,
            next_node=_get(data, "next", str, path, None),
            routed=_get(data, "routed", bool, path, False),
            targets=None if targets is None else tuple(targets),
            terminal=_get(data, "terminal", bool, path, False),
            kind=_get(data, "kind", str, path, "task"),
        )

    def to_plan(self) -> PlanNode:
        """The part that the orchestrator reads."""
        plan: PlanNode = {}
        if self.next_node:
            plan["next"] = self.next_node
        if self.routed:
            plan["routed"] = True
        return plan


@dataclass(frozen=True)
class EventSpec:
    """One external event that the graph handles; `payload_schema` is its JSON Schema, if it has a model."""

    name: str
    payload_schema: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form without the name."""
        return _without_defaults({"payload_schema": (self.payload_schema, None)})

    @classmethod
    def from_dict(cls, name: str, data: Any, path: str) -> EventSpec:
        """Read `to_dict`'s form; `path` begins the text of an error."""
        data = _object(data, path, {"payload_schema"})
        return cls(name, _get(data, "payload_schema", dict, path, None))


@dataclass(frozen=True)
class GraphManifest:
    """A compiled graph. Immutable; equal manifests have equal hashes, whatever the order of declaration."""

    graph_name: str
    version: str
    entrypoint: str
    state_model: str
    state_schema: Mapping[str, Any]
    nodes: Mapping[str, NodeSpec]
    event_handlers: Mapping[str, EventSpec] = field(default_factory=dict)
    metadata: Mapping[str, Any] = field(default_factory=dict)
    max_steps: int = DEFAULT_MAX_STEPS

    def __post_init__(self) -> None:
        for name in ("state_schema", "nodes", "event_handlers", "metadata"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @cached_property
    def graph_hash(self) -> str:
        """sha256 (64 hex digits) over the canonical JSON of the whole manifest."""
        return digest(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """The whole manifest as plain JSON."""
        return {
            "format": FORMAT,
            "graph_name": self.graph_name,
            "version": self.version,
            "entrypoint": self.entrypoint,
            "state_model": {"name": self.state_model, "schema": dict(self.state_schema)},
            "nodes": {name: node.to_dict() for name, node in self.nodes.items()},
            "event_handlers": {name: event.to_dict() for name, event in self.event_handlers.items()},
            **_without_defaults(
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
        data = _object(data, path, _KEYS)
        if data.get("format") != FORMAT:
            raise ManifestError(f"{path}.format: this release reads format {FORMAT}, not {data.get('format')!r}")
        model = _object(_get(data, "state_model", dict, path), f"{path}.state_model", {"name", "schema"})
        nodes = _get(data, "nodes", dict, path)
        events = _get(data, "event_handlers", dict, path, {})
        return cls(
            graph_name=_get(data, "graph_name", str, path),
            version=_get(data, "version", str, path),
            entrypoint=_get(data, "entrypoint", str, path),
            state_model=_get(model, "name", str, f"{path}.state_model"),
            state_schema=_get(model, "schema", dict, f"{path}.state_model"),
            nodes={k: NodeSpec.from_dict(k, v, f"{path}.nodes.{k}") for k, v in nodes.items()},
            event_handlers={k: EventSpec.from_dict(k, v, f"{path}.event_handlers.{k}") for k, v in events.items()},
            metadata=_get(data, "metadata", dict, path, {}),
            max_steps=_get(data, "max_steps", int, path, DEFAULT_MAX_STEPS),
        )

    def plan(self) -> Plan:
        """What a run carries with it: all that the orchestrator needs, and no schema."""
        return {
            "graph": self.graph_name,
            "version": self.version,
            "hash": self.graph_hash,
            "max_steps": self.max_steps,
            "nodes": {name: node.to_plan() for name, node in self.nodes.items()},
        }


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


def _without_defaults(values: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    return {key: value for key, (value, default) in values.items() if value != default}


def _object(data: Any, path: str, known: set[str]) -> dict[str, Any]:
    if not isinstance(data, dict):
        raise ManifestError(f"{path}: an object was expected, not {type(data).__name__}")
    for key in data:
        if key not in known:
            raise ManifestError(f"{path}.{key}: unknown key; known: {', '.join(sorted(known))}")
    return data


_MISSING: Any = object()


def _get(data: Mapping[str, Any], key: str, kind: type[T], path: str, default: Any = _MISSING) -> Any:
    if key not in data:
        if default is _MISSING:
            raise ManifestError(f"{path}.{key}: missing")
        return default
    value = data[key]
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        raise ManifestError(f"{path}.{key}: {kind.__name__} was expected, not {type(value).__name__}")
    return value
