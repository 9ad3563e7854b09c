"""Durable HTTP calls (`call_http`): makes an orchestrator's request as the Durable extension does.

Any response is a result; only a request without a response fails. A 202 is returned to the orchestrator unchanged:
its Location is not polled.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import aiohttp

from ..errors import HostError

LIMIT = aiohttp.ClientTimeout(total=100)
"""Seconds that .NET's HttpClient waits for a response."""


async def request(text: str) -> str:
    """Make the request in `text` (the action's httpRequest); returns statusCode, headers and content as JSON.

    Raises HostError if there is no response, or if a managed identity's token is needed: a local machine has none.
    """
    asked: dict[str, Any] = json.loads(text)
    if asked.get("tokenSource"):
        raise HostError("call_http with a token_source needs a managed identity, which the local host does not have")
    headers, content = dict(asked.get("headers") or {}), asked.get("content")
    if content is not None and "content-type" not in map(str.lower, headers):
        headers["Content-Type"] = "text/plain; charset=utf-8"
    method, uri = str(asked["method"]), str(asked["uri"])
    try:
        async with (
            aiohttp.ClientSession(timeout=LIMIT) as session,
            session.request(method, uri, data=content, headers=headers) as response,
        ):
            answer = {
                "statusCode": response.status,
                "headers": dict(response.headers),
                "content": await response.text(),
            }
    except (aiohttp.ClientError, asyncio.TimeoutError, ValueError) as error:
        raise HostError(f"{method} {uri}: {type(error).__name__}: {error}") from None
    return json.dumps(answer)
