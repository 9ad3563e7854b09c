"""What changed between two manifests of one version, and what that means for runs in flight.

cosmetic             makes no difference to any run
safe                 runs in flight continue with the new manifest
needs a new version  something that a run in flight may need was removed, or has a new meaning
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum

from ..graph.manifest import GraphManifest
from ..graph.nodes import EventSpec, NodeSpec
from .schema_changes import schema_changes


class Impact(str, Enum):
    """What a change means for runs in flight, from the lightest to the heaviest."""

    COSMETIC = "cosmetic"
    SAFE = "safe"
    BREAKING = "needs a new version"

    @property
    def weight(self) -> int:
        """For comparing two impacts."""
        return list(Impact).index(self)


@dataclass(frozen=True)
class Change:
    """One difference in words, and its impact."""

    impact: Impact
    text: str


def heaviest(changes: list[Change]) -> Impact:
    """The impact of all changes together."""
    return max((change.impact for change in changes), key=lambda impact: impact.weight, default=Impact.COSMETIC)


def manifest_changes(old: GraphManifest, new: GraphManifest) -> list[Change]:
    """Every difference between two manifests of the same graph and version, heaviest first."""
    found = [change for check in _CHECKS for change in check(old, new)]
    return sorted(found, key=lambda change: -change.impact.weight)


def code_changes(old: Mapping[str, str], new: Mapping[str, str]) -> list[Change]:
    """Handlers whose source has changed: runs in flight use the new code."""
    return [
        Change(Impact.SAFE, f"the code of {name} changed")
        for name in sorted(set(old) & set(new))
        if old[name] != new[name]
    ]


def _descriptions(old: GraphManifest, new: GraphManifest) -> Iterator[Change]:
    if old.metadata != new.metadata:
        yield Change(Impact.COSMETIC, "the metadata changed")
    if old.reducers != new.reducers:
        yield Change(Impact.SAFE, f"the reducers changed from {dict(old.reducers)} to {dict(new.reducers)}")
    if old.state_model != new.state_model:
        yield Change(Impact.COSMETIC, f"the state model {old.state_model} was renamed to {new.state_model}")


def _limits(old: GraphManifest, new: GraphManifest) -> Iterator[Change]:
    if old.entrypoint != new.entrypoint:
        yield Change(Impact.SAFE, f"new runs begin at {new.entrypoint!r} instead of {old.entrypoint!r}")
    if old.max_steps != new.max_steps:
        impact = Impact.SAFE if new.max_steps > old.max_steps else Impact.BREAKING
        yield Change(impact, f"max_steps changed from {old.max_steps} to {new.max_steps}")


def _state(old: GraphManifest, new: GraphManifest) -> Iterator[Change]:
    for change in schema_changes(old.state_schema, new.state_schema, "state"):
        yield Change(Impact.SAFE if change.readable else Impact.BREAKING, f"{change.path} {change.text}")


def _nodes(old: GraphManifest, new: GraphManifest) -> Iterator[Change]:
    for name in sorted(set(old.nodes) - set(new.nodes)):
        yield Change(Impact.BREAKING, f"node {name!r} was removed")
    for name in sorted(set(new.nodes) - set(old.nodes)):
        yield Change(Impact.SAFE, f"node {name!r} is new")
    for name in sorted(set(old.nodes) & set(new.nodes)):
        yield from _node(old.nodes[name], new.nodes[name])


def _node(old: NodeSpec, new: NodeSpec) -> Iterator[Change]:
    if _onward(old) != _onward(new):
        yield Change(Impact.BREAKING, f"node {old.name!r} led {_onward(old)} and now leads {_onward(new)}")
    elif old.targets != new.targets:
        yield Change(Impact.SAFE, f"the route of node {old.name!r} declares {_targets(new)} instead of {_targets(old)}")
    for field, impact in _FIELDS.items():
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            yield Change(impact, f"node {old.name!r}: {field} changed from {_display(before)} to {_display(after)}")


_FIELDS = {
    "kind": Impact.BREAKING,
    "over": Impact.BREAKING,
    "into": Impact.BREAKING,
    "graph": Impact.BREAKING,
    "input": Impact.SAFE,
    "output": Impact.BREAKING,
    "branches": Impact.SAFE,
    "limit": Impact.SAFE,
    "seconds": Impact.SAFE,
    "retry": Impact.SAFE,
    "timeout": Impact.SAFE,
    "on_error": Impact.SAFE,
    "checkpoint": Impact.SAFE,
    "min_successful": Impact.SAFE,
    "collect": Impact.BREAKING,
    "stop_when": Impact.SAFE,
    "deadline": Impact.SAFE,
}
"""What a change of a node's field means for runs in flight. A fan-out in progress keeps its branches."""


def _display(value: object) -> str:
    return "none" if value is None else repr(dict(value)) if isinstance(value, Mapping) else repr(value)


def _onward(node: NodeSpec) -> str:
    if node.terminal:
        return "to the end"
    static = f"to {node.next_node!r}" if node.next_node else ""
    if node.routed:
        return f"where its route says, or {static}" if static else "where its route says"
    return static


def _targets(node: NodeSpec) -> str:
    return "nothing" if node.targets is None else ", ".join(map(repr, node.targets))


def _events(old: GraphManifest, new: GraphManifest) -> Iterator[Change]:
    before, after = old.event_handlers, new.event_handlers
    for name in sorted(set(before) - set(after)):
        yield Change(Impact.BREAKING, f"event {name!r} was removed: a run that waits for it can no longer be answered")
    for name in sorted(set(after) - set(before)):
        yield Change(Impact.SAFE, f"event {name!r} is new")
    for name in sorted(set(before) & set(after)):
        yield from _payload(before[name], after[name])


def _payload(old: EventSpec, new: EventSpec) -> Iterator[Change]:
    if old.payload_schema is None and new.payload_schema is not None:
        text = f"event {old.name!r} now has a payload model, which may reject what was accepted before"
        yield Change(Impact.BREAKING, text)
    elif old.payload_schema is not None and new.payload_schema is None:
        yield Change(Impact.SAFE, f"event {old.name!r} now takes any payload")
    elif old.payload_schema is not None and new.payload_schema is not None:
        for change in schema_changes(old.payload_schema, new.payload_schema, f"{old.name}.payload"):
            yield Change(Impact.SAFE if change.readable else Impact.BREAKING, f"{change.path} {change.text}")


_CHECKS = (_state, _nodes, _events, _limits, _descriptions)
