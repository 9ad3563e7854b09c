"""Functions called by hand, whatever their trigger: `POST /admin/functions/{name}`, as with Core Tools.

The body is `{"input": "…"}`, as in `FunctionsController.Invoke` of azure-functions-host. This host also takes an input
that is not text, which it writes as JSON, `id`, the id of a message that is delivered again, and `properties`.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any
from urllib.parse import unquote

from ...errors import HostError
from ...graph.names import did_you_mean
from ..app.deliveries import Delivery, delivery
from ..app.loader import Function
from ..local_host import LocalHost
from .management_values import Answer, error

PATH = "admin/functions/"

logger = logging.getLogger("azure_functions_durable_graph.host")


class ByHand:
    """Fires the triggers of one host's functions. `client_binding` is what a durable client is made from."""

    def __init__(self, host: LocalHost, client_binding: str) -> None:
        self._host = host
        self._binding = client_binding

    def answer(self, method: str, name: str, body: bytes) -> Answer:
        """202 as soon as the function is called; how it ended is in the log. 404, 405, or 400 for another body."""
        if method != "POST":
            return Answer(405, None, {"Allow": "POST"})
        try:
            function = self._function(unquote(name))
        except HostError as problem:
            return error(404, str(problem))
        try:
            delivered = _read(function, body)
        except (HostError, ValueError) as problem:
            return error(400, f'send {{"input": …}}: {problem}')
        self._host.call(self._logged(function, delivered))
        return Answer(202)

    async def fire(self, name: str, given: Any, message_id: str | None, properties: Mapping[str, Any] | None) -> None:
        """Call a function, and wait for its end. Raises FunctionFailed, FunctionTimeout, HostError."""
        function = self._function(name)
        await self._host.worker.fire(function, delivery(function.kind, given, message_id, properties), self._binding)

    def _function(self, name: str) -> Function:
        found = self._host.worker.by_hand
        if name.lower() not in found:
            known = did_you_mean(name, (function.name for function in found.values()))
            raise HostError(f"there is no function {name!r} whose trigger can be fired by hand; {known}")
        return found[name.lower()]

    async def _logged(self, function: Function, delivered: Delivery) -> None:
        try:
            await self._host.worker.fire(function, delivered, self._binding)
            logger.info("%s: done", function.name)
        except Exception as failure:
            logger.error("%s: failed: %s", function.name, failure, exc_info=failure.__cause__ or failure)


def _read(function: Function, body: bytes) -> Delivery:
    """Raises HostError or ValueError."""
    given = json.loads(body)
    if not isinstance(given, dict):
        raise HostError("the body is not a JSON object")
    message_id, properties = given.get("id"), given.get("properties")
    if not isinstance(message_id, (str, type(None))) or not isinstance(properties, (dict, type(None))):
        raise HostError("id must be a string, and properties an object")
    return delivery(function.kind, given.get("input"), message_id, properties)
