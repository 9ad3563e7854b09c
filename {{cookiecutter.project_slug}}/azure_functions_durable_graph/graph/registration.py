"""A graph that can run: its manifest, state model and handlers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel

from .manifest import GraphManifest

Handler = Callable[..., Any]


@dataclass(frozen=True, eq=False, repr=False)
class NodeCode:
    """The code of one node; a parallel, a subgraph or a wait has none."""

    handler: Handler | None
    route: Handler | None = None


@dataclass(frozen=True, eq=False, repr=False)
class EventCode:
    """The code of one event: its handler merges a payload into the state."""

    handler: Handler
    payload_model: type[BaseModel] | None = None


@dataclass(frozen=True, eq=False, repr=False)
class GraphRegistration:
    """What `ManifestBuilder.build()` returns and `DurableGraphApp.register_registration` takes.

    `origin` says where it was built, for messages; it is not part of the graph's identity.
    """

    manifest: GraphManifest
    state_model: type[BaseModel]
    nodes: Mapping[str, NodeCode]
    events: Mapping[str, EventCode]
    origin: str = ""

    def __post_init__(self) -> None:
        object.__setattr__(self, "nodes", MappingProxyType(dict(self.nodes)))
        object.__setattr__(self, "events", MappingProxyType(dict(self.events)))

    @property
    def graph_name(self) -> str:
        """The name under which runs of this graph are started."""
        return self.manifest.graph_name

    @property
    def graph_hash(self) -> str:
        """The hash to which runs of this graph are pinned."""
        return self.manifest.graph_hash
