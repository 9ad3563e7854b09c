"""Activities that are lost: the worker exits, or functionTimeout strikes, and the extension writes TaskFailed."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

from azure_functions_durable_graph.host.app.failures import ActivityFailed
from azure_functions_durable_graph.testing import GraphHost


class WorkerLost(Exception):  # noqa: N818 - it plays a worker that has gone
    """What the text of the failure names."""


def lose(host: GraphHost, **times: int) -> None:
    """Lose the first calls of some nodes: `lose(host, charge=2)`. An item of a map is called `node_index`."""
    worker: Any = host._host.worker
    run_activity = worker.run_activity
    left = Counter(times)

    async def losing(name: Any, input_: Any) -> Any:
        call = json.loads(input_)
        key = f"{call['node']}_{call['item']}" if "item" in call else call["node"]
        if left[key] > 0:
            left[key] -= 1
            raise ActivityFailed(name, WorkerLost(f"{key} was at work"))
        return await run_activity(name, input_)

    worker.run_activity = losing
