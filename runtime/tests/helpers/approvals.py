"""A graph whose first node decides to wait."""

from datetime import timedelta
from typing import Any

from shapes import Counter, increment

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RouteDecision


def asking(decision: RouteDecision, **more: Any) -> GraphRegistration:
    """A graph whose first node decides this; the other nodes show where the run continued."""
    builder = ManifestBuilder("g", Counter).set_entrypoint("ask")
    targets = decision.targets
    builder.add_node("ask", increment, route=lambda state: decision, targets=targets)
    for name in targets:
        builder.add_node(name, increment, terminal=True)
    for event in decision.awaited:
        builder.add_event_handler(event, lambda state, payload: {"said": [*state.said, str(payload)]})
    return builder.build()


def approval(days: float) -> RouteDecision:
    return RouteDecision.wait_for_event(
        event_name="approval", resume_node="ship", timeout=timedelta(days=days), timeout_node="escalate"
    )
