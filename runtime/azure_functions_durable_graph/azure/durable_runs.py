"""The Durable engine as the port `Runs` of the API, over the SDK's client."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Collection
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from ..graph.names import ORCHESTRATOR, is_run_id
from ..history.reading import read_input, read_status
from ..history.record import STATUSES, RunRecord
from ..http.api import IdTaken
from ..http.values import Problem
from ..run.messages import RunInput
from . import sdk

Fetch = Callable[[str, dict[str, str]], Awaitable[tuple[list[Any], str]]]


class DurableRuns:
    """The `Runs` port over the SDK's client."""

    def __init__(self, client: Any, fetch: Fetch | None = None) -> None:
        self._client = client
        self._fetch = fetch or _fetch

    async def start(self, run_id: str, run: RunInput, *, fresh: bool) -> None:
        """Start a run; raises IdTaken if any orchestration has the id, even a finished one.

        The look-up and the start are two calls: of two simultaneous starts with one id the engine rejects one, unless
        the other has already finished by then.
        """
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

    async def page(self, statuses: Collection[str], cursor: str, limit: int) -> tuple[list[RunRecord], str]:
        """One page of runs in these runtime statuses, and the cursor of the next page ("" at the end).

        The SDK's client requests only one page and drops the continuation token, so the request is made here. A page
        may contain fewer runs than `limit`, because other orchestrations of the hub are omitted.
        """
        query = urlencode({"runtimeStatus": ",".join(sorted(statuses)), "showInput": "true", "top": limit})
        url = f"{sdk.management_url(self._client)}instances/?{query}"
        answer, following = await self._fetch(url, {"x-ms-continuation-token": cursor} if cursor else {})
        records = (_read_item(item) for item in answer)
        return [record for record in records if record is not None], following

    async def raise_event(self, run_id: str, address: str, payload: Any) -> None:
        """Raise an event. A run that has ended in the meantime is a 410 or 404 problem."""
        await self._unless_gone(run_id, self._client.raise_event(run_id, address, {"payload": payload}))

    async def terminate(self, run_id: str, reason: str) -> None:
        """Terminate a run. One that has ended or been purged in the meantime is a 410 or 404 problem.

        The SDK's client does not report that a run had already ended, so its status is read afterwards.
        """
        await self._unless_gone(run_id, self._client.terminate(run_id, reason))
        record = await self.get(run_id)
        if record is not None and record.finished and record.runtime_status not in STATUSES["cancelled"]:
            raise Problem("run-finished", f"the run {run_id!r} is {record.status}")

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
        if response.status == 400 and headers:
            raise Problem("invalid", "the engine does not know this cursor; omit it to get the first page")
        response.raise_for_status()
        return json.loads(await response.text(), parse_int=_whole), response.headers.get("x-ms-continuation-token", "")


def _whole(digits: str) -> float:
    """An integer; one too long for Python, in an instance that is not ours, must not hide the others."""
    return int(digits) if len(digits) < 4000 else float(digits)


def record_of(status: Any) -> RunRecord | None:
    """The SDK's status as a record; None for an unknown id and for orchestrations that are not runs of ours."""
    if not status or status.name != ORCHESTRATOR or status.runtime_status is None:
        return None
    run = read_input(status.input_)
    if run is None or not is_run_id(str(status.instance_id)):
        return None
    history = sdk.history_of(status)
    return RunRecord(
        id=status.instance_id,
        runtime_status=status.runtime_status.value,
        run=run,
        custom_status=read_status(status.custom_status),
        output=status.output,
        created_at=_iso(status.created_time),
        updated_at=_iso(status.last_updated_time),
        history=history if isinstance(history, (list, tuple)) else (),
    )


def _read_item(item: Any) -> RunRecord | None:
    """One instance of a list; None also for one that the SDK cannot read, which must not hide the others."""
    try:
        return record_of(sdk.read_status(item))
    except Exception:
        return None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
