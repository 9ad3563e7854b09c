"""Graphs on a host in memory: no HTTP, no files, and a clock that moves only when told to."""

from __future__ import annotations

import bisect
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ...azure import sdk
from ...azure.app import MAX_BODY_BYTES, DurableGraphApp
from ...azure.durable_runs import DurableRuns
from ...azure.records import record_of
from ...errors import RegistrationError
from ...graph.registration import GraphRegistration
from ...graph.sizes import MOST_BYTES
from ...history.record import RunRecord
from ...http.api import Api, Handler
from ...http.runs import start_run
from ...http.values import KEY_HEADER, Request, Response
from ..app.loader import index_app
from ..app.loops import LoopThread
from ..clock import ManualClock
from ..local_host import LocalHost
from ..web.management import PATH, Management
from ..web.management_values import CONTINUATION, Answer
from .failure_injection import InjectedFailures
from .graph_run import GraphRun
from .reports import Reports
from .stopping_worker import StoppingWorker

_HOST_LOOP = LoopThread("functions-host")


_ROOT = "http://localhost/api"


class GraphHost:
    """A local host in memory with graphs deployed on it, for tests with several runs or several graphs."""

    worker_class = StoppingWorker

    def __init__(self, *registrations: GraphRegistration, max_payload_bytes: int = MOST_BYTES) -> None:
        """The registrations are deployed together; if two share a name, new runs use the last.

        `max_payload_bytes` is the app's limit.
        """
        self._max_payload_bytes = max_payload_bytes
        self.clock = ManualClock()
        self._unique = count(1)
        self.reports = Reports()
        self._failures = InjectedFailures()
        self._planned: list[tuple[datetime, int, Callable[[], object]]] = []
        self.deploy(*registrations)

    def __enter__(self) -> GraphHost:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    async def __aenter__(self) -> GraphHost:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the host. A host that is not closed is closed with the last reference to it."""
        self._host.store.close()

    def deploy(
        self, *registrations: GraphRegistration, lock: Path | None = None, max_payload_bytes: int | None = None
    ) -> None:
        """Replace the app, as a deployment does. Runs in flight continue with the new app.

        `lock` is the graphs.lock.json deployed with the app; without `max_payload_bytes` the limit stays as it was.
        """
        if max_payload_bytes is not None:
            self._max_payload_bytes = max_payload_bytes
        runtime = DurableGraphApp(max_payload_bytes=self._max_payload_bytes)
        for registration in registrations:
            check_registration(registration, "GraphHost")
            runtime.register_registration(self._failures.into(registration))
        if lock is not None:
            runtime.register_lock(lock)
        self._runtime = runtime
        worker = self.worker_class(index_app(runtime.function_app), self._runs)
        worker.reporter_for = self.reports.reporter_for
        if not hasattr(self, "_host"):
            self._host = LocalHost(worker, self.clock)
            self._management = Management(self._host, "http://localhost")
        self._host.worker = worker

    @property
    def activities_run(self) -> int:
        """How many activities have run on this host."""
        return self._host.activities_run

    def start(
        self,
        graph: str,
        input: Mapping[str, Any],  # noqa: A002 - the word that HTTP and `schedule` use
        *,
        run_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> GraphRun:
        """Start a run and let it go as far as it can. Raises the Problem that the HTTP route would answer.

        With the `key` (the Idempotency-Key) of an earlier start, it returns the run of that start.
        """
        if not isinstance(input, Mapping):
            raise TypeError(
                f"the input of a run is a dict of the state's fields, such as {{}} where all have defaults, "
                f"not {type(input).__name__}"
            )
        body = {"input": dict(input), "metadata": dict(metadata or {}), "instance_id": run_id, "tags": dict(tags or {})}
        answer = self.call(start_run, {"graph": graph}, body, key=key)
        return GraphRun(self, answer["id"])

    def fail(self, node: str, *calls: Exception | None, graph: str | None = None, item: int | None = None) -> None:
        """Make a node's next calls raise these exceptions, in order. For None, and after the last, its handler runs.

        With `item`, these are the calls for one item of a map, by its index, from 0. The node's retry policy, time-out
        and error edges react as if its handler had raised. `graph` is needed only if several graphs have such a node.
        Raises RegistrationError if none has.
        """
        having = [found for found in self._runtime.registry.defaults() if node in found.nodes]
        wanted = [found for found in having if graph in (None, found.graph_name)]
        if len(wanted) != 1:
            names = ", ".join(found.graph_name for found in having) or "no graph"
            raise RegistrationError(f"fail({node!r}): {names} has such a node; say which with graph=…")
        self._failures.plan(wanted[0], node, *calls, item=item)

    def at(self, after: timedelta, action: Callable[[], object]) -> None:
        """Call `action` once this much time has passed: `host.at(timedelta(days=2), lambda: run.send("approval"))`."""
        _check_span(after, "at")
        bisect.insort(self._planned, (self.clock.now() + after, next(self._unique), action))

    def advance(self, span: timedelta) -> None:
        """Let time pass: every timer fires at its time, and each action planned with `at` is called at its time."""
        _check_span(span, "advance")
        target = self.clock.now() + span
        while self._planned and self._planned[0][0] <= target:
            moment, _, action = self._planned.pop(0)
            self._pass_until(moment)
            action()
        self._pass_until(target)

    def _pass_until(self, target: datetime) -> None:
        async def pass_time() -> None:
            while (due := self._host.next_timer) is not None and due <= target:
                self.clock.move_to(due)
                await self._host.drain()
            self.clock.move_to(target)
            await self._host.drain()

        _HOST_LOOP.submit(pass_time()).result()

    def call(
        self,
        handler: Handler,
        params: Mapping[str, str],
        body: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        key: str | None = None,
    ) -> Any:
        """Answer one API request, then let every run go as far as it can. Returns the body; raises Problem.

        `key` is sent as the Idempotency-Key. Every run goes as far as it can while the request waits, too.
        """
        encoded = b"" if body is None else _encoded(body)
        headers = {} if key is None else {KEY_HEADER: key}
        request = Request(params, {"wait": "0", **(query or {})}, encoded, _ROOT, headers)

        async def work() -> Response:
            await self._host.drain()
            response = await handler(self._api(), request)
            await self._host.drain()
            return response

        return _HOST_LOOP.submit(work()).result().body

    def peek(self, run_id: str) -> RunRecord | None:
        """How a run stands, without letting anything continue; None if there is no such run."""
        answer = self._management.handle("GET", f"instances/{run_id}", {}, b"")
        return None if answer.status == 404 else record_of(sdk.read_status(answer.body))

    def run_ids(self) -> list[str]:
        """The ids of all instances on this host, in the order of their creation."""
        found: list[str] = []
        token = ""
        while True:
            answer = self._management.handle("GET", "instances", {"showInput": "False"}, b"", token)
            found += [item["instanceId"] for item in answer.body]
            token = answer.headers[CONTINUATION]
            if not token:
                return found

    def registration_of(self, graph: str, graph_hash: str) -> GraphRegistration:
        """The deployed graph of that name and hash."""
        found = self._runtime.registry.find(graph, graph_hash)
        if found is None:
            raise RegistrationError(f"no graph {graph!r} with the hash {graph_hash} is deployed")
        return found

    async def _send(self, method: str, url: str, body: bytes) -> list[Any]:
        answer = _handle(self._management, method, url, body)
        return [answer.status, "" if answer.body is None else answer.body]

    async def _page(self, url: str, headers: dict[str, str]) -> tuple[list[Any], str]:
        answer = _handle(self._management, "GET", url, b"", headers.get(CONTINUATION, ""))
        return answer.body, answer.headers[CONTINUATION]

    def _runs(self) -> DurableRuns:
        return DurableRuns(sdk.client_over(self._send, self._management.client_binding), self._page)

    def _api(self) -> Api:
        waited = [0.0]  # a request that waits lets the runs go on, but not the clock

        async def wait(seconds: float) -> None:
            waited[0] += seconds
            await self._host.drain()

        return Api(
            registry=self._runtime.registry,
            runs=self._runs(),
            now=self.clock.now,
            monotonic=lambda: waited[0],
            sleep=wait,
            unique=lambda: f"test-{next(self._unique)}",
            max_body_bytes=max(MAX_BODY_BYTES, self._max_payload_bytes),
        )


def _handle(management: Management, method: str, url: str, body: bytes, token: str = "") -> Answer:
    parts = urlsplit(url)
    path = parts.path.strip("/")[len(PATH) :].strip("/")
    return management.handle(method, path, dict(parse_qsl(parts.query)), body, token)


def check_registration(registration: object, taker: str) -> None:
    """Raise RegistrationError for what is not a registration; a builder is the usual mistake."""
    if not isinstance(registration, GraphRegistration):
        fix = "call build() on it" if hasattr(registration, "build") else "pass what ManifestBuilder.build() returns"
        raise RegistrationError(f"{taker} takes a GraphRegistration, not {type(registration).__name__}: {fix}")


def _check_span(span: object, method: str) -> None:
    if not isinstance(span, timedelta):
        raise TypeError(f"{method} takes a timedelta, as in {method}(timedelta(seconds=30)), not {span!r}")
    if span < timedelta(0):
        raise ValueError(f"{method} takes a timedelta that is not negative, not {span!r}: time does not go back")


def _encoded(body: Any) -> bytes:
    try:
        return json.dumps(body).encode()
    except (TypeError, ValueError) as error:
        raise TypeError(
            f"what is sent to a run must be JSON, and this is not ({error}); "
            "pass plain values, or a pydantic model as the payload of an event"
        ) from None
