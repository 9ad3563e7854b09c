"""A deployment that lacks a graph for a while, seen from inside: the activity answers that the version is missing."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from azure_functions_durable_graph.testing import GraphHost


def answer_missing(host: GraphHost, picked: Callable[[dict[str, Any]], bool], *, times: int) -> list[dict[str, Any]]:
    """Answer the first calls that are picked with `missing`; gives every call that was asked for."""
    worker: Any = host._host.worker
    run_activity, asked, left = worker.run_activity, [], [None] * times

    async def answering(name: str, input_: str) -> str:
        call = json.loads(input_)
        asked.append(call)
        if left and picked(call):
            left.pop()
            echoed = {key: call[key] for key in ("node", "step", "branch", "item", "apply_only") if key in call}
            return json.dumps({**echoed, "missing": True})
        return str(await run_activity(name, input_))

    worker.run_activity = answering
    return asked
