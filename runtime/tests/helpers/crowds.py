"""Many clients who answer a run at once, over a connection on which looks are stale and responses get lost."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping
from dataclasses import dataclass, field, replace
from random import Random
from typing import Any

from azure_functions_durable_graph.host.harness.graph_host import _HOST_LOOP
from azure_functions_durable_graph.http.api import Handler
from azure_functions_durable_graph.http.events import get_event, post_event
from azure_functions_durable_graph.http.values import KEY_HEADER, Request
from azure_functions_durable_graph.testing import GraphHost, Problem


@dataclass
class Client:
    """One answer, and what its sender was told at each attempt. Only one with a key sends it again."""

    event: str
    text: str
    key: str | None
    told: list[tuple[str, str]] = field(default_factory=list)

    def outcomes(self) -> set[str]:
        return {outcome for outcome, _ in self.told}


class Crowd:
    """Clients of one host. The dice decide what is late, what is lost, and who waits for how long."""

    def __init__(self, host: GraphHost, dice: Random) -> None:
        self.host, self.dice = host, dice
        self.clients: list[Client] = []
        self.losses = 0.0
        send = host._send

        async def sending(method: str, url: str, body: bytes) -> list[Any]:
            await self._delay()
            answer = await send(method, url, body)
            await self._delay()  # what was seen is old when it arrives
            return [503, {}] if "/raiseEvent/" in url and dice.random() < self.losses else answer

        host._send = sending  # type: ignore[method-assign]

    def post(self, run_id: str, *clients: Client) -> None:
        """All of them post at once; then every run goes as far as it can."""
        self.clients += [client for client in clients if client not in self.clients]
        self.losses = 0.2 if len(clients) > 1 else 0.0

        async def all_at_once() -> None:
            await asyncio.gather(*(self._attempts(run_id, client) for client in clients))
            await self.host._host.drain()

        self._do(all_at_once())

    def look(self, where: str) -> str:
        """What a Location says now; "404" where it says that there is no such event."""
        run_id, _, event_id = where.rpartition("/")
        try:
            return str(self.host.call(get_event, {"id": run_id, "event_id": event_id})["outcome"])
        except Problem as problem:
            return str(problem.status)

    async def _attempts(self, run_id: str, client: Client) -> None:
        for _ in range(self.dice.choice([1, 1, 3]) if client.key else 1):
            outcome, where = await self._attempt(run_id, client)
            if self.dice.random() < 0.2:  # the client has not seen the response
                outcome = "lost"
            client.told.append((outcome, where))

    async def _attempt(self, run_id: str, client: Client) -> tuple[str, str]:
        params = {"id": run_id, "event": client.event}
        headers = {} if client.key is None else {KEY_HEADER: client.key}
        query = {"wait": self.dice.choice(["0", "0.1", "2"])}
        try:
            answer = await self._ask(post_event, params, query, headers, f'"{client.text}"'.encode())
        except Problem as problem:
            if problem.status not in (409, 410):
                raise
            return f"{problem.status}", ""
        except Exception as error:  # the raise failed as far as anybody knows: the API answers 500
            if "unrecognized status code 503" not in str(error):
                raise
            return "lost", ""
        return answer["outcome"], f"{answer['id']}/{answer['event_id']}"

    async def _ask(
        self, handler: Handler, params: Mapping[str, str], query: Mapping[str, str], headers: Any, body: bytes
    ) -> Any:
        api = self.host._api()
        waited = [0.0]

        async def sleep(seconds: float) -> None:
            waited[0] += seconds
            await self._go_on()

        patient = replace(api, sleep=sleep, monotonic=lambda: waited[0])
        return (await handler(patient, Request(params, query, body, "http://localhost/api", headers))).body

    async def _delay(self) -> None:
        for _ in range(self.dice.choice([0, 0, 1, 4])):
            await self._go_on()

    async def _go_on(self) -> None:
        """Let the others act, and the host do one thing."""
        host = self.host._host
        await asyncio.sleep(0)
        host.fire_due()
        host.flush()
        if host._ready:
            await host._perform(host._ready.popleft())

    def _do(self, work: Coroutine[Any, Any, None]) -> None:
        _HOST_LOOP.submit(work).result()
