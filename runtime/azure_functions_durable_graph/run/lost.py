"""What an activity that failed as a whole counts for: a failure like any other."""

from __future__ import annotations

from typing import cast

from .messages import ErrorRecord, NodeCall, NodeResult

LOST_LIMIT = 1000
"""Characters of the extension's text that are kept for a lost activity."""


def lost_activity(call: NodeCall, text: str) -> NodeResult:
    """The result of an activity that failed as a whole, as a failure like any other."""
    error: ErrorRecord = {
        "type": "ActivityLost",
        "bases": ["Exception"],
        "message": f"the activity was lost: {text.strip()}"[:LOST_LIMIT],
        "where": "activity",
    }
    echoed = ("node", "step", "branch", "item", "attempt", "apply_only")
    kept = {key: call[key] for key in echoed if key in call}  # type: ignore[literal-required]
    return cast(NodeResult, {**kept, "error": error})
