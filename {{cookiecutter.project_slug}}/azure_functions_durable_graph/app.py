"""DurableGraphApp: the graphs of one Azure Functions app, bound to the Python v2 model. Floor 7.

The one file of the deployed runtime in which `azure.*` appears. It turns the SDK's requests, client and context
into the values that the floors below speak, and decides nothing itself.

No `from __future__ import annotations` here: the worker reads the annotations of trigger functions, and refuses
those that are not plain classes.
"""

import asyncio
import functools
import json
import logging
import time
import uuid
from collections.abc import Awaitable, Callable, Collection, Generator
from datetime import datetime, timezone
from pathlib import Path
from types import ModuleType
from typing import Any, Optional, cast
from urllib.parse import urlencode, urlsplit

import azure.durable_functions as df
import azure.functions as func
from azure.durable_functions.models.DurableOrchestrationStatus import DurableOrchestrationStatus

from .activities import run_node
from .api import Api, IdTaken, Runs, run_input
from .errors import LockError, RegistrationError
from .graph import GraphRegistration
from .http import Problem, Request, Response
from .messages import RunInput
from .names import ACTIVITY, ORCHESTRATOR, tick_id
from .orchestrator import orchestrate
from .records import RunRecord
from .registry import Registry, registrations_in
from .routes import ROUTES, Route

MAX_BODY_BYTES = 1_000_000

Fetch = Callable[[str, dict[str, str]], Awaitable[tuple[list[Any], str]]]

logger = logging.getLogger(__name__)


class DurableGraphApp:
    """Holds graphs, and the function app that runs them.

    All HTTP routes, the orchestrator and the activity are registered on construction; graphs may be added until the
    module is loaded. `function_app` is an ordinary `DFApp`: add functions of your own to it.
    """

    def __init__(
        self, auth_level: func.AuthLevel = func.AuthLevel.FUNCTION, *, max_body_bytes: int = MAX_BODY_BYTES
    ) -> None:
        """`auth_level` guards every route but `health`; FUNCTION asks for a function key in Azure."""
        self.registry = Registry()
        self.function_app = df.DFApp(http_auth_level=auth_level)
        self._max_body_bytes = max_body_bytes
        self._add_orchestrator()
        self._add_activity()
        for route in ROUTES:
            self._add_route(route)

    def register_registration(self, registration: GraphRegistration) -> None:
        """Add a graph. Of several versions of one graph the last one registered gets the new runs."""
        self.registry.add(registration)

    def register_package(self, package: ModuleType) -> None:
        """Add every GraphRegistration found in the modules of `package`. New runs get the newest version of a graph."""
        for registration in registrations_in(package):
            self.registry.add(registration)

    def register_lock(self, path: Path) -> None:
        """Take over runs of earlier hashes, as graphs.lock.json allows; call it after the graphs are registered.

        A lock that is missing, out of date or unreadable allows nothing, and the log says so: an app that does not
        load would be worse than runs that park.
        """
        from .lock import Lock  # not every app has one

        try:
            graphs = Lock.from_text(path.read_text(encoding="utf-8"), path.name).graphs
        except OSError:
            logger.warning("there is no %s: runs of earlier graph hashes are not taken over", path.name)
            return
        except LockError as error:
            logger.error("runs of earlier graph hashes are not taken over: %s", error)
            return
        for name, graph in graphs.items():
            for locked in graph.versions.values():
                done = [self.registry.take_over(name, old, locked.graph_hash) for old in locked.serves]
                if not all(done):
                    logger.warning("%s is out of date for graph %r: run the command `lock`", path.name, name)

    def schedule(
        self,
        graph_name: str,
        cron: str,
        *,
        input: Optional[dict[str, Any]] = None,  # noqa: A002 - the word that users look for
        name: Optional[str] = None,
    ) -> None:
        """Start a run of a graph at every tick of `cron` (NCRONTAB, six fields, UTC unless the app says otherwise).

        The run's id is made of the schedule's name and the tick, so that a tick that fires twice starts one run.
        `name` tells several schedules of one graph apart. The input is validated at each tick; a bad one fails it.
        """
        registry, label = self.registry, name or graph_name

        @self.function_app.function_name(f"schedule_{label.replace('-', '_')}")
        @self.function_app.timer_trigger(schedule=cron, arg_name="timer", run_on_startup=False)
        @self.function_app.durable_client_input(client_name="client")
        async def tick(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
            graph = registry.default(graph_name)
            if graph is None:
                raise RegistrationError(f"the schedule {label!r} starts the unknown graph {graph_name!r}")
            now = datetime.now(timezone.utc)
            run_id = tick_id(label, cron, now)
            run = run_input(graph, input or {}, {"schedule": label}, now)
            try:
                await DurableRuns(client).start(run_id, run, fresh=False)
            except IdTaken:
                logger.info("the run %s of schedule %r is there already", run_id, label)

    def _add_orchestrator(self) -> None:
        @self.function_app.function_name(ORCHESTRATOR)
        @self.function_app.orchestration_trigger(context_name="context")
        def durable_graph_run(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
            return (yield from orchestrate(context, cast(RunInput, context.get_input())))

    def _add_activity(self) -> None:
        registry = self.registry

        @self.function_app.function_name(ACTIVITY)
        @self.function_app.activity_trigger(input_name="call")
        async def durable_graph_node(call: dict, context: func.Context) -> dict:  # type: ignore[type-arg]
            in_thread = functools.partial(_in_thread, context)
            return dict(await run_node(registry, call, in_thread))  # type: ignore[arg-type]

    def _add_route(self, route: Route) -> None:
        level = func.AuthLevel.ANONYMOUS if route.anonymous else None
        registry, limit = self.registry, self._max_body_bytes

        @self.function_app.function_name(f"durable_graph_{route.name}")
        @self.function_app.route(route=route.path, methods=[route.method], auth_level=level)
        @self.function_app.durable_client_input(client_name="client")
        async def handle(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
            return _to_azure(await _answer(route, _api(registry, DurableRuns(client), limit), _from_azure(route, req)))


class DurableRuns:
    """The `Runs` port over the SDK's client."""

    def __init__(self, client: Any, fetch: Optional[Fetch] = None) -> None:
        self._client = client
        self._fetch = fetch or _fetch

    async def start(self, run_id: str, run: RunInput, *, fresh: bool) -> None:
        """Start a run; raises IdTaken where any orchestration has the id, finished ones included.

        The look-up and the start are two calls: of two starts of one id at the same moment the engine refuses one,
        unless the other has already finished by then.
        """
        if not fresh and await self._client.get_status(run_id):
            raise IdTaken(run_id)
        try:
            await self._client.start_new(ORCHESTRATOR, run_id, run)
        except Exception:  # the SDK raises bare Exceptions; whether the id is taken is asked, not read from a text
            if not fresh and await self._client.get_status(run_id):
                raise IdTaken(run_id) from None
            raise

    async def get(self, run_id: str, *, history: bool = False) -> Optional[RunRecord]:
        """The run, or None for an unknown id and for orchestrations that are not ours."""
        return _record(
            await self._client.get_status(run_id, show_history=history, show_history_output=history, show_input=True)
        )

    async def page(self, statuses: Collection[str], cursor: str, limit: int) -> tuple[list[RunRecord], str]:
        """One page of runs in these runtime statuses, and the cursor of the next page ("" at the end).

        The SDK's client asks for one page only and drops the continuation token, so the request is made here. A page
        may hold fewer runs than `limit`: other orchestrations of the hub are left out.
        """
        query = urlencode({"runtimeStatus": ",".join(sorted(statuses)), "showInput": "true", "top": limit})
        url = f"{self._client._orchestration_bindings.rpc_base_url}instances/?{query}"
        answer, following = await self._fetch(url, {"x-ms-continuation-token": cursor} if cursor else {})
        records = (_record(DurableOrchestrationStatus.from_json(item)) for item in answer)
        return [record for record in records if record is not None], following

    async def raise_event(self, run_id: str, address: str, payload: Any) -> None:
        """Raise an event. A run that ended in between is a problem 410 or 404."""
        await self._unless_gone(run_id, self._client.raise_event(run_id, address, {"payload": payload}))

    async def terminate(self, run_id: str, reason: str) -> None:
        """Terminate a run. A run that vanished in between is a problem 404."""
        await self._unless_gone(run_id, self._client.terminate(run_id, reason))

    async def _unless_gone(self, run_id: str, call: Any) -> None:
        try:
            await call
        except Exception:
            record = await self.get(run_id)
            if record is None:
                raise Problem("run-not-found", f"there is no run {run_id!r}") from None
            if record.finished:
                raise Problem("run-finished", f"the run {run_id!r} is {record.status}") from None
            raise


async def _fetch(url: str, headers: dict[str, str]) -> tuple[list[Any], str]:
    """A page of the management API and its continuation token."""
    import aiohttp  # the SDK has loaded it; a session of our own, since the SDK's may be closed at any time

    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        response.raise_for_status()
        return await response.json(content_type=None), response.headers.get("x-ms-continuation-token", "")


def _record(status: Any) -> Optional[RunRecord]:
    """The SDK's status as a record; None for an unknown id and for orchestrations that are not ours."""
    if not status or status.name != ORCHESTRATOR or status.runtime_status is None:
        return None
    run = _run_input(status.input_)
    if run is None:
        return None
    return RunRecord(
        id=status.instance_id,
        runtime_status=status.runtime_status.value,
        run=run,
        custom_status=status.custom_status if isinstance(status.custom_status, dict) else {},
        output=status.output,
        created_at=_iso(status.created_time),
        updated_at=_iso(status.last_updated_time),
        # SDK 1.7 reads "history", the extension sends "historyEvents" (azure-functions-durable-python#345)
        history=getattr(status, "historyEvents", None) or (),
    )


def _api(registry: Registry, runs: Runs, limit: int) -> Api:
    return Api(
        registry=registry,
        runs=runs,
        now=lambda: datetime.now(timezone.utc),
        monotonic=time.monotonic,
        sleep=asyncio.sleep,
        unique=lambda: uuid.uuid4().hex,
        max_body_bytes=limit,
    )


async def _answer(route: Route, api: Api, request: Request) -> Response:
    """The route's answer; whatever goes wrong becomes a problem without a stack trace."""
    try:
        return await route.handler(api, request)
    except Problem as problem:
        return problem.response()
    except Exception:
        logger.exception("%s failed", route.name)
        return Problem("internal", "the request could not be served; the app's log says why").response()


async def _in_thread(context: func.Context, code: Callable[..., Any], *arguments: Any) -> Any:
    """Run code in a thread whose log records belong to this invocation (Python worker: thread-local storage)."""

    def run() -> Any:
        storage = getattr(context, "thread_local_storage", None)
        if storage is not None:
            storage.invocation_id = context.invocation_id
        return code(*arguments)

    return await asyncio.to_thread(run)


def _from_azure(route: Route, req: func.HttpRequest) -> Request:
    url = urlsplit(req.url)
    prefix = url.path.split("/")[: -len(route.path.split("/"))]
    return Request(
        params=dict(req.route_params),
        query=dict(req.params),
        body=req.get_body() or b"",
        root=f"{url.scheme}://{url.netloc}{'/'.join(prefix)}",
    )


def _to_azure(response: Response) -> func.HttpResponse:
    return func.HttpResponse(
        response.encoded(),
        status_code=response.status,
        headers={**response.headers, "Content-Type": response.content_type},
    )


def _run_input(text: Any) -> Optional[RunInput]:
    """The orchestration's input as the management API gives it: JSON text for runs that the SDK has started."""
    try:
        value = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        return None
    return value if isinstance(value, dict) and "plan" in value else None  # type: ignore[return-value]


def _iso(moment: Optional[datetime]) -> Optional[str]:
    return None if moment is None else moment.isoformat()
