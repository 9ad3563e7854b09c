"""Whether a run can follow what a route has decided: better told here than after a person has answered."""

from __future__ import annotations

from ..errors import DecisionError
from ..graph.decisions import RouteDecision
from ..graph.names import COMPLETE, did_you_mean
from ..graph.registration import GraphRegistration


def check_decision(decision: RouteDecision, graph: GraphRegistration, node: str) -> None:
    """Reject a decision that the graph cannot follow. Raises DecisionError, which names the route."""
    manifest = graph.manifest
    where = f"the route of node {node!r}"
    for target in decision.targets:
        if target not in manifest.nodes:
            known = did_you_mean(target, manifest.nodes)
            raise DecisionError(f"{where} leads to the unknown node {target!r}; {known}")
    for event in decision.awaited:
        if event not in manifest.event_handlers:
            known = did_you_mean(event, manifest.event_handlers)
            raise DecisionError(f"{where} waits for the event {event!r}, which has no handler; {known}")
    spec = manifest.nodes[node]
    for target in () if node in manifest.inside else decision.targets:
        if target in manifest.inside:
            raise DecisionError(f"{where} leads to {target!r}, which is part of a branch: lead to its parallel instead")
    for target in decision.targets or [COMPLETE]:
        if spec.targets is not None and target not in {*spec.targets, spec.next_node}:
            raise DecisionError(
                f"{where} chose {target!r}, which its targets do not declare: "
                f"add it to targets=[…] or to the Literal[…] annotation"
            )
