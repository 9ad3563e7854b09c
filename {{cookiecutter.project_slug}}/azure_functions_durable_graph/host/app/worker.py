"""Calls functions as the Python worker does: by keyword, through the SDK's own converters.

An `async def` runs on one event loop for the life of the process, everything else in a thread. The SDK keeps one HTTP
session per process, bound to the first loop that uses it, so that loop is shared by every host in the process.
"""

from __future__ import annotations

import asyncio
import functools
import json
import logging
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from azure.functions import meta

from ...azure.crossing import on_loop
from ...azure.faster_replays import speed_up_replays
from ...azure.own_functions import is_own_orchestrator
from ...azure.threads import Outcome as Ending
from ...azure.threads import Threads
from ...errors import HostError
from ..engine.actions import Outcome, outcome_of_state
from ..engine.messages import EpisodeContext
from .conversion import check_output, converter, decode, text_datum
from .deliveries import BY_HAND, Delivery, delivery
from .failures import ActivityFailed, FunctionFailed, FunctionTimeout, outcome_of_failure
from .invocation import InvocationContext, Output, TraceContext, trace_of
from .loader import Function, LoadedApp
from .loops import LoopThread
from .sessions import Sessions

T = TypeVar("T")

logger = logging.getLogger("azure_functions_durable_graph.host")


USER_LOOP = LoopThread("functions-worker")
"""Where all async user code of the process runs."""


class Worker:
    """The functions of one app, by the trigger that calls them."""

    def __init__(
        self,
        app: LoadedApp,
        directory: str = ".",
        *,
        timeout: float | None = None,
        threads: int | None = None,
        kept_runs: int = 0,
    ) -> None:
        """`timeout` is host.json's functionTimeout in seconds, `threads` the size of the pool for sync functions.

        So many runs of graphs are kept where they wait; all others, and so all in tests, are replayed at every step.
        Whoever serves the management API sets `client_binding`, the binding JSON of durable clients in activities; a
        test's host sets `reporter_for`, which takes the progress of nodes.
        """
        speed_up_replays()
        self._directory = directory
        self._timeout = timeout
        self._threads = Threads(count=threads)
        self.client_binding = ""
        self.reporter_for: Any = None
        self._reported: set[tuple[str, str]] = set()
        self._entities = _by_durable_name(app, "entityTrigger")
        self._orchestrators = _by_durable_name(app, "orchestrationTrigger")
        self._sessions = Sessions(kept_runs)
        self._ours = {name for name, function in self._orchestrators.items() if is_own_orchestrator(function.code)}
        self._activities = _by_durable_name(app, "activityTrigger")
        self._http = {function.name: function for function in app.of_kind("httpTrigger")}
        self._by_hand = {function.name.lower(): function for function in app.of_kind(*BY_HAND)}

    def close(self) -> None:
        """Let idle threads end."""
        self._threads.close()

    def has_orchestrator(self, name: str) -> bool:
        """Whether an orchestrator has this name; case does not matter."""
        return name.lower() in self._orchestrators

    def is_ours(self, name: str) -> bool:
        """Whether it is the graphs' own orchestrator, which runs no user code and needs no thread."""
        return name.lower() in self._ours

    async def orchestrate(self, name: str, context: str) -> Outcome:
        """One episode: call the SDK's wrapper with the context JSON. Our own orchestrator is called here and now."""
        function = self._orchestrators.get(name.lower())
        if function is None:
            return Outcome(error=_missing_function(name, "an orchestrator"))
        try:
            if self.is_ours(name) and isinstance(context, EpisodeContext):
                return outcome_of_state(self._call_ours(function, context))
            return outcome_of_state(await self._invoke(function, {"context": _context(context)}))
        except Exception as error:  # the wrapper raises to report that user code raised
            return outcome_of_failure(error)

    def _call_ours(self, function: Function, context: EpisodeContext) -> str:
        """Call our own orchestrator. The SDK may call a class of the app for what a run carries: it raises anything."""
        try:
            return self._sessions.call(function.code, context)
        except BaseException as error:
            raise FunctionFailed(error) from error

    async def run_activity(self, name: str, input_: str) -> str:
        """Call an activity with JSON text; returns JSON text. Raises ActivityFailed."""
        function = self._activities.get(name.lower())
        if function is None:
            raise HostError(_missing_function(name, "an activity"))
        try:
            arguments = {str(function.trigger["name"]): decode("activityTrigger", text_datum(input_))}
            if function.client_parameter is not None:
                arguments[function.client_parameter] = self.client_binding
            value = await self._invoke(function, arguments)
            return str(converter("activityTrigger").encode(value, expected_type=None).value)
        except Exception as error:
            raise ActivityFailed(name, error) from error

    async def run_entity(self, name: str, context: str) -> tuple[bool, str | None, tuple[tuple[bool, str], ...]]:
        """Call an entity with a batch; returns `exists`, its state, and `(failed, result)` for each operation.

        Raises HostError if the batch as a whole could not be run: then none of its operations has taken effect.
        """
        function = self._entities.get(name.lower())
        if function is None:
            raise HostError(_missing_function(name, "an entity"))
        try:
            answer = json.loads(await self._invoke(function, {"context": decode("entityTrigger", text_datum(context))}))
            results = tuple((bool(result["isError"]), str(result["result"])) for result in answer["results"])
            if len(results) != len(json.loads(context)["batch"]):
                raise ValueError(f"it returned {len(results)} results for its batch")
            return bool(answer["entityExists"]), answer["entityState"], results
        except Exception as failure:  # the SDK's wrapper catches what an operation raises; this is everything else
            raise HostError(f"Entity function '{name}' failed: {failure}") from failure

    def has_entity(self, name: str) -> bool:
        """Whether an entity has this name; case does not matter."""
        return name.lower() in self._entities

    async def serve(self, name: str, request: meta.Datum, client: str) -> meta.Datum:
        """Call an HTTP function with a request datum; `client` is the durable client's binding JSON."""
        function = self._http[name]
        headers = {key: value.value for key, value in request.value["headers"].items()}
        value = await self._trigger(function, request, client, trace_of(headers))
        answer: meta.Datum = converter("http").encode(value, expected_type=None)
        return answer

    async def tick(self, name: str, client: str) -> None:
        """Call a timer function; `client` is the durable client's binding JSON."""
        await self.fire(self._by_hand[name.lower()], delivery("timerTrigger", None), client)

    @property
    def by_hand(self) -> Mapping[str, Function]:
        """The functions whose triggers can be fired by hand, by their names in lower case."""
        return self._by_hand

    async def fire(self, function: Function, delivered: Delivery, client: str) -> None:
        """Call a function as its trigger does. Raises FunctionFailed or FunctionTimeout."""
        await self._trigger(function, delivered.datum, client, trace_of({}), delivered.metadata)

    async def _trigger(
        self,
        function: Function,
        given: meta.Datum,
        client: str,
        trace: TraceContext,
        metadata: Mapping[str, meta.Datum] | None = None,
    ) -> Any:
        parameter = str(function.trigger["name"])
        arguments = {parameter: decode(function.declared.converter_type(parameter), given, metadata)}
        if function.client_parameter is not None:
            arguments[function.client_parameter] = client
        return await self._invoke(function, arguments, trace)

    async def _invoke(self, function: Function, arguments: dict[str, Any], trace: TraceContext | None = None) -> Any:
        """Call it as the worker does. Raises FunctionFailed for whatever it raises, and FunctionTimeout."""
        context = InvocationContext(
            function.name, self._directory, self._threads, trace or TraceContext(), self.reporter_for
        )
        outputs = {name: Output() for name in function.outputs}
        given = {**arguments, **outputs, **({"context": context} if function.takes_context else {})}
        work: asyncio.Future[Ending]
        if function.is_async:
            work = asyncio.ensure_future(on_loop(USER_LOOP.loop, _await(function.code, given)))
        else:
            call = functools.partial(function.code, **given)
            work = asyncio.ensure_future(self._threads.attempt(context, f"function {function.name!r}", call))
        ending = await self._in_time(function.name, work)
        if ending.error is not None:
            raise FunctionFailed(ending.error)
        if ending.value is not None and function.declared.result is None:
            raise FunctionFailed(RuntimeError(f"the function {function.name!r} returns a value, but has no $return"))
        self._take(function, outputs)
        return ending.value

    def _take(self, function: Function, outputs: Mapping[str, Output]) -> None:
        """Convert the values of output bindings, as in Azure, and drop them; log that once."""
        for name, output in outputs.items():
            if output.get() is None:
                continue
            check_output(function.outputs[name], output.get())
            if (function.name, name) not in self._reported:
                self._reported.add((function.name, name))
                logger.warning(
                    "%s: the output binding %r (%s) is not served, so its values are dropped; use `func start` for it",
                    function.name,
                    name,
                    function.declared.bindings[name].type,
                )

    async def _in_time(self, name: str, work: asyncio.Future[Ending]) -> Ending:
        """Await it as long as functionTimeout allows; after that, a thread keeps running, and its result is ignored."""
        if self._timeout is None:
            return await work
        late: list[bool] = []
        handle = asyncio.get_running_loop().call_later(self._timeout, lambda: late.append(work.cancel()))
        try:
            return await work
        except asyncio.CancelledError:
            if late:
                raise FunctionTimeout(name, self._timeout) from None
            raise
        finally:
            handle.cancel()


def _context(text: str) -> Any:
    return decode("orchestrationTrigger", text_datum(text))


async def _await(code: Callable[..., Any], given: Mapping[str, Any]) -> Ending:
    """The boundary for async user code: no exception reaches the loop, not even CancelledError or SystemExit."""
    try:
        return Ending(await code(**given))
    except BaseException as error:
        return Ending(error=error)


def _by_durable_name(app: LoadedApp, kind: str) -> dict[str, Function]:
    return {function.durable_name.lower(): function for function in app.of_kind(kind)}


def _missing_function(name: str, what: str) -> str:
    return f"The function '{name}' doesn't exist, is disabled, or is not {what} function."
