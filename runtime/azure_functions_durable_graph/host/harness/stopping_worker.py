"""The worker of a host in memory: its activities have no HTTP through which a durable client could reach the host."""

from __future__ import annotations

import json
from collections.abc import Callable

from ...azure.stopping import stop_runs
from ...graph.names import STOP
from ...http.api import Runs
from ..app.loader import LoadedApp
from ..app.worker import Worker


class StoppingWorker(Worker):
    """Ends runs for the activity that does, with the management API of its own host."""

    def __init__(self, app: LoadedApp, runs: Callable[[], Runs]) -> None:
        super().__init__(app)
        self._runs = runs

    async def run_activity(self, name: str, input_: str) -> str:
        """As the worker does, but for that activity."""
        if name != STOP:
            return await super().run_activity(name, input_)
        return json.dumps(await stop_runs(self._runs(), json.loads(input_)))
