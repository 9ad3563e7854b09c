"""Durable graphs on Azure Functions: steps that survive restarts, wait for people and are never lost.

Importing this package loads neither Azure nor the local host: graphs can be built and tested without them.
`DurableGraphApp` is loaded when it is first asked for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .builder import ManifestBuilder
from .context import NodeContext
from .decisions import RouteAction, RouteDecision
from .errors import GraphBuildError, GraphError
from .graph import GraphRegistration
from .manifest import GraphManifest
from .policies import RetryPolicy

if TYPE_CHECKING:
    from .app import DurableGraphApp

__version__ = "0.1.0"

__all__ = [
    "DurableGraphApp",
    "GraphBuildError",
    "GraphError",
    "GraphManifest",
    "GraphRegistration",
    "ManifestBuilder",
    "NodeContext",
    "RetryPolicy",
    "RouteAction",
    "RouteDecision",
]


def __getattr__(name: str) -> Any:
    if name == "DurableGraphApp":
        from .app import DurableGraphApp

        return DurableGraphApp
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
