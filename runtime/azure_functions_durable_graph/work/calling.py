"""How handlers are called: sync or async, with a NodeContext or without, within the node's timeout."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any, cast

from ..graph.context import NodeContext, idempotency_key
from ..graph.registration import GraphRegistration
from ..graph.signatures import awaits, context_parameter
from ..run.messages import NodeCall
from .boundary import Failure, NodeFailed, Outcome, capture, capture_async, failure
from .progress import Reporter

if TYPE_CHECKING:
    from ..graph.context import NodeError

InThread = Callable[..., Awaitable[Any]]
"""Runs `code(*arguments)` in a thread: `asyncio.to_thread`, or the host's own. Cancelled, it abandons the thread."""


class NodeTimeout(TimeoutError):  # noqa: N818 - users name it in retry_on and on_error
    """A node took longer than its `timeout`."""


class Caller:
    """Calls the handlers of one node for one call of the activity.

    The timeout starts when the first of them starts: the time spent waiting for a free thread does not count.
    """

    def __init__(self, graph: GraphRegistration, call: NodeCall, in_thread: InThread, reporter: Reporter) -> None:
        self._graph = graph
        self._call = call
        self._reporter = reporter
        self._in_thread = in_thread
        self._timeout = graph.manifest.nodes[call["node"]].timeout
        self._deadline: float | None = None
        self._ended = 0.0

    async def __call__(self, where: str, code: Callable[..., Any], *arguments: Any) -> Any:
        """Call user code: `async def` on this loop, anything else in a thread, so that it cannot block the loop.

        Raises NodeFailed, and nothing else, for whatever the code raises.
        """
        named: dict[str, Any] = {}
        wanted = context_parameter(code, len(arguments))
        if wanted is not None and wanted.keyword_only:
            named[wanted.name] = self._context()
        elif wanted is not None:
            arguments = (*arguments, self._context())
        outcome = await self._outcome(where, code, arguments, named)
        if isinstance(outcome, Failure):
            raise NodeFailed(outcome)
        return outcome.value

    async def _outcome(
        self, where: str, code: Callable[..., Any], arguments: tuple[Any, ...], named: dict[str, Any]
    ) -> Outcome:
        if awaits(code):
            return await self._in_time(where, self._on_loop(capture_async(where, code, arguments, named)))
        outcome = await self._in_time_in_thread(where, functools.partial(capture, where, code, arguments, named))
        if isinstance(outcome, Failure) or not hasattr(type(outcome.value), "__await__"):
            return outcome
        return await self._in_time(where, self._on_loop(capture_async(where, lambda: outcome.value, (), {})))

    async def _in_time_in_thread(self, where: str, code: Callable[[], Outcome]) -> Outcome:
        loop = asyncio.get_running_loop()
        started = asyncio.Event()

        def run() -> Outcome:
            loop.call_soon_threadsafe(started.set)
            outcome = code()
            self._ended = loop.time()
            return outcome

        async def work() -> Outcome:
            outcome: Outcome = await self._in_thread(run)
            return outcome

        return await self._in_time(where, work(), started)

    async def _on_loop(self, work: Awaitable[Outcome]) -> Outcome:
        outcome = await work
        self._ended = asyncio.get_running_loop().time()
        return outcome

    async def _in_time(self, where: str, work: Any, started: asyncio.Event | None = None) -> Outcome:
        """The outcome of `work`, run as a task; a NodeTimeout if it takes too long, and its result is then ignored.

        When it has ended it says itself: code that blocks the loop keeps this from being called in time.
        """
        task: asyncio.Task[Outcome] = asyncio.ensure_future(work)
        if self._timeout is None:
            return await task  # cancelled together with this call; whatever the code raises is in its outcome
        try:
            if self._deadline is None and started is not None:
                await _wait_for_start(task, started)
            await asyncio.wait({task}, timeout=self._remaining())
        finally:
            if not task.done():
                task.cancel()
        if task.done() and task.cancelled():
            return failure(asyncio.CancelledError("the call was cancelled from outside"), where)
        if not task.done() or self._ended > (self._deadline or 0.0):
            node = self._call["node"]
            return failure(NodeTimeout(f"node {node!r} took longer than {self._timeout:g} s"), where)
        return task.result()

    def _remaining(self) -> float | None:
        if self._timeout is None:
            return None
        now = asyncio.get_running_loop().time()
        if self._deadline is None:
            self._deadline = now + self._timeout
        return max(0.0, self._deadline - now)

    def _context(self) -> NodeContext:
        call, manifest = self._call, self._graph.manifest
        return NodeContext(
            run_id=call["run_id"],
            graph=manifest.graph_name,
            graph_hash=manifest.graph_hash,
            version=manifest.version,
            node=call["node"],
            step=call["step"],
            attempt=call.get("attempt", 1),
            idempotency_key=idempotency_key(call["run_id"], call["step"], call.get("branch"), call.get("item")),
            metadata=call.get("metadata", {}),
            error=cast("NodeError | None", call.get("error")),
        ).reporting_to(self._reporter.report)


async def _wait_for_start(task: asyncio.Task[Any], started: asyncio.Event) -> None:
    """Return once the thread has started, or the task has finished without one."""
    waiting = asyncio.ensure_future(started.wait())
    try:
        await asyncio.wait({task, waiting}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        waiting.cancel()
