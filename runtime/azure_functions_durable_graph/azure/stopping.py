"""The activity that ends runs which the run that has started them needs no more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..http.api import Runs
from ..http.steering import stop_child


async def stop_runs(runs: Runs, call: Mapping[str, Any]) -> dict[str, Any]:
    """Stop each run that the call lists. A run that has not begun is asked for again by the orchestrator."""
    for run_id in call["stop"]:
        await stop_child(runs, str(run_id), str(call["reason"]))
    return {"node": call["node"], "step": call["step"], "stopped": True}
