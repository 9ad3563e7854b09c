"""The Durable engine as the port `Runs` of the API, over the SDK's client."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import datetime, timezone
from typing import Any
from urllib.parse import urlencode

from ..graph.names import ORCHESTRATOR
from ..history.record import FINISHED, LIVE, STATUSES, RunHead, RunRecord
from ..http.api import IdTaken, Watch
from ..http.values import Problem
from ..run.messages import EventEnvelope, RunInput, TraceContext
from ..work.boundary import error_record
from ..work.node_facts import as_text, attributes
from ..work.spans import span
from . import sdk
from .in_process import InProcess, host_of
from .progress import reports_of
from .records import head_if_readable, record_of

logger = logging.getLogger(__name__)

Fetch = Callable[[str, dict[str, str]], Awaitable[tuple[list[Any], str]]]


class DurableRuns:
    """The `Runs` port over the SDK's client."""

    def __init__(
        self, client: Any, fetch: Fetch | None = None, trace: TraceContext | None = None, *, progress: bool = False
    ) -> None:
        """`trace` is the caller's trace context, which runs that are started here carry.

        `progress`: the app has the entities of reports, which can be asked.
        """
        self._local = host_of(client)
        self._client = client if self._local is None else self._local.client(client)
        self._fetch = fetch or (_fetch if self._local is None else _fetch_from(self._local))
        self._trace = trace
        self._progress = progress

    async def start(self, run_id: str, run: RunInput, *, fresh: bool) -> None:
        """Start a run; raises IdTaken if any orchestration has the id, even a finished one.

        The look-up and the start are two calls: of two simultaneous starts with one id the engine rejects one, unless
        the other has already finished by then.

        With OpenTelemetry the run carries the trace context of a span around its start, otherwise that of the caller.
        """
        facts = {"run_id": run_id, "graph": run["plan"]["graph"], "version": run["plan"]["version"]}
        with span(f"run {facts['graph']}", attributes(facts), carried=self._trace) as here:
            trace = here.trace or self._trace
            try:
                await self._start(run_id, run if trace is None else {**run, "trace": trace}, fresh=fresh)
            except IdTaken:
                raise
            except Exception as error:
                here.fail(error_record(error, "start"), "")
                raise
        logger.info("run started: %s", as_text(facts))

    async def _start(self, run_id: str, run: RunInput, *, fresh: bool) -> None:
        if not fresh and await self._client.get_status(run_id):
            raise IdTaken(run_id)
        try:
            await self._client.start_new(ORCHESTRATOR, run_id, run)
        except Exception:  # the SDK raises bare Exceptions; look the id up rather than parse a text
            if not fresh and await self._client.get_status(run_id):
                raise IdTaken(run_id) from None
            raise

    async def get(self, run_id: str, *, history: bool = False) -> RunRecord | None:
        """The run, or None for an unknown id and for orchestrations that are not runs of ours."""
        return record_of(
            await self._client.get_status(run_id, show_history=history, show_history_output=history, show_input=True)
        )

    async def page(
        self, statuses: Collection[str], cursor: str, limit: int, since: datetime | None = None
    ) -> tuple[list[RunHead], str]:
        """One page of runs in these runtime statuses, and the cursor of the next page ("" at the end).

        The SDK's client asks for one page only and drops the continuation token, so the request is made here. A page
        may hold fewer runs than `limit`: other orchestrations of the hub are left out. Inputs, which may be large, are
        not asked for; a run that has no status yet is looked up by itself.
        """
        return await self._page(
            statuses, cursor, limit, {} if since is None else {"createdTimeFrom": _engine_time(since)}
        )

    async def _page(
        self, statuses: Collection[str], cursor: str, limit: int, others: Mapping[str, str]
    ) -> tuple[list[RunHead], str]:
        query = {"runtimeStatus": ",".join(sorted(statuses)), "showInput": "false", "top": limit, **others}
        url = f"{sdk.management_url(self._client)}instances/?{urlencode(query)}"
        answer, following = await self._fetch(url, {"x-ms-continuation-token": cursor} if cursor else {})
        ours = [item for item in answer if isinstance(item, Mapping) and item.get("name") == ORCHESTRATOR]
        heads: list[RunHead | None] = [head_if_readable(item) for item in ours]
        silent = [index for index, head in enumerate(heads) if head is None]
        for index, head in zip(silent, await asyncio.gather(*(self._look_up(ours[i]) for i in silent)), strict=True):
            heads[index] = head
        return [head for head in heads if head is not None], following

    async def _look_up(self, item: Mapping[str, Any]) -> RunHead | None:
        """An instance of a list that does not say enough; None for one that the SDK cannot read: it hides no other."""
        try:
            return await self.get(str(item.get("instanceId")))
        except Exception:
            return None

    async def finished_before(self, created_before: datetime, cursor: str, limit: int) -> tuple[list[RunHead], str]:
        """One page of finished runs whose last generation began before a time, and the cursor of the next page."""
        query = {"createdTimeTo": _engine_time(created_before)}
        return await self._page(frozenset(FINISHED), cursor, limit, query)

    async def beginning(self, prefix: str, cursor: str, limit: int) -> tuple[list[RunHead], str]:
        """One page of the runs whose ids begin so, in any status, and the cursor of the next page ("" at the end)."""
        return await self._page({*FINISHED, *LIVE}, cursor, limit, {"instanceIdPrefix": prefix})

    def watch(self) -> Watch | None:
        """A pause that ends early when one of these runs has come to rest since now; None where nobody tells."""
        return None if self._local is None else self._local.watch()

    async def raise_event(self, run_id: str, address: str, event: EventEnvelope) -> None:
        """Raise an event. A run that ended in between is a problem 410 or 404."""
        await self._unless_gone(run_id, self._client.raise_event(run_id, address, event))

    async def terminate(self, run_id: str, reason: str) -> None:
        """Terminate a run. One that has ended or been purged in the meantime is a 410 or 404 problem.

        The SDK's client does not report that a run had already ended, so its status is read afterwards.
        """
        await self._unless_gone(run_id, self._client.terminate(run_id, reason))
        record = await self.get(run_id)
        if record is not None and record.finished and record.runtime_status not in STATUSES["cancelled"]:
            raise Problem("run-finished", f"the run {run_id!r} is {record.status}")

    async def suspend(self, run_id: str, reason: str) -> None:
        """Suspend a run; one that is suspended stays so. Problems: 404, 410."""
        await self._change(run_id, self._client.suspend(run_id, reason), "Suspended")

    async def resume(self, run_id: str, reason: str) -> None:
        """Resume a run; one that is not suspended goes on. Problems: 404, 410."""
        await self._change(run_id, self._client.resume(run_id, reason), "Running")

    async def purge(self, run_id: str) -> bool:
        """Delete a finished run with its history. False where there was none."""
        return bool((await self._client.purge_instance_history(run_id)).instances_deleted)

    async def progress(self, run_id: str) -> list[dict[str, Any]]:
        """What the nodes of a run have reported of their progress."""
        return await reports_of(self._client, run_id) if self._progress else []

    async def _change(self, run_id: str, call: Any, wanted: str) -> None:
        """The engine refuses a change to the state that an instance is in already."""
        try:
            await self._unless_gone(run_id, call)
        except Problem:
            raise
        except Exception:
            record = await self.get(run_id)
            if record is None or record.runtime_status != wanted:
                raise

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
    import aiohttp  # the SDK needs it, too; a session of our own, since the SDK's may be closed at any time

    async with aiohttp.ClientSession() as session, session.get(url, headers=headers) as response:
        if response.status == 400 and headers:
            raise _unknown_cursor()
        response.raise_for_status()
        return json.loads(await response.text(), parse_int=_whole), response.headers.get("x-ms-continuation-token", "")


def _fetch_from(host: InProcess) -> Fetch:
    """The same of a host in this process."""

    async def fetch(url: str, headers: dict[str, str]) -> tuple[list[Any], str]:
        status, items, following = await host.page(url, headers)
        if status == 400 and headers:
            raise _unknown_cursor()
        if status != 200:
            raise RuntimeError(f"the management API answered {status}: {items}")
        return items, following

    return fetch


def _unknown_cursor() -> Problem:
    return Problem("invalid", "the engine does not know this cursor; omit it to get the first page")


def _whole(digits: str) -> float:
    """An integer; one too long for Python, in an instance that is not ours, must not hide the others."""
    return int(digits) if len(digits) < 4000 else float(digits)


def _engine_time(time: datetime) -> str:
    """A time as the management API reads it. For the engine a run begins again whenever it continues as new."""
    return f"{time.astimezone(timezone.utc):%Y-%m-%dT%H:%M:%SZ}"
