"""The clients of an app that is served somewhere: the API's typed calls over httpx."""

from __future__ import annotations

from types import TracebackType

import httpx

from ..calls.blocking import BlockingCalls
from ..calls.graph_calls import GraphCalls
from .address import app_address
from .doors import AsyncDoor, BlockingDoor


class GraphClient(BlockingCalls):
    """Starts, reads and steers the runs of an app, over HTTP.

        with GraphClient(url) as client:
            run = client.start("order_flow", OrderState(order_id="A-1"))
            finished = client.wait(run)

        assert finished.state_as(OrderState).shipped

    A request whose response is lost is sent again, under an Idempotency-Key of its own: a start starts one run, an
    answer is applied once. `AsyncGraphClient` has the same methods for async code.
    """

    def __init__(self, url: str, key: str | None = None, *, http: httpx.Client | None = None) -> None:
        """`url` is the app's address, with its route prefix unless that is `api`; `key` a function key.

        `http` replaces the connection pool, for a proxy or certificates. Raises ApiUnreachable for what is not a URL.
        """
        self._door = BlockingDoor(app_address(url), key, http)
        super().__init__(GraphCalls(self._door))

    @property
    def url(self) -> str:
        """The address of the app's routes."""
        return self._door.url

    def close(self) -> None:
        """Close the connections."""
        self._door.http.close()

    def __enter__(self) -> GraphClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<GraphClient {self.url}>"


class AsyncGraphClient(GraphCalls):
    """`GraphClient` for async code: the same methods, awaited.

    It is an async context manager, which closes the connections.
    """

    def __init__(self, url: str, key: str | None = None, *, http: httpx.AsyncClient | None = None) -> None:
        """`url` and `key` are those of `GraphClient`."""
        self._remote = AsyncDoor(app_address(url), key, http)
        super().__init__(self._remote)

    @property
    def url(self) -> str:
        """The address of the app's routes."""
        return self._remote.url

    async def close(self) -> None:
        """Close the connections."""
        await self._remote.http.aclose()

    async def __aenter__(self) -> AsyncGraphClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, place: TracebackType | None
    ) -> None:
        await self.close()

    def __repr__(self) -> str:
        return f"<AsyncGraphClient {self.url}>"
