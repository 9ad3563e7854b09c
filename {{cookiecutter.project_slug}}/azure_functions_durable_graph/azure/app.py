"""DurableGraphApp: the graphs of one Azure Functions app, bound to the Python v2 model.

It only registers functions. What a function does is imported when it is first called, because the app's import is part
of every cold start.

No `from __future__ import annotations` here: the worker reads the annotations of trigger functions, and rejects those
that are not plain classes.
"""

import logging
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Optional, Union

import azure.functions as func

from ..errors import RegistrationError
from ..graph.registration import GraphRegistration
from ..graph.sizes import MOST_BYTES, check_limit
from ..graph.wording import counted
from ..work.packages import search
from ..work.registry import Registry
from .durable import df
from .graph_functions import GraphFunctions
from .own_functions import OwnFunctions

if TYPE_CHECKING:
    from ..calls.graph_calls import GraphCalls
    from .message_triggers import MessageTrigger, Prepare
    from .retention import Retention
    from .schedules import Schedule

MAX_BODY_BYTES = 1_000_000

logger = logging.getLogger(__name__)


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
        max_payload_bytes: int = MOST_BYTES,
        studio: bool = True,
        progress: bool = False,
    ) -> None:
        """`auth_level` protects every route but `health` and the studio's files; FUNCTION requires a key in Azure.

        `studio` serves the page `studio`. Its files need no key; the page calls the API with the key that its user
        enters. `max_body_bytes` limits requests, `max_payload_bytes` what a run sends at once: its state, a result, an
        answer. With `progress`, runs show what their nodes report with `context.progress`, which costs messages in the
        task hub; without it, no function is registered for reports.
        """
        self.registry = Registry(check_limit(max_payload_bytes))
        self._starters: dict[str, Union[Schedule, MessageTrigger]] = {}
        self._packages: set[str] = set()
        self._retention: Optional[Retention] = None
        self._left_out: dict[str, str] = {}
        self.function_app = GraphFunctions(auth_level, self)
        self._max_body_bytes = max_body_bytes
        self._progress = progress
        own = OwnFunctions(self.registry, max_body_bytes, studio=studio, progress=progress)
        own.add_to(self.function_app)

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
        """Let graphs take over runs of their earlier hashes, where graphs.lock.json allows it.

        Call it after the graphs are registered. A lock that is missing, out of date or unreadable allows nothing, and
        the log says so: an app that does not load would be worse than runs that are parked.
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
        faults += [fault for starter in self._starters.values() for fault in starter.faults(self.registry)]
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
        self._add_starter(schedule, "schedule")
        registry = self.registry

        @self.function_app.function_name(schedule.function)
        @self.function_app.timer_trigger(schedule=cron, arg_name="timer", run_on_startup=False)
        @self.function_app.durable_client_input(client_name="client")
        async def tick(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
            await start_on_schedule(schedule, registry, client, timer)

    def start_on_queue(
        self,
        queue: str,
        *,
        graph: str,
        input: Optional["Prepare"] = None,  # noqa: A002 - as in `schedule`
        connection: str = "AzureWebJobsStorage",
        name: Optional[str] = None,
    ) -> None:
        """Start a run of a graph for each message of a storage queue. The message is the run's input, as JSON.

            runtime.start_on_queue("orders", graph="order_flow")

        `input` makes the input from the message's JSON, if it is not the input itself. `connection` is the app setting
        with the storage account; `name` the function's name, by default that of the queue.

        A message that is delivered again finds the run that it started. A message that cannot start a run fails with a
        MessageError that says why, and ends up in the queue's poison queue. Raises RegistrationError for an invalid
        argument, and for a name that is already used.
        """
        from .triggers import add_queue

        trigger = self._message_trigger("queue", queue, graph, name, input)
        add_queue(self.function_app, trigger, connection, self.client)

    def start_on_service_bus(
        self,
        queue: str,
        *,
        graph: str,
        connection: str,
        input: Optional["Prepare"] = None,  # noqa: A002 - as in `schedule`
        name: Optional[str] = None,
    ) -> None:
        """Start a run of a graph for each message of a Service Bus queue, as `start_on_queue` does.

        The message's id decides which messages are the same, as in duplicate detection; without one, its sequence
        number does. A message that cannot start a run ends up in the dead-letter queue.
        """
        from .triggers import add_service_bus

        trigger = self._message_trigger("Service Bus queue", queue, graph, name, input)
        add_service_bus(self.function_app, trigger, connection, self.client)

    def start_on_event_grid(
        self,
        name: str,
        *,
        graph: str,
        input: Optional["Prepare"] = None,  # noqa: A002 - as in `schedule`
    ) -> None:
        """Start a run of a graph for each event that Event Grid sends to the function `name`, as `start_on_queue` does.

        The event's data is the run's input; `input` makes the input from the data. Which events arrive is decided by
        the subscription.
        """
        from .triggers import add_event_grid

        add_event_grid(self.function_app, self._message_trigger("Event Grid", name, graph, name, input), self.client)

    def _message_trigger(
        self, kind: str, source: str, graph: str, name: Optional[str], prepare: Optional["Prepare"]
    ) -> "MessageTrigger":
        from .message_triggers import MessageTrigger

        trigger = MessageTrigger(kind, source, graph, name, prepare)
        self._add_starter(trigger, "trigger")
        return trigger

    def _add_starter(self, starter: Union["Schedule", "MessageTrigger"], what: str) -> None:
        if starter.function.lower() in self._starters:
            raise RegistrationError(f"{starter} is declared twice: give each {what} a name=… of its own")
        self._starters[starter.function.lower()] = starter

    def retention(self, *, days: float, cron: str = "0 0 * * * *") -> None:
        """Delete finished runs, with their histories, once they have been over for this many days.

        `cron` (NCRONTAB, or an app setting) says when the timer looks for them; each time it deletes at most 1,000
        runs. Other orchestrations of the task hub are left alone. Raises RegistrationError for invalid values, and if
        it is called twice.
        """
        from .retention import declared, purge_old_runs

        if self._retention is not None:
            raise RegistrationError("retention is declared twice: keep one of the two")
        self._retention = retention = declared(days, cron)

        @self.function_app.function_name("durable_graph_retention")
        @self.function_app.timer_trigger(schedule=cron, arg_name="timer", run_on_startup=False)
        @self.function_app.durable_client_input(client_name="client")
        async def tick(timer: func.TimerRequest, client: df.DurableOrchestrationClient) -> None:
            await purge_old_runs(retention, client)

    def client(self, durable_client: df.DurableOrchestrationClient) -> "GraphCalls":
        """The API for the app's own functions: start, read, answer and steer runs, by the rules of the HTTP routes.

        `durable_client` is what `durable_client_input` provides, for example in a function with a queue trigger:

            @app.queue_trigger(arg_name="message", queue_name="orders", connection="AzureWebJobsStorage")
            @app.durable_client_input(client_name="durable")
            async def take_order(message: func.QueueMessage, durable: df.DurableOrchestrationClient) -> None:
                order = OrderState.model_validate_json(message.get_body())
                await runtime.client(durable).start("order_flow", order, key=message.id)
        """
        from ..calls.graph_calls import GraphCalls
        from .app_door import AppDoor

        return GraphCalls(AppDoor(self.registry, durable_client, self._max_body_bytes, progress=self._progress))
