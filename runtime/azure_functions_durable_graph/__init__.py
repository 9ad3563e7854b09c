"""Durable graphs on Azure Functions: steps that survive restarts, wait for people and are never lost.

Importing this package loads neither Azure nor the local host: graphs can be built and tested without them. Each public
name is loaded when it is first asked for, since the import is part of every cold start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .azure.app import DurableGraphApp
    from .declare.builder import ManifestBuilder
    from .errors import GraphBuildError, GraphError
    from .graph.context import NodeContext
    from .graph.decisions import RouteAction, RouteDecision
    from .graph.manifest import GraphManifest
    from .graph.policies import RetryPolicy
    from .graph.registration import GraphRegistration

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

_HOMES = {
    "DurableGraphApp": "azure.app",
    "GraphBuildError": "errors",
    "GraphError": "errors",
    "GraphManifest": "graph.manifest",
    "GraphRegistration": "graph.registration",
    "ManifestBuilder": "declare.builder",
    "NodeContext": "graph.context",
    "RetryPolicy": "graph.policies",
    "RouteAction": "graph.decisions",
    "RouteDecision": "graph.decisions",
}


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        import gc
        from importlib import import_module

        # What an import makes lives as long as the process: a collector that runs meanwhile looks in vain.
        paused = gc.isenabled()
        gc.disable()
        try:
            value = globals()[name] = getattr(import_module(f".{_HOMES[name]}", __name__), name)
        finally:
            if paused:
                gc.enable()
        return value
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
