"""DurableGraphApp: the graphs of one Azure Functions app, bound to the Python v2 model.

It only registers functions. What a function does is imported when it is first called, because the app's import is part
of every cold start.

No `from __future__ import annotations` here: the worker reads the annotations of trigger functions, and rejects those
that are not plain classes.
"""

import logging
from collections.abc import Generator
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Optional, cast

import azure.durable_functions as df
import azure.functions as func

from ..errors import RegistrationError
from ..graph.names import ACTIVITY, ORCHESTRATOR, PROGRESS
from ..graph.registration import GraphRegistration
from ..graph.wording import counted
from ..http.routes import ROUTES, Route
from ..work.packages import search
from ..work.registry import Registry

if TYPE_CHECKING:
    from .retention import Retention
    from .schedules import Schedule

MAX_BODY_BYTES = 1_000_000

logger = logging.getLogger(__name__)


class GraphFunctions(df.DFApp):
    """The function app of a DurableGraphApp. When its functions are listed it is complete, and its graphs are checked.

    The worker lists the functions while it loads the app. A fault between graphs must not keep the others from loading,
    so it is only logged there; the local host and tests call `check`, which raises.
    """

    def __init__(self, auth_level: func.AuthLevel, runtime: "DurableGraphApp") -> None:
        super().__init__(http_auth_level=auth_level)
        self.runtime = runtime

    def get_functions(self) -> list[Any]:
        """The functions that the worker loads."""
        for warning in self.runtime.warnings:
            logger.warning("%s", warning)
        try:
            self.runtime.check()
        except RegistrationError as error:
            logger.error("%s", error)
        except Exception:
            logger.exception("the app's graphs could not be checked")
        return list(super().get_functions())


class DurableGraphApp:
    """Holds graphs, and the function app that runs them.

    All HTTP routes, the orchestrator and the activity are registered on construction; graphs may be added until the
    module is loaded. `function_app` is an ordinary `DFApp`: add functions of your own to it.
    """

    def __init__(
        self,
        auth_level: func.AuthLevel = func.AuthLevel.FUNCTION,
        *,
        max_body_bytes: int = MAX_BODY_BYTES,
        progress: bool = False,
    ) -> None:
        """`auth_level` protects every route except `health`; FUNCTION requires a function key in Azure.

        With `progress` the runs show what their nodes report by `context.progress`, which costs messages in the task
        hub; without it nothing is registered for that.
        """
        self.registry = Registry()
        self._schedules: dict[str, Schedule] = {}
        self._packages: set[str] = set()
        self._retention: Optional[Retention] = None
        self._left_out: dict[str, str] = {}
        self.function_app = GraphFunctions(auth_level, self)
        self._max_body_bytes = max_body_bytes
        self._progress = progress
        self._add_orchestrator()
        self._add_activity()
        if progress:
            self._add_progress_entity()
        for route in ROUTES:
            self._add_route(route)

    def register_registration(self, registration: GraphRegistration) -> None:
        """Add a graph. Of several versions of one graph, new runs use the one that was registered last."""
        self.registry.add(registration)

    def register_package(self, package: ModuleType) -> None:
        """Add every GraphRegistration found in the modules of `package`. New runs use the newest version of a graph.

        `warnings` lists modules without one, and sub-packages that are not registered themselves.
        """
        found = search(package)
        for registration in found.graphs:
            self.registry.add(registration)
        self._packages.add(package.__name__)
        self._left_out |= found.warnings

    def register_lock(self, path: Path) -> None:
        """Take over runs of earlier hashes, as graphs.lock.json allows; call it after the graphs are registered.

        A lock that is missing, out of date or unreadable allows nothing, and the log says so: an app that does not load
        would be worse than runs that park.
        """
        try:
            self._take_over(path)
        except Exception as error:
            logger.error("runs of earlier graph hashes are not taken over: %s", error)

    def _take_over(self, path: Path) -> None:
        from ..change.lock import Lock  # not every app has one

        lock = Lock.read(path, path.name)
        if lock is None:
            logger.warning("%s does not exist: runs of earlier graph hashes are not taken over", path.name)
            return
        for name, graph in lock.graphs.items():
            for locked in graph.versions.values():
                done = [self.registry.take_over(name, old, locked.graph_hash) for old in locked.serves]
                if not all(done):
                    logger.warning("%s is out of date for graph %r: run `nox -s lock`", path.name, name)

    @property
    def warnings(self) -> list[str]:
        """A sentence for each module of a registered package in which no graph was found."""
        return [text for name, text in self._left_out.items() if name not in self._packages]

    def check(self) -> None:
        """Raise RegistrationError with every fault between the graphs and their schedules, once all are registered."""
        from ..declare.graph_set import set_faults  # apps are checked once: not needed at import

        faults = set_faults(self.registry.all(), self.registry.by_name)
        faults += [fault for schedule in self._schedules.values() for fault in schedule.faults(self.registry)]
        if faults:
            lines = [f"  {number}. {fault}" for number, fault in enumerate(faults, start=1)]
            raise RegistrationError("\n".join([f"{counted(len(faults), 'fault')} between the app's graphs:", *lines]))

    def schedule(
        self,
        graph_name: str,
        cron: str,
        *,
        input: Optional[dict[str, Any]] = None,  # noqa: A002 - the word that users look for
        name: Optional[str] = None,
    ) -> None:
        """Start a run of a graph at every tick of `cron` (NCRONTAB, six fields, UTC unless the app says otherwise).

        The run's id consists of the schedule's name and the tick, so that a tick that fires twice starts one run.
        `name` tells several schedules of one graph apart. `cron` may be an app setting, `"%NIGHTLY%"`.

        Raises RegistrationError for an invalid name or cron expression, and for a name that is already used. Whether
        the graph exists and accepts the input is checked once all graphs are registered.
        """
        from .schedules import Schedule, start_on_schedule

        schedule = Schedule(name or graph_name, graph_name, cron, {} if input is None else input)
        if schedule.function.lower() in self._schedules:
            raise RegistrationError(f"{schedule} is declared twice: give each schedule a name=… of its own")
        self._schedules[schedule.function.lower()] = schedule
        registry = self.registry

        @self.function_app.function_name(schedule.function)
        @self.function_app.timer_trigger(schedule=cron, arg_name="timer", run_on_startup=False)
        @self.function_app.durable_client_input(client_name="client")
        async def tick(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
            await start_on_schedule(schedule, registry, client, timer)

    def retention(self, *, days: float, cron: str = "0 0 * * * *") -> None:
        """Delete finished runs, with their histories, once they have been over for so many days.

        `cron` (NCRONTAB, or an app setting) is when the timer looks; each time it deletes at most 1,000 runs. Other
        orchestrations of the task hub are left alone. Raises RegistrationError for values that make no sense, and when
        it is called twice.
        """
        from .retention import declared, purge_old_runs

        if self._retention is not None:
            raise RegistrationError("retention is declared twice: keep one of the two")
        self._retention = retention = declared(days, cron)
        progress = self._progress

        @self.function_app.function_name("durable_graph_retention")
        @self.function_app.timer_trigger(schedule=cron, arg_name="timer", run_on_startup=False)
        @self.function_app.durable_client_input(client_name="client")
        async def tick(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
            await purge_old_runs(retention, client, progress=progress)

    def _add_orchestrator(self) -> None:
        @self.function_app.function_name(ORCHESTRATOR)
        @self.function_app.orchestration_trigger(context_name="context")
        def durable_graph_run(context: df.DurableOrchestrationContext) -> Generator[Any, Any, Any]:
            from ..run.orchestrator import orchestrate
            from .sdk import SparingContext, speed_up_replays

            speed_up_replays()
            return (yield from orchestrate(cast(Any, SparingContext(context)), cast(Any, context.get_input())))

    def _add_activity(self) -> None:
        registry, app = self.registry, self.function_app

        async def durable_graph_node(call: dict, context: func.Context) -> dict:  # type: ignore[type-arg]
            from .nodes import run

            return await run(registry, call, context)

        async def reporting_node(  # with a client, through which the nodes report their progress
            call: dict,  # type: ignore[type-arg]
            context: func.Context,
            client: df.DurableOrchestrationClient,
        ) -> dict:  # type: ignore[type-arg]
            from .nodes import run

            return await run(registry, call, context, client)

        activity = app.activity_trigger(input_name="call")
        if self._progress:
            app.function_name(ACTIVITY)(activity(app.durable_client_input(client_name="client")(reporting_node)))
        else:
            app.function_name(ACTIVITY)(activity(durable_graph_node))

    def _add_progress_entity(self) -> None:
        @self.function_app.function_name(PROGRESS)
        @self.function_app.entity_trigger(context_name="context", entity_name=PROGRESS)
        def durable_graph_progress(context: df.DurableEntityContext) -> None:
            from .progress import handle

            handle(context)

    def _add_route(self, route: Route) -> None:
        level = func.AuthLevel.ANONYMOUS if route.anonymous else None
        registry, limit, progress = self.registry, self._max_body_bytes, self._progress

        @self.function_app.function_name(f"durable_graph_{route.name}")
        @self.function_app.route(route=route.path, methods=[route.method], auth_level=level)
        @self.function_app.durable_client_input(client_name="client")
        async def handle(req: func.HttpRequest, client: df.DurableOrchestrationClient) -> func.HttpResponse:
            from .serving import serve

            return await serve(route, registry, limit, req, client, progress=progress)
