"""Durable graphs on Azure Functions: multi-step work that waits for people and survives failures.

    builder = ManifestBuilder(graph_name="order_flow", state_model=OrderState)
    builder.set_entrypoint("validate")
    builder.add_node("validate", validate_order, next_node="ship")
    builder.add_node("ship", ship_order, terminal=True)
    registration = builder.build()
    assert registration.manifest.entrypoint == "validate"

Importing this package loads neither Azure nor the local host: graphs can be built and inspected without them. Each
public name is loaded when it is first used, since the import is part of every cold start.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .azure.app import DurableGraphApp
    from .declare.builder import ManifestBuilder
    from .errors import GraphBuildError, GraphError
    from .graph.context import NodeContext
    from .graph.decisions import RouteAction, RouteDecision
    from .graph.item_results import ItemError, ItemResult
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
    "ItemError",
    "ItemResult",
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
    "ItemError": "graph.item_results",
    "ItemResult": "graph.item_results",
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

        # The objects that an import creates live as long as the process: collecting garbage meanwhile finds nothing.
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
