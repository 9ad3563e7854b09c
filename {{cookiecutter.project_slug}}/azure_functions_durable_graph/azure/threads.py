"""The threads in which the app's sync code runs: as many as PYTHON_THREADPOOL_THREAD_COUNT says.

The worker of Python 3.13 and newer lends its own pool, and a local host passes its own; otherwise the process has one
here. A thread cannot be stopped: after a timeout it keeps running, and the pool gets another in its place.
"""

import asyncio
import contextvars
import logging
import os
import sys
import threading
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any, cast

from ..run.messages import NodeCall
from ..work.node_facts import as_text, facts_of
from ..work.registry import Registry
from .crossing import crossing_to

MOST_ADDED = 32
"""Threads that a pool gets beyond its size, to replace those that do not end."""

SETTING = "PYTHON_THREADPOOL_THREAD_COUNT"

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Outcome:
    """The outcome of user code: a value or, if `error` is set, whatever it raised.

    A future cannot carry every exception (StopIteration), and a loop does not survive every one (SystemExit).
    """

    value: Any = None
    error: BaseException | None = None

    def result(self) -> Any:
        """The value; raises the error."""
        if self.error is not None:
            raise self.error
        return self.value


@dataclass(eq=False)
class _Call:
    """One call in a thread. `label` describes it in logs."""

    label: str
    began: datetime = field(default_factory=lambda: datetime.now(timezone.utc))
    given_up: bool = False
    ended: bool = False

    def __str__(self) -> str:
        return f"{self.label} (since {self.began:%H:%M:%S} UTC)"


class Threads:
    """A pool of threads that calls which never end cannot exhaust."""

    def __init__(self, executor: ThreadPoolExecutor | None = None, count: int | None = None) -> None:
        """Use the threads of `executor`, or `count` of its own, None for Python's default number."""
        self.executor = executor or ThreadPoolExecutor(count, thread_name_prefix="function")
        self._lock = threading.Lock()
        self._lost: list[_Call] = []
        self._added = 0

    async def attempt(self, context: Any, label: str, code: Callable[..., Any], *arguments: Any) -> Outcome:
        """Run code in a thread, for the invocation of `context`. When cancelled, it leaves the thread running."""
        call, loop = _Call(label), asyncio.get_running_loop()
        ended: asyncio.Future[Outcome] = loop.create_future()
        back, run = crossing_to(loop), contextvars.copy_context().run
        work = self.executor.submit(lambda: back.settle(ended, run(self._run, call, context, code, arguments)))
        try:
            return await ended
        except asyncio.CancelledError:
            if not work.cancel():
                self._abandon(call)
            raise

    @property
    def still_running(self) -> tuple[str, ...]:
        """The calls that were abandoned and have not ended."""
        with self._lock:
            return tuple(map(str, self._lost))

    def close(self) -> None:
        """Start nothing more; running calls are not waited for."""
        self.executor.shutdown(wait=False)

    def _run(self, call: _Call, context: Any, code: Callable[..., Any], arguments: tuple[Any, ...]) -> Outcome:
        call.began = datetime.now(timezone.utc)
        storage = _claim_logs(context)
        try:
            return Outcome(code(*arguments))
        except BaseException as error:  # the boundary: an outcome is a value before it crosses anything
            return Outcome(error=error)
        finally:
            if storage is not None:
                storage.invocation_id = None  # the thread serves another invocation next
            self._end(call)

    def _abandon(self, call: _Call) -> None:
        with self._lock:
            if call.ended:
                return
            call.given_up = True
            self._lost.append(call)
            replaced = len(self._lost) <= MOST_ADDED
            if replaced and len(self._lost) > self._added:
                self._added += 1
                _add_thread(self.executor)
        logger.log(
            logging.WARNING if replaced else logging.ERROR,
            "%s timed out or was cancelled, but keeps its thread, which cannot be stopped; %s. Still running: %s",
            call.label,
            "another thread takes its place"
            if replaced
            else f"{MOST_ADDED} were replaced already: calls may have to wait",
            ", ".join(self.still_running),
        )

    def _end(self, call: _Call) -> None:
        with self._lock:
            call.ended = True
            if not call.given_up:
                return
            self._lost.remove(call)
        logger.info("%s, which timed out or was cancelled, has ended; its result is ignored", call)


def _add_thread(executor: ThreadPoolExecutor) -> None:
    """Give the pool one more thread. There is no public way. The thread stays, to replace the next abandoned one."""
    if hasattr(executor, "_max_workers"):
        executor._max_workers += 1
    try:
        executor.submit(bool)  # starts the thread, which then takes queued calls
    except RuntimeError:  # the pool has been shut down
        return


def _claim_logs(context: Any) -> Any:
    """Attribute what this thread logs to the invocation. Returns the storage to clear, if there is one.

    Source: `run_sync_func` of azure_functions_runtime/utils/executor.py, `_run_sync_func` of the worker 4.x.
    """
    variable = getattr(sys.modules.get("azure_functions_runtime"), "invocation_id_cv", None)
    if variable is not None:
        variable.set(context.invocation_id)
    storage = getattr(context, "thread_local_storage", None)
    if storage is not None:
        storage.invocation_id = context.invocation_id
    return storage


def thread_count(environment: Mapping[str, str]) -> int | None:
    """The setting's value; None, as in the worker, if it is missing or not a positive number."""
    text = environment.get(SETTING)
    if text is None:
        return None
    if text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0:
        return int(text)
    logger.warning("%s is %r, which is not a positive number, so it is ignored", SETTING, text)
    return None


_PROCESS: dict[ThreadPoolExecutor | None, Threads] = {}
"""The pool of this process, by the executor that the worker lends. A worker that starts another gets another."""


def _threads_for(context: Any) -> Threads:
    """The local host's threads, which come with the context, or those of the process."""
    lent = getattr(context, "threads", None)
    if isinstance(lent, Threads):
        return lent
    offer = getattr(sys.modules.get("azure_functions_runtime"), "get_threadpool_executor", None)
    executor = offer() if offer is not None else None
    if executor not in _PROCESS:
        _PROCESS.clear()
        _PROCESS[executor] = Threads(executor, thread_count(os.environ))
    return _PROCESS[executor]


def label_of(call: Any, registry: Registry) -> str:
    """How logs describe the activity's input: by its node, and where in which run that is."""
    call = call if isinstance(call, dict) else {}
    graph = registry.find(str(call.get("graph")), str(call.get("hash")))
    return f"node {call.get('node')!r} ({as_text(facts_of(cast(NodeCall, call), graph))})"


async def in_thread(context: Any, label: str, code: Callable[..., Any], *arguments: Any) -> Any:
    """Run code in a thread whose log records are attributed to the invocation of `context`; raises what it raises."""
    return (await _threads_for(context).attempt(context, label, code, *arguments)).result()
