"""How handlers are called: sync or async, with a NodeContext or without."""

from __future__ import annotations

import inspect
import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel

from ..graph.context import NodeContext, idempotency_key
from ..graph.registration import GraphRegistration
from ..graph.signatures import awaits, context_parameter
from ..graph.states import difference, dump
from ..run.messages import NodeCall

if TYPE_CHECKING:
    from ..graph.context import NodeError

InThread = Callable[..., Awaitable[Any]]
"""Runs `code(*arguments)` in a thread: `asyncio.to_thread`, or the host's own way."""

logger = logging.getLogger(__name__)


class NodeTimeout(TimeoutError):  # noqa: N818 - users name it in retry_on and on_error
    """A node took longer than its `timeout`."""


class Caller:
    """Calls the handlers of one node for one call of the activity."""

    def __init__(self, graph: GraphRegistration, call: NodeCall, in_thread: InThread) -> None:
        self._graph = graph
        self._call = call
        self._in_thread = in_thread

    async def __call__(self, code: Callable[..., Any], *arguments: Any) -> Any:
        """Call user code: `async def` on this loop, anything else in a thread, so that it cannot block the loop."""
        context = context_parameter(code, len(arguments))
        if context is not None and context.keyword_only:
            code = partial(code, **{context.name: self._context()})
        elif context is not None:
            arguments = (*arguments, self._context())
        if awaits(code):
            return await code(*arguments)
        return await _maybe_await(await self._in_thread(code, *arguments))

    def warn_of_mutation(self, before: Mapping[str, Any], given: BaseModel, update: Any, who: str) -> None:
        """Changes made in place are not kept (a handler returns its changes); losing them in silence is not kind."""
        if isinstance(update, BaseModel):
            return
        try:
            changed, _ = difference(before, dump(given))
        except Exception:  # a state broken in place is dropped anyway; this is only a warning
            return
        lost = sorted(set(changed) - set(update if isinstance(update, dict) else ()))
        if lost:
            logger.warning(
                "run %s: %s changed %s in place and did not return it; only what is returned is kept",
                self._call["run_id"],
                who,
                ", ".join(lost),
            )

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
        )


async def _maybe_await(value: Any) -> Any:
    """The value, or what it resolves to: sync and async handlers look the same from here on."""
    return await value if inspect.isawaitable(value) else value
