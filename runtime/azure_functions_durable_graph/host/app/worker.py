"""Call functions as the Python worker does: by keyword, through the SDK's own converters.

An `async def` runs on one event loop for the life of the process, everything else in a thread. The SDK keeps one HTTP
session per process, bound to the first loop that uses it, so that loop is shared by every host in the process.
"""

from __future__ import annotations

import asyncio
import contextvars
import functools
import json
import threading
import uuid
from collections.abc import Callable, Coroutine, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import timedelta
from typing import Any, TypeVar

import azure.functions as func
from azure.functions import meta

from ...azure import sdk
from ...errors import HostError
from ..engine.actions import Outcome, outcome_of_error, outcome_of_state
from .loader import Function, LoadedApp

T = TypeVar("T")


class ActivityFailed(Exception):  # noqa: N818 - an outcome that the host records in a history
    """An activity raised. Its text is what the extension would record."""

    def __init__(self, name: str, error: BaseException) -> None:
        self.summary = f"{type(error).__name__}: {error}"
        super().__init__(f"Activity function '{name}' failed:  {self.summary}")


class FunctionTimeout(Exception):  # noqa: N818 - the name that a history shows
    """A function took longer than host.json's functionTimeout allows."""

    def __init__(self, name: str, seconds: float) -> None:
        super().__init__(f"Timeout value of {timedelta(seconds=seconds)} was exceeded by function: Functions.{name}")


class LoopThread:
    """An event loop in a daemon thread, started on first use and kept for the life of the process."""

    def __init__(self, name: str) -> None:
        self._name = name
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    def submit(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Start `work` on the loop."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=self._loop.run_forever, name=self._name, daemon=True).start()
            return asyncio.run_coroutine_threadsafe(work, self._loop)


USER_LOOP = LoopThread("functions-worker")
"""Where all async user code of the process runs."""


class InvocationContext(func.Context):
    """The value of a parameter named `context`."""

    def __init__(self, function_name: str, directory: str) -> None:
        self._name, self._directory = function_name, directory
        self._id = str(uuid.uuid4())
        self._storage = threading.local()

    @property
    def invocation_id(self) -> str:
        return self._id

    @property
    def function_name(self) -> str:
        return self._name

    @property
    def function_directory(self) -> str:
        return self._directory

    @property
    def thread_local_storage(self) -> Any:
        return self._storage

    @property
    def trace_context(self) -> Any:
        return None

    @property
    def retry_context(self) -> Any:
        return None


class Worker:
    """The functions of one app, by the trigger that calls them."""

    def __init__(
        self, app: LoadedApp, directory: str = ".", *, timeout: float | None = None, threads: int | None = None
    ) -> None:
        """`timeout` is host.json's functionTimeout in seconds, `threads` the size of the pool for sync functions."""
        sdk.remember_times()
        self._directory = directory
        self._timeout = timeout
        self._pool = ThreadPoolExecutor(max_workers=threads, thread_name_prefix="function")
        self._entities = _by_durable_name(app, "entityTrigger")
        self._orchestrators = _by_durable_name(app, "orchestrationTrigger")
        self._activities = _by_durable_name(app, "activityTrigger")
        self._http = {function.name: function for function in app.of_kind("httpTrigger")}
        self._timers = {function.name: function for function in app.of_kind("timerTrigger")}

    def has_orchestrator(self, name: str) -> bool:
        """Whether an orchestrator has this name; case does not matter."""
        return name.lower() in self._orchestrators

    async def orchestrate(self, name: str, context: str) -> Outcome:
        """One episode: call the SDK's wrapper with the context JSON."""
        function = self._orchestrators.get(name.lower())
        if function is None:
            return Outcome(error=_absent(name, "an orchestrator"))
        try:
            state = await self._invoke(function, {"context": _decode("orchestrationTrigger", context)})
        except Exception as error:  # the wrapper raises to report that user code raised
            return outcome_of_error(error)
        return outcome_of_state(state)

    async def run_activity(self, name: str, input_: str) -> str:
        """Call an activity with JSON text; returns JSON text. Raises ActivityFailed."""
        function = self._activities.get(name.lower())
        if function is None:
            raise HostError(_absent(name, "an activity"))
        try:
            value = await self._invoke(function, {str(function.trigger["name"]): _decode("activityTrigger", input_)})
            return str(_converter("activityTrigger").encode(value, expected_type=None).value)
        except Exception as error:
            raise ActivityFailed(name, error) from error

    async def run_entity(self, name: str, context: str) -> tuple[bool, str | None, tuple[tuple[bool, str], ...]]:
        """Call an entity with a batch; returns `exists`, its state, and `(failed, result)` for each operation.

        Raises HostError if the batch as a whole could not be run: then none of its operations has taken effect.
        """
        function = self._entities.get(name.lower())
        if function is None:
            raise HostError(_absent(name, "an entity"))
        try:
            answer = json.loads(await self._invoke(function, {"context": _decode("entityTrigger", context)}))
        except Exception as error:  # the SDK's wrapper catches what an operation raises; this covers everything else
            raise HostError(f"Entity function '{name}' failed: {type(error).__name__}: {error}") from error
        results = tuple((bool(result["isError"]), str(result["result"])) for result in answer["results"])
        return bool(answer["entityExists"]), answer["entityState"], results

    def has_entity(self, name: str) -> bool:
        """Whether an entity has this name; case does not matter."""
        return name.lower() in self._entities

    async def serve(self, name: str, request: meta.Datum, client: str) -> meta.Datum:
        """Call an HTTP function with a request datum; `client` is the durable client's binding JSON."""
        function = self._http[name]
        arguments = {str(function.trigger["name"]): _converter("httpTrigger").decode(request, trigger_metadata=None)}
        if function.client_parameter is not None:
            arguments[function.client_parameter] = client
        answer: meta.Datum = _converter("http").encode(await self._invoke(function, arguments), expected_type=None)
        return answer

    async def tick(self, name: str, client: str) -> None:
        """Call a timer function; `client` is the durable client's binding JSON."""
        function = self._timers[name]
        timer = meta.Datum('{"IsPastDue": false}', "json")
        arguments = {str(function.trigger["name"]): _converter("timerTrigger").decode(timer, trigger_metadata=None)}
        if function.client_parameter is not None:
            arguments[function.client_parameter] = client
        await self._invoke(function, arguments)

    async def _invoke(self, function: Function, arguments: dict[str, Any]) -> Any:
        code: Callable[..., Any] = function.code
        if function.takes_context:
            arguments = {**arguments, "context": InvocationContext(function.name, self._directory)}
        if function.is_async:
            work = asyncio.wrap_future(USER_LOOP.submit(code(**arguments)))
        else:
            variables = contextvars.copy_context()
            work = asyncio.get_running_loop().run_in_executor(
                self._pool, functools.partial(variables.run, code, **arguments)
            )
        return await self._in_time(function.name, work)

    async def _in_time(self, name: str, work: asyncio.Future[Any]) -> Any:
        """Await it as long as functionTimeout allows; a late thread keeps running; its result is ignored."""
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


def http_datum(
    method: str, url: str, headers: Mapping[str, str], query: Mapping[str, str], params: Mapping[str, str], body: bytes
) -> meta.Datum:
    """A request as the worker gets it: every leaf a datum of its own."""

    def text(values: Mapping[str, str]) -> dict[str, meta.Datum]:
        return {name: meta.Datum(value, "string") for name, value in values.items()}

    return meta.Datum(
        {
            "method": meta.Datum(method, "string"),
            "url": meta.Datum(url, "string"),
            "headers": text(headers),
            "query": text(query),
            "params": text(params),
            "body": meta.Datum(body, "bytes"),
        },
        "http",
    )


def _by_durable_name(app: LoadedApp, kind: str) -> dict[str, Function]:
    return {function.durable_name.lower(): function for function in app.of_kind(kind)}


def _converter(kind: str) -> Any:
    return meta.get_binding_registry().get(kind)  # type: ignore[no-untyped-call]


def _decode(kind: str, text: str) -> Any:
    return _converter(kind).decode(meta.Datum(text, "string"), trigger_metadata=None)


def _absent(name: str, what: str) -> str:
    return f"The function '{name}' doesn't exist, is disabled, or is not {what} function."
