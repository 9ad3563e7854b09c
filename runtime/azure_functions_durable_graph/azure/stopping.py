"""The activity that ends runs which the run that has started them needs no more, and speaks to parts of maps."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

from ..http.api import Runs
from ..http.steering import stop_child
from ..http.values import Problem


async def stop_runs(runs: Runs, call: Mapping[str, Any]) -> dict[str, Any]:
    """Stop each run that the call lists, and raise an event for each that it lists for that.

    A run that has not begun is asked for again by the orchestrator; so are those that the result lists as `lively`.
    """
    lively = [run_id for run_id in call["stop"] if await stop_child(runs, str(run_id), str(call["reason"]))]
    for run_id in call.get("raise", ()):
        with contextlib.suppress(Problem):
            event: Any = {"id": "", "payload": call.get("payload")}
            await runs.raise_event(str(run_id), str(call["address"]), event)
    return {"node": call["node"], "step": call["step"], "stopped": True, **({"lively": lively} if lively else {})}
