"""The door of the API inside of the app: calls go to the routes' handlers, without HTTP.

Loaded with the first call of a client.
"""

from __future__ import annotations

import asyncio
import time
from typing import Any

from ..calls.door import Call
from ..http.values import KEY_HEADER, Problem, Request, Response
from ..work.registry import Registry
from .durable_runs import DurableRuns
from .serving import api_of, handler_of


class AppDoor:
    """Carries calls to the handlers, with the durable client of one invocation."""

    def __init__(self, registry: Registry, client: Any, limit: int, *, progress: bool = False) -> None:
        self._api = api_of(registry, DurableRuns(client, progress=progress), limit)

    async def send(self, call: Call) -> Response:
        """The response, whatever its status. Locations are paths below the app's routes."""
        headers = {} if call.key is None else {KEY_HEADER: call.key}
        request = Request(call.params, call.texts, call.encoded(), "", headers)
        try:
            return await handler_of(call.route)(self._api, request)
        except Problem as problem:
            return problem.response()

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    def clock(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()
