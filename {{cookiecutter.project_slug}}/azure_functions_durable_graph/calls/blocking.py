"""The same methods for code that is not async. Each runs a coroutine of `GraphCalls` whose door never suspends."""

from __future__ import annotations

from collections.abc import Coroutine, Iterator, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel

from ..graph.names import Status
from ..http.responses import Answer, Graph, GraphRow, Health, History, Manifest, Run, RunPage, Started, Step
from .graph_calls import GraphCalls, RunRef

T = TypeVar("T")


def finish(work: Coroutine[Any, Any, T]) -> T:
    """What a coroutine returns that never suspends."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]
    work.close()
    raise RuntimeError("the door of a blocking client has suspended")


class BlockingCalls:
    """`GraphCalls` for code that is not async: the same methods, arguments, results and errors."""

    def __init__(self, calls: GraphCalls) -> None:
        self._calls = calls

    def start(
        self,
        graph: str,
        input: BaseModel | Mapping[str, Any] | None = None,  # noqa: A002 - the word of the API
        *,
        key: str | None = None,
        instance_id: str | None = None,
        on_conflict: Literal["fail", "return"] = "fail",
        metadata: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Started:
        return finish(
            self._calls.start(
                graph,
                input,
                key=key,
                instance_id=instance_id,
                on_conflict=on_conflict,
                metadata=metadata,
                tags=tags,
            )
        )

    def get(self, run: RunRef, *, wait: float = 0.0) -> Run:
        return finish(self._calls.get(run, wait=wait))

    def list(
        self,
        *,
        graph: str | None = None,
        status: Status | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> RunPage:
        return finish(
            self._calls.list(
                graph=graph, status=status, since=since, until=until, tags=tags, limit=limit, cursor=cursor
            )
        )

    def history(self, run: RunRef) -> History:
        return finish(self._calls.history(run))

    def follow(self, run: RunRef, *, every: float = 0.5) -> Iterator[Step]:
        steps = self._calls.follow(run, every=every)
        while True:
            try:
                step = finish(_next(steps))
            except StopAsyncIteration:
                return
            yield step

    def wait(
        self, run: RunRef, *, until: Literal["finished", "idle"] = "finished", timeout: float | None = None
    ) -> Run:
        return finish(self._calls.wait(run, until=until, timeout=timeout))

    def send(
        self,
        run: RunRef,
        event: str,
        payload: Any = None,
        *,
        key: str | None = None,
        wait: float | None = None,
        wait_id: str | None = None,
    ) -> Answer:
        return finish(self._calls.send(run, event, payload, key=key, wait=wait, wait_id=wait_id))

    def get_answer(self, answer: Answer) -> Answer:
        return finish(self._calls.get_answer(answer))

    def cancel(self, run: RunRef, reason: str | None = None) -> None:
        finish(self._calls.cancel(run, reason))

    def suspend(self, run: RunRef, reason: str | None = None) -> None:
        finish(self._calls.suspend(run, reason))

    def resume(self, run: RunRef, reason: str | None = None) -> None:
        finish(self._calls.resume(run, reason))

    def restart(
        self,
        run: RunRef,
        *,
        node: str | None = None,
        state: BaseModel | Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Started:
        return finish(self._calls.restart(run, node=node, state=state, key=key))

    def retry(self, run: RunRef, *, key: str | None = None) -> Started:
        return finish(self._calls.retry(run, key=key))

    def delete(self, run: RunRef) -> None:
        finish(self._calls.delete(run))

    def graphs(self) -> tuple[GraphRow, ...]:
        return finish(self._calls.graphs())

    def graph(self, name: str) -> Graph:
        return finish(self._calls.graph(name))

    def manifest(self, name: str, *, graph_hash: str | None = None) -> Manifest:
        return finish(self._calls.manifest(name, graph_hash=graph_hash))

    def health(self) -> Health:
        return finish(self._calls.health())

    def diagram(self, name: str) -> str:
        return finish(self._calls.diagram(name))


async def _next(steps: Any) -> Step:
    step: Step = await steps.__anext__()
    return step


for _name, _method in vars(BlockingCalls).items():
    if not _name.startswith("_"):
        _method.__doc__ = getattr(GraphCalls, _name).__doc__
