"""HTTP for the local host: the app's own routes under the prefix, and the management API. Binds 127.0.0.1.

aiohttp comes with azure-functions-durable. User code runs on the worker's loop, so that a blocking coroutine cannot
keep this server from answering the SDK's client.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from aiohttp import web

from ...azure import in_process
from ...errors import CronError, HostError
from ...graph import cron
from ..app.conversion import http_datum
from ..app.loader import Function, LoadedApp
from ..app.settings import expanded
from ..local_host import LocalHost
from . import by_hand
from . import route_templates as routing
from .callers import refusal
from .management import PATH, Management
from .management_values import CONTINUATION, Answer, error

logger = logging.getLogger("azure_functions_durable_graph.host")

MAX_BODY = 100 * 1024 * 1024
"""The Functions host accepts bodies up to 100 MB."""


class Server:
    """Serves one host on one port."""

    def __init__(
        self, host: LocalHost, app: LoadedApp, port: int, *, timers: bool = True, allowed: Iterable[str] = ()
    ) -> None:
        """`port` 0 means any free port, which `url` contains; without `timers` no timer trigger is called.

        `allowed` are host names that are accepted besides loopback names.

        Raises HostError for an app that Azure would reject.
        """
        self._host = host
        self._allowed = frozenset(name.lower() for name in allowed)
        self._port = port
        self._management: Management | None = None
        self._by_hand: by_hand.ByHand | None = None
        self.url = ""
        self.endpoints = [
            routing.endpoint(f.name, str(f.trigger.get("route") or f.name), f.trigger["methods"])
            for f in app.of_kind("httpTrigger")
        ]
        self._schedules = [(f.name, _schedule(f)) for f in app.of_kind("timerTrigger") if timers]
        clashes = routing.clashes(self.endpoints)
        if clashes:
            raise HostError("Azure would not load this app: " + "; ".join(clashes))

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[str]:
        """Serve while the block runs; yields the base URL, without a path."""
        application = web.Application(client_max_size=MAX_BODY)
        application.router.add_route("*", r"/{path:[\s\S]*}", self._answer)  # "." would not match a line break
        runner = web.AppRunner(
            application,
            access_log=None,
            shutdown_timeout=1.0,
            auto_decompress=False,  # functions get what was sent
        )
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", self._port)
        try:
            await site.start()
        except OSError as failure:
            await runner.cleanup()
            raise HostError(
                f"port {self._port} cannot be used ({failure.strerror}); choose another with --port"
            ) from None
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}"
        self._management = Management(self._host, self.url)
        self._by_hand = by_hand.ByHand(self._host, self._management.client_binding)
        self._host.worker.client_binding = self._management.client_binding
        offered = f"{self.url}/{PATH}/"
        in_process.offer(offered, self._in_process())
        tasks = [asyncio.create_task(self._host.run())]
        tasks += [asyncio.create_task(self._keep(name, schedule)) for name, schedule in self._schedules]
        for task in tasks:
            task.add_done_callback(self._on_task_end)
        try:
            yield self.url
        finally:
            in_process.withdraw(offered)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await runner.cleanup()

    def _on_task_end(self, task: asyncio.Task[None]) -> None:
        """Fail the host: none of its tasks should end by itself."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._host.fail(error)

    async def _keep(self, name: str, schedule: cron.Cron) -> None:
        """Call a timer function at each of its ticks. Ticks that were missed while the host was down are skipped."""
        assert self._management is not None
        tick = self._host.clock.now()
        while True:
            now = self._host.clock.now()
            tick = schedule.after(max(now, tick))  # a sleep may end a little early; each tick is called once
            await asyncio.sleep((tick - now).total_seconds())
            try:
                await self._host.worker.tick(name, self._management.client_binding)
            except Exception:  # the function is the app's code; its next tick is still due
                logger.exception("timer function %s failed", name)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        refused = refusal(request.headers.getall("Host", ()), request.headers.getall("Origin", ()), self._allowed)
        if refused is not None:
            logger.warning("%s %s: 403: %s", request.method, request.path, refused)
            return _json(error(403, refused))
        path = request.rel_url.raw_path.strip("/")
        body = await request.read()
        if path == PATH or path.startswith(PATH + "/"):
            below, token = path[len(PATH) :].strip("/"), request.headers.get(CONTINUATION, "")
            return _json(await self._manage(request.method, below, dict(request.query), body, token))
        if path.lower().startswith(by_hand.PATH):
            assert self._by_hand is not None
            return _json(self._by_hand.answer(request.method, path[len(by_hand.PATH) :], body))
        found = None
        if (inner := self._below_prefix(path)) is not None:
            found = routing.match(self.endpoints, request.method, inner)
        if found is None:
            return web.Response(status=404)
        endpoint, params = found
        try:
            response = await self._serve(endpoint.function, request, params, body)
        except Exception:
            logger.exception("%s %s: function %s failed", request.method, request.path, endpoint.function)
            response = web.Response(status=500)
        failure = self._host.failure  # to the function it was only an engine that answers 503
        return response if failure is None or response.status < 500 else _json(error(503, str(failure)))

    def _below_prefix(self, path: str) -> str | None:
        prefix = self._host.settings.route_prefix
        if not prefix:
            return path
        head, _, rest = path.partition("/") if "/" not in prefix else (path[: len(prefix)], "", path[len(prefix) :])
        return rest if head.lower() == prefix.lower() else None

    async def _serve(self, name: str, request: web.Request, params: dict[str, str], body: bytes) -> web.Response:
        query = {key: ",".join(request.query.getall(key)) for key in request.query}
        headers = {key.lower(): ",".join(request.headers.getall(key)) for key in request.headers}
        datum = http_datum(
            request.method,
            str(request.url),
            headers,
            {key: value for key, value in query.items() if value},
            params,
            body,
        )
        assert self._management is not None
        answer = await self._host.worker.serve(name, datum, self._management.client_binding)
        return _response(answer)

    async def fire(
        self, name: str, given: Any, message_id: str | None = None, properties: Mapping[str, Any] | None = None
    ) -> None:
        """Fire a trigger by hand, and wait for the function. Raises HostError, FunctionFailed, FunctionTimeout."""
        assert self._by_hand is not None
        await self._by_hand.fire(name, given, message_id, properties)

    def _in_process(self) -> in_process.InProcess:
        """The host as the routes of its own process reach it."""
        news = self._host.news

        async def exchange(method: str, url: str, body: bytes, token: str) -> in_process.Answer:
            parts = urlsplit(url)
            path = parts.path.strip("/")[len(PATH) :].strip("/")
            answer = await self._manage(method, path, dict(parse_qsl(parts.query, keep_blank_values=True)), body, token)
            return answer.status, answer.body, answer.headers.get(CONTINUATION, "")

        return in_process.InProcess(asyncio.get_running_loop(), exchange, lambda: news.now, news.rest)

    async def _manage(self, method: str, path: str, query: Mapping[str, str], body: bytes, token: str) -> Answer:
        """The management API's answer, once what it has changed is committed."""
        assert self._management is not None
        try:
            answer = await self._management.answer(method, path, query, body, token)
            await self._host.committed()
        except HostError as failure:  # the host cannot continue, and whoever runs it stops it
            return error(503, str(failure))
        except Exception as failure:
            logger.exception("%s %s: the management API has failed", method, path)
            return error(500, f"{type(failure).__name__}: see the log of the local host")
        return answer


def _json(answer: Answer) -> web.Response:
    if answer.body is None:
        return web.Response(status=answer.status, headers=answer.headers)
    return web.json_response(answer.body, status=answer.status, headers=answer.headers)


def _response(datum: Any) -> web.Response:
    """The response for a result of the HTTP output converter: a description of it, or a text."""
    if datum.type == "string":
        return web.Response(text=datum.value)
    parts = datum.value
    headers = {name: value.value for name, value in parts["headers"].items()}
    response = web.Response(status=int(parts["status_code"].value), headers=headers, body=parts["body"].value)
    for jar in parts["cookies"] or ():
        for morsel in jar.values():
            response.headers.add("Set-Cookie", morsel.OutputString())
    return response


def _schedule(function: Function) -> cron.Cron:
    text = str(function.trigger["schedule"])
    try:
        return cron.parse(expanded(text, os.environ))
    except CronError as problem:
        raise HostError(f"the timer trigger of {function.name}, {text}: {problem}") from None
