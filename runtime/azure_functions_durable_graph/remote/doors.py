"""Doors to an app over HTTP, async and blocking, with repeats that can do no harm."""

from __future__ import annotations

import asyncio
import time
import uuid
from typing import Any, TypeVar
from urllib.parse import quote

import httpx

from ..calls.door import Call
from ..errors import ApiUnreachable
from ..http.values import Response
from .address import is_here

Pool = TypeVar("Pool", httpx.Client, httpx.AsyncClient)

PAUSES = (0.2, 1.0, 3.0)
"""Seconds before each repeat of a request whose response was lost."""

TIMEOUT = 30.0
"""Seconds that a response may take, beyond the time for which the request asks the app to wait."""

LOST = frozenset({429, 502, 503, 504})
"""Statuses with which something in front of the app, or an app that starts, asks to try again."""

KEY = "Idempotency-Key"


class _Door:
    """Calls as HTTP requests, repeated where a response was lost and a repeat can do no harm."""

    def __init__(self, url: str, key: str | None) -> None:
        self.url = url
        self._headers = {"x-functions-key": key} if key else {}

    async def send(self, call: Call) -> Response:
        """The response of the app. Raises ApiUnreachable if none arrives."""
        request = self._request(call)
        lost = False
        for pause in (*_pauses(request), None):
            try:
                found = await self._exchange(request)
                if found.status_code not in LOST or pause is None:
                    return _response(found)
            except httpx.TransportError as error:
                if pause is None or (isinstance(error, httpx.ConnectError) and not lost):  # nobody listens there
                    text = (
                        f"{self.url} cannot be reached ({str(error) or type(error).__name__}); is the app served there?"
                    )
                    raise ApiUnreachable(text) from None
            lost = True  # by an app that was there, and may be starting again
            await self.pause(pause)
        raise AssertionError("the last try has returned or raised")

    def clock(self) -> float:
        """Seconds that only grow."""
        return time.monotonic()

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        raise NotImplementedError

    async def _exchange(self, request: dict[str, Any]) -> httpx.Response:
        raise NotImplementedError

    def _request(self, call: Call) -> dict[str, Any]:
        """The arguments of httpx. A call that a key makes safe to repeat gets one."""
        path = call.route.path
        for name, value in call.params.items():
            path = path.replace("{" + name + "}", quote(value, safe=""))
        key = call.key or (uuid.uuid4().hex if _may_have_key(call) else None)
        content = call.encoded()
        return {
            "method": call.route.method,
            "url": f"{self.url}/{path}",
            "params": call.texts,
            "content": content,
            "headers": self._headers
            | ({KEY: key} if key is not None else {})
            | ({"Content-Type": "application/json"} if content else {}),
            "timeout": TIMEOUT + float(call.query.get("wait") or 0.0),
        }


def _pool(kind: type[Pool], url: str) -> Pool:
    """Connections, by way of the environment's proxy unless the app is on this machine. Raises ApiUnreachable."""
    try:
        return kind(trust_env=not is_here(url))
    except (ImportError, OSError, ValueError, httpx.InvalidURL) as error:
        text = f"{url} cannot be reached: the environment's proxy or certificates cannot be used ({error})"
        raise ApiUnreachable(text) from None


def _may_have_key(call: Call) -> bool:
    chosen = call.route.name == "start_run" and "instance_id" in call.body
    return KEY in call.route.headers and not chosen


def _pauses(request: dict[str, Any]) -> tuple[float, ...]:
    """The pauses before repeats: none for a request that, repeated, could do something else."""
    return PAUSES if request["method"] == "GET" or KEY in request["headers"] else ()


def _response(found: httpx.Response) -> Response:
    try:
        body = found.json() if "json" in found.headers.get("content-type", "") else found.text
    except ValueError:
        body = None
    if found.is_success or (found.is_error and isinstance(body, dict)):
        return Response(found.status_code, body, content_type=found.headers.get("content-type", ""))
    return Response(found.status_code, _refusal(found))


def _refusal(found: httpx.Response) -> dict[str, Any]:
    """What the app has not written: a redirection, or an error of Azure, of a proxy or of another server."""
    place = str(found.request.url.copy_with(query=None))
    elsewhere = found.headers.get("location")
    if found.is_redirect and elsewhere:
        text = f"{place} redirects to {elsewhere.partition('?')[0]}: use that address"
        return {"type": f"urn:durable-graph:http-{found.status_code}", "detail": text}
    text = {
        401: f"{place} requires a function key, and this one is missing or wrong",
        403: f"{place} refuses this machine, or its app is stopped",
        404: f"there is no durable graph API at {place}; is it the address of the app?",
    }.get(found.status_code, f"{place} answered {found.status_code}")
    return {"type": f"urn:durable-graph:http-{found.status_code}", "detail": text}


class AsyncDoor(_Door):
    """For async code."""

    def __init__(self, url: str, key: str | None, http: httpx.AsyncClient | None) -> None:
        super().__init__(url, key)
        self.http = http or _pool(httpx.AsyncClient, url)

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        await asyncio.sleep(seconds)

    async def _exchange(self, request: dict[str, Any]) -> httpx.Response:
        return await self.http.request(**request)


class BlockingDoor(_Door):
    """For code that is not async: its coroutines never suspend."""

    def __init__(self, url: str, key: str | None, http: httpx.Client | None) -> None:
        super().__init__(url, key)
        self.http = http or _pool(httpx.Client, url)

    async def pause(self, seconds: float) -> None:
        """Let time pass."""
        time.sleep(seconds)

    async def _exchange(self, request: dict[str, Any]) -> httpx.Response:
        return self.http.request(**request)
