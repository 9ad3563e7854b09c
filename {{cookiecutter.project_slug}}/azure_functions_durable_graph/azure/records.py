"""What the engine says of an instance, as a run: with everything, or as a list shows it."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from ..graph.names import ORCHESTRATOR, is_run_id
from ..history.arrivals import moment
from ..history.instances import read_head, read_input, read_status
from ..history.record import FINISHED, LIVE, RunHead, RunRecord
from . import sdk


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


def head_of(item: Mapping[str, Any]) -> RunHead | None:
    """What a list shows of one of our instances; None where its custom status does not say it.

    Read without the SDK, which takes half a millisecond for the two times of each.
    """
    said, run_id, status = read_head(item.get("customStatus")), item.get("instanceId"), item.get("runtimeStatus")
    if said is None or not isinstance(run_id, str) or not is_run_id(run_id):
        return None
    if not isinstance(status, str) or not (status in FINISHED or status in LIVE):
        return None
    created, updated = _iso_of(item.get("createdTime")), _iso_of(item.get("lastUpdatedTime"))
    return RunHead(run_id, status, said, item.get("output"), created, updated)


def head_if_readable(item: Mapping[str, Any]) -> RunHead | None:
    """The same; None as well for an instance that cannot be read: it hides no other."""
    try:
        return head_of(item)
    except Exception:
        return None


def _iso_of(given: Any) -> str | None:
    return _iso_of_text(given) if isinstance(given, str) else None


@functools.lru_cache(maxsize=1024)
def _iso_of_text(text: str) -> str | None:
    """Remembered, because many runs of a list begin in one second."""
    return _iso(moment(text))


def _iso(time: datetime | None) -> str | None:
    return None if time is None else time.isoformat()
