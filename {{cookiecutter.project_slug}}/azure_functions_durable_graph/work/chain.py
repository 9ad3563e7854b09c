"""Which node goes on in the activity of the one before it, without a checkpoint between the two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

from ..graph.decisions import RouteAction, decision_after
from ..graph.manifest import GraphManifest
from ..graph.states import apply_patch
from ..run.messages import NodeCall

CHAIN_SECONDS = 10.0
"""After this time an activity begins no other node: functionTimeout may be as short as a minute."""

_KEPT = ("run_id", "graph", "hash", "metadata", "started_at", "branched", "join", "trace")
"""What a call has in common with the one that follows it in the same run."""

_ALONE = frozenset({"branch", "item", "apply_only"})
"""Keys of calls whose results belong to a join."""


def following_call(manifest: GraphManifest, call: NodeCall, result: Mapping[str, Any]) -> NodeCall | None:
    """The call of the next node, if it may run at once; None if the run has to decide or to keep something first."""
    spec = manifest.nodes[call["node"]]
    if spec.checkpoint or spec.kind != "task" or "patch" not in result or _ALONE & set(call):
        return None
    decision = decision_after(spec.to_plan(), result)
    target = manifest.nodes.get(str(decision.next_node))
    if decision.action is not RouteAction.NEXT or target is None or target.kind != "task":
        return None
    if target.name == call.get("join"):
        return None  # where the branches join, the run goes on
    step = call["step"] + 1
    if step >= manifest.max_steps:
        return None
    state = apply_patch(call["state"], result["patch"], result.get("unset"))
    kept = {key: call[key] for key in _KEPT if key in call}  # type: ignore[literal-required]
    return cast(NodeCall, {**kept, "node": target.name, "step": step, "state": state})
