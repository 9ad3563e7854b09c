"""One node and one event of a manifest, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, cast

from ..errors import ManifestError
from .durations import seconds_problem

if TYPE_CHECKING:
    from .plan import PlanNode

GROUP = 20
"""Items that one part of a map takes one after the other, before it deals them out further."""

KINDS = ("task", "parallel", "map", "subgraph", "wait")


@dataclass(frozen=True)
class NodeSpec:
    """One node: what follows it, and how that is decided.

    `routed`: its activity also returns a decision. `targets`: every node that the decision can name
    (and "__complete__"), sorted, or None if that is not declared: an open edge. `on_error` maps the name of the
    error's type, or "*", to a node. `timeout` and `seconds` are in seconds. The last fields belong to one kind each:
    `branches` to a parallel; `over`, `into` and `limit` to a map; `graph`, `input` and `output` to a subgraph,
    and to a map that runs a graph for each item; `seconds` to a wait. Without a `checkpoint`, the node's result need
    not be kept before the next node begins. A parallel or a map fails if fewer than `min_successful` branches or items
    succeed, by default if any fails; a map that is to `collect` does not, and keeps failures beside results.
    Both stop what is left at their `stop_when`, so many successes or "first_failure", and after `deadline` seconds.
    """

    name: str
    next_node: str | None = None
    routed: bool = False
    targets: tuple[str, ...] | None = None
    terminal: bool = False
    kind: str = "task"
    retry: Mapping[str, Any] | None = None
    timeout: float | None = None
    on_error: Mapping[str, str] | None = None
    branches: tuple[str, ...] | None = None
    over: str | None = None
    into: str | None = None
    limit: int | None = None
    graph: str | None = None
    input: Mapping[str, str] | None = None
    output: Mapping[str, str] | None = None
    seconds: float | None = None
    checkpoint: bool = True
    min_successful: int | None = None
    collect: bool = False
    stop_when: str | int | None = None
    deadline: float | None = None

    @property
    def own_edges(self) -> set[str]:
        """Every node to which a declared edge of the node itself leads, error edges included; maybe "__complete__"."""
        static = [self.next_node] if self.next_node else []
        return {*static, *(self.targets or ()), *(self.on_error or {}).values()}

    @property
    def onward(self) -> set[str]:
        """The same, and the branches of a parallel."""
        return self.own_edges | set(self.branches or ())

    def to_dict(self) -> dict[str, Any]:
        """JSON form without the name, which is its key in the manifest."""
        found = {}
        for spec in fields(self):
            value = getattr(self, spec.name)
            if spec.name != "name" and value != spec.default:
                found[_WIRE.get(spec.name, spec.name)] = _plain(value)
        return found

    @classmethod
    def from_dict(cls, name: str, data: Any, path: str) -> NodeSpec:
        """Read `to_dict`'s form; `path` begins the text of an error."""
        data = read_object(data, path, set(_TYPES))
        values = {_PYTHON.get(key, key): get(data, key, kind, path) for key, kind in _TYPES.items() if key in data}
        for key in ("targets", "branches"):
            if key in values:
                values[key] = tuple(values[key])
        for key in ("timeout", "seconds", "deadline"):
            problem = seconds_problem(values[key]) if key in values else None
            if problem is not None:
                raise ManifestError(f"{path}.{key}: {problem}")
        return cls(name, **values)

    def to_plan(self) -> PlanNode:
        """The part that the orchestrator reads."""
        known = self.to_dict()
        planned = {key: known[key] for key in _PLANNED if key in known}
        if self.kind in ("map", "parallel"):
            planned["keeps"] = True
        if self.kind == "map":
            planned |= {"group": GROUP, **({"graph": self.graph} if self.graph else {})}
        return cast("PlanNode", planned)


_WIRE = {"next_node": "next"}
_PYTHON = {"next": "next_node"}

_TYPES: dict[str, Any] = {
    "next": str,
    "routed": bool,
    "targets": list,
    "terminal": bool,
    "kind": str,
    "retry": dict,
    "timeout": (int, float),
    "on_error": dict,
    "branches": list,
    "over": str,
    "into": str,
    "limit": int,
    "graph": str,
    "input": dict,
    "output": dict,
    "seconds": (int, float),
    "checkpoint": bool,
    "min_successful": int,
    "collect": bool,
    "stop_when": (str, int),
    "deadline": (int, float),
}

_PLANNED: tuple[str, ...] = ("kind", "next", "routed", "retry", "on_error", "seconds", "branches", "over", "into")
_PLANNED += ("limit", "output", "min_successful", "collect", "stop_when", "deadline")


@dataclass(frozen=True)
class EventSpec:
    """One external event that the graph handles; `payload_schema` is its JSON Schema, if it has a model."""

    name: str
    payload_schema: Mapping[str, Any] | None = None

    def to_dict(self) -> dict[str, Any]:
        """JSON form without the name."""
        return without_defaults({"payload_schema": (self.payload_schema, None)})

    @classmethod
    def from_dict(cls, name: str, data: Any, path: str) -> EventSpec:
        """Read `to_dict`'s form; `path` begins the text of an error."""
        data = read_object(data, path, {"payload_schema"})
        return cls(name, get(data, "payload_schema", dict, path, None))


def without_defaults(values: Mapping[str, tuple[Any, Any]]) -> dict[str, Any]:
    """The values of (value, default) pairs that differ from their default."""
    return {key: value for key, (value, default) in values.items() if value != default}


def read_object(data: Any, path: str, known: set[str]) -> dict[str, Any]:
    """A JSON object with known keys only. Raises ManifestError."""
    if not isinstance(data, dict):
        raise ManifestError(f"{path}: expected an object, not {type(data).__name__}")
    for key in data:
        if key not in known:
            raise ManifestError(f"{path}.{key}: unknown key; known keys: {', '.join(sorted(known))}")
    return data


_MISSING: Any = object()


def get(data: Mapping[str, Any], key: str, kind: Any, path: str, default: Any = _MISSING) -> Any:
    """A member of the type `kind`. Raises ManifestError, which names its path."""
    if key not in data:
        if default is _MISSING:
            raise ManifestError(f"{path}.{key}: missing")
        return default
    value = data[key]
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        wanted = kind.__name__ if isinstance(kind, type) else "number"
        raise ManifestError(f"{path}.{key}: expected {wanted}, not {type(value).__name__}")
    return value


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return list(value)
    return dict(value) if isinstance(value, Mapping) else value
