"""A host in this process: our own routes reach its engine without HTTP, and are told when a run comes to rest.

A local host offers itself under the URL of its management API. In Azure nobody does: the SDK's client then uses HTTP,
and requests that wait look at a run again and again.
"""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Collection, Coroutine
from dataclasses import dataclass
from typing import Any

from . import sdk
from .crossing import crossing_to, on_loop

Answer = tuple[int, Any, str]
"""Status, the body as a value (None: empty), continuation token."""


@dataclass(frozen=True)
class InProcess:
    """A host's management API, and its news of instances, on the host's own loop.

    `exchange` answers (method, URL, body, continuation token). `now` is a moment in the host's count, and `rest`
    returns when one of these instances has come to rest after that moment, or after so many seconds.
    """

    loop: asyncio.AbstractEventLoop
    exchange: Callable[[str, str, Any, str], Coroutine[Any, Any, Answer]]
    now: Callable[[], int]
    rest: Callable[[Collection[str], int, float], Coroutine[Any, Any, None]]

    def client(self, client: Any) -> Any:
        """A copy of a durable client that reaches the host directly."""

        async def send(method: str, url: str, body: bytes) -> list[Any]:
            status, value, _ = await on_loop(self.loop, self.exchange(method, url, body, ""))
            return [status, "" if value is None else value]

        direct = copy.copy(client)
        sdk.carry(direct, send)
        return direct

    async def page(self, url: str, headers: dict[str, str]) -> Answer:
        """One page of a list of instances."""
        return await on_loop(self.loop, self.exchange("GET", url, b"", headers.get("x-ms-continuation-token", "")))

    def watch(self) -> Callable[[Collection[str], float], Awaitable[None]]:
        """A pause that ends early when one of these runs has come to rest since now."""
        since = self.now()
        return lambda runs, seconds: on_loop(self.loop, self.rest(runs, since, seconds))


_OFFERED: dict[str, InProcess] = {}


def offer(management_url: str, host: InProcess) -> None:
    """Offer a host to the routes of this process. Called on its loop."""
    crossing_to(host.loop)
    _OFFERED[management_url] = host


def withdraw(management_url: str) -> None:
    """The host is about to end."""
    _OFFERED.pop(management_url, None)


def host_of(client: Any) -> InProcess | None:
    """The host in this process of which this is a client."""
    return _OFFERED.get(sdk.management_url(client)) if _OFFERED else None
