"""Run a graph in a test: the real SDK, full replay on every step, and a clock that jumps. Floor 9.

    run = run_graph(registration, {"order_id": "A-1"})
    assert run.path == ["validate", "ship"]
    assert run.state.shipped

A run goes on until it needs something from outside: an event (`run.send`) or time (`run.advance`). Nothing sleeps.
These are plain functions: they work in `def` and in `async def` tests alike.
"""

from __future__ import annotations

import asyncio
import bisect
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

from azure.durable_functions import DurableOrchestrationClient
from pydantic import BaseModel

from .api import Api, Handler, cancel_run, get_history, get_run, post_event, start_run
from .app import MAX_BODY_BYTES, DurableGraphApp
from .dev.answers import Answer
from .dev.clock import ManualClock
from .dev.host import LocalHost
from .dev.loader import index_app
from .dev.management import CONTINUATION, PATH, Management
from .dev.worker import LoopThread, Worker
from .errors import HistoryError, RegistrationError
from .faults import Faults
from .graph import GraphRegistration
from .http import Problem, Request, Response
from .recorded import RecordedRun
from .replay import replay
from .serving import DurableRuns
from .states import load

__all__ = ["GraphHost", "GraphRun", "HistoryError", "Problem", "replay_recording", "run_graph"]

T = TypeVar("T")

_HOST_LOOP = LoopThread("functions-host")
_ROOT = "http://localhost/api"


def run_graph(
    registration: GraphRegistration,
    given: Mapping[str, Any],
    *,
    metadata: Mapping[str, Any] | None = None,
    fail: Mapping[str, Sequence[Exception | None]] | None = None,
) -> GraphRun:
    """Run one graph until it is finished or needs something from outside.

    `fail` says for a node what each of its calls raises; None lets a call pass, and so do all that follow.
    Raises Problem (422) where `given` is no valid state.
    """
    host = GraphHost(registration)
    for node, calls in (fail or {}).items():
        host.fail(node, *calls)
    return host.start(registration.graph_name, given, metadata=metadata)


def replay_recording(path: Path, app: DurableGraphApp) -> None:
    """Replay a file that the command `record` has made against the graphs of `app`.

    Raises HistoryError that names the first difference between then and now.
    """
    replay(RecordedRun.from_text(path.read_text(encoding="utf-8"), path.name), app.registry)


class GraphHost:
    """A local host in memory with some graphs on it, for tests with several runs or several graphs."""

    def __init__(self, *registrations: GraphRegistration) -> None:
        """The registrations are deployed together; of two with one name the last gets the new runs."""
        self.clock = ManualClock()
        self._unique = count(1)
        self._faults = Faults()
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
        """End the host. One that is not closed ends with its last reference."""
        self._host.store.close()

    def deploy(self, *registrations: GraphRegistration, lock: Path | None = None) -> None:
        """Replace the app, as a deployment does. Runs in flight stay, and go on with what they find.

        `lock` is the graphs.lock.json that is deployed with the app.
        """
        runtime = DurableGraphApp()
        for registration in registrations:
            runtime.register_registration(self._faults.into(registration))
        if lock is not None:
            runtime.register_lock(lock)
        self._runtime = runtime
        worker = Worker(index_app(runtime.function_app))
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
        given: Mapping[str, Any],
        *,
        run_id: str | None = None,
        metadata: Mapping[str, Any] | None = None,
    ) -> GraphRun:
        """Start a run and let it go as far as it can. Raises Problem as the HTTP route would answer."""
        body = {"input": dict(given), "metadata": dict(metadata or {}), "instance_id": run_id}
        answer = self.call(start_run, {"graph": graph}, body)
        return GraphRun(self, answer["id"])

    def fail(self, node: str, *calls: Exception | None, graph: str | None = None) -> None:
        """Let the next calls of a node raise, each its exception; None lets one pass, and so do all that follow.

        The node's retry, time-out and error edges see it as if its handler had raised. `graph` is needed only where
        several graphs have such a node. Raises RegistrationError where none has.
        """
        having = [found for found in self._runtime.registry.defaults() if node in found.nodes]
        wanted = [found for found in having if graph in (None, found.graph_name)]
        if len(wanted) != 1:
            names = ", ".join(found.graph_name for found in having) or "no graph"
            raise RegistrationError(f"fail({node!r}): {names} has such a node; say which with graph=…")
        self._faults.plan(wanted[0], node, *calls)

    def at(self, after: timedelta, action: Callable[[], object]) -> None:
        """Do something when so much time has passed: `host.at(timedelta(days=2), lambda: run.send("approval"))`."""
        bisect.insort(self._planned, (self.clock.now() + after, next(self._unique), action))

    def advance(self, span: timedelta) -> None:
        """Let time pass: every timer fires at its time, and what is planned for a moment is done at that moment."""
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

    def call(self, handler: Handler, params: Mapping[str, str], body: Any = None) -> Any:
        """Answer one API request, then let every run go as far as it can. Returns the body; raises Problem."""

        async def work() -> Response:
            await self._host.drain()
            encoded = b"" if body is None else json.dumps(body).encode()
            response = await handler(self._api(), Request(params, {"wait": "0"}, encoded, _ROOT))
            await self._host.drain()
            return response

        return _HOST_LOOP.submit(work()).result().body

    def registration_of(self, graph: str, graph_hash: str) -> GraphRegistration:
        """The deployed graph of that name and hash."""
        found = self._runtime.registry.find(graph, graph_hash)
        if found is None:
            raise RegistrationError(f"no graph {graph!r} with the hash {graph_hash} is deployed")
        return found

    async def _page(self, url: str, headers: dict[str, str]) -> tuple[list[Any], str]:
        answer = _handle(self._management, "GET", url, b"", headers.get(CONTINUATION, ""))
        return answer.body, answer.headers[CONTINUATION]

    def _api(self) -> Api:
        return Api(
            registry=self._runtime.registry,
            runs=DurableRuns(_in_process_client(self._management), self._page),
            now=self.clock.now,
            monotonic=lambda: self.clock.now().timestamp(),
            sleep=lambda seconds: asyncio.sleep(0),
            unique=lambda: f"test-{next(self._unique)}",
            max_body_bytes=MAX_BODY_BYTES,
        )


class GraphRun:
    """One run in a test. Every property shows how the run stands now."""

    def __init__(self, host: GraphHost, run_id: str) -> None:
        self.host = host
        self.id = run_id

    @property
    def status(self) -> str:
        """pending, running, waiting, parked, completed, failed or cancelled."""
        return str(self._view()["status"])

    @property
    def path(self) -> list[str]:
        """The nodes that have run, in order; one that failed is the last."""
        return [step["node"] for step in self.steps]

    @property
    def steps(self) -> list[dict[str, Any]]:
        """The steps with patch, decision and error, as GET runs/{id}/history shows them."""
        return list(self.host.call(get_history, {"id": self.id})["steps"])

    @property
    def events(self) -> list[dict[str, Any]]:
        """Each event that reached the run, and whether it was applied or discarded."""
        return list(self.host.call(get_history, {"id": self.id})["events"])

    @property
    def state(self) -> Any:
        """The newest state, as the graph's state model."""
        view = self._view()
        return load(self.host.registration_of(view["graph"], view["graph_hash"]).state_model, view["state"])

    @property
    def waits(self) -> list[str]:
        """The events that the run asks for now."""
        return [wait["event"] for wait in self._view()["waits"]]

    @property
    def error(self) -> dict[str, Any] | None:
        """Why the run failed: type, message, node and step."""
        error: dict[str, Any] | None = self._view()["error"]
        return error

    @property
    def view(self) -> dict[str, Any]:
        """The whole answer of GET runs/{id}."""
        return self._view()

    def send(self, event: str, payload: Any = None) -> GraphRun:
        """Post an event and let the run go on. Raises Problem (409, 410, 422) where the run does not take it."""
        if isinstance(payload, BaseModel):
            payload = payload.model_dump(mode="json")
        self.host.call(post_event, {"id": self.id, "event": event}, {} if payload is None else payload)
        return self

    def cancel(self, reason: str = "cancelled by the test") -> GraphRun:
        """Cancel the run."""
        self.host.call(cancel_run, {"id": self.id}, {"reason": reason})
        return self

    @property
    def decisions(self) -> list[tuple[str, list[str]]]:
        """Where each step that was followed by another went on to, in order."""
        return [(step["node"], step["to"]) for step in self.steps if step.get("to")]

    @property
    def attempts(self) -> dict[str, int]:
        """How often each node was tried in its last visit."""
        return {step["node"]: step.get("attempts", 1) for step in self.steps}

    def send_at(self, after: timedelta, event: str, payload: Any = None) -> GraphRun:
        """Post an event when so much time has passed: early, late or just in time. `advance` lets it happen."""
        self.host.at(after, lambda: self.send(event, payload))
        return self

    def advance(self, span: timedelta) -> GraphRun:
        """Let time pass on the run's host."""
        self.host.advance(span)
        return self

    def _view(self) -> dict[str, Any]:
        view: dict[str, Any] = self.host.call(get_run, {"id": self.id})
        return view


def _handle(management: Management, method: str, url: str, body: bytes, token: str = "") -> Answer:
    parts = urlsplit(url)
    path = parts.path.strip("/")[len(PATH) :].strip("/")
    return management.handle(method, path, dict(parse_qsl(parts.query)), body, token)


def _in_process_client(management: Management) -> DurableOrchestrationClient:
    """The SDK's client over the management API without a socket: its transport is three functions."""
    client = DurableOrchestrationClient(management.client_binding)

    def send(method: str, url: str, body: bytes) -> list[Any]:
        answer = _handle(management, method, url, body)
        return [answer.status, "" if answer.body is None else answer.body]

    async def post(url: str, data: Any = None, *_: Any, **__: Any) -> list[Any]:
        return send("POST", url, b"" if data is None else json.dumps(data).encode())

    async def get(url: str, *_: Any, **__: Any) -> list[Any]:
        return send("GET", url, b"")

    async def delete(url: str, *_: Any, **__: Any) -> list[Any]:
        return send("DELETE", url, b"")

    client._post_async_request, client._get_async_request, client._delete_async_request = post, get, delete
    return client
