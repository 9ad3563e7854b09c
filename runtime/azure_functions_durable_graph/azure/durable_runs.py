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
from ..run.messages import EventEnvelope, RunInput
from . import sdk

Fetch = Callable[[str, dict[str, str]], Awaitable[tuple[list[Any], str]]]


class DurableRuns:
    """The `Runs` port over the SDK's client."""

    def __init__(self, client: Any, fetch: Fetch | None = None) -> None:
        self._client = client
        self._fetch = fetch or _fetch

    async def start(self, run_id: str, run: RunInput, *, fresh: bool) -> None:
        """Start a run; raises IdTaken where any orchestration has the id, finished ones included.

        The look-up and the start are two calls: of two starts of one id at the same moment the engine refuses one,
        unless the other has already finished by then.
        """
        if not fresh and await self._client.get_status(run_id):
            raise IdTaken(run_id)
        try:
            await self._client.start_new(ORCHESTRATOR, run_id, run)
        except Exception:  # the SDK raises bare Exceptions; whether the id is taken is asked, not read from a text
            if not fresh and await self._client.get_status(run_id):
                raise IdTaken(run_id) from None
            raise

    async def get(self, run_id: str, *, history: bool = False) -> RunRecord | None:
        """The run, or None for an unknown id and for orchestrations that are not ours."""
        return record_of(
            await self._client.get_status(run_id, show_history=history, show_history_output=history, show_input=True)
        )

    async def page(self, statuses: Collection[str], cursor: str, limit: int) -> tuple[list[RunRecord], str]:
        """One page of runs in these runtime statuses, and the cursor of the next page ("" at the end).

        The SDK's client asks for one page only and drops the continuation token, so the request is made here. A page
        may hold fewer runs than `limit`: other orchestrations of the hub are left out.
        """
        query = urlencode({"runtimeStatus": ",".join(sorted(statuses)), "showInput": "true", "top": limit})
        url = f"{sdk.management_url(self._client)}instances/?{query}"
        answer, following = await self._fetch(url, {"x-ms-continuation-token": cursor} if cursor else {})
        records = (_listed(item) for item in answer)
        return [record for record in records if record is not None], following

    async def raise_event(self, run_id: str, address: str, event: EventEnvelope) -> None:
        """Raise an event. A run that ended in between is a problem 410 or 404."""
        await self._unless_gone(run_id, self._client.raise_event(run_id, address, event))

    async def terminate(self, run_id: str, reason: str) -> None:
        """Terminate a run. One that ended or vanished in between is a problem 410 or 404.

        The SDK's client does not say that a run had ended, so it is looked up: whatever ended it was first.
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
            raise Problem("invalid", "the cursor is not one that the engine knows; without it the first page comes")
        response.raise_for_status()
        return json.loads(await response.text(), parse_int=_whole), response.headers.get("x-ms-continuation-token", "")


def _whole(digits: str) -> float:
    """An integer; one that Python refuses to read, in an instance that is none of ours, must not hide the others."""
    return int(digits) if len(digits) < 4000 else float(digits)


def record_of(status: Any) -> RunRecord | None:
    """The SDK's status as a record; None for an unknown id and for orchestrations that are not ours."""
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


def _listed(item: Any) -> RunRecord | None:
    """An instance of a list; None also for one that the SDK cannot read: it must not hide the others."""
    try:
        return record_of(sdk.read_status(item))
    except Exception:
        return None


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat()
