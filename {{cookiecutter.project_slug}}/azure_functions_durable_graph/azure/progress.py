"""The progress of nodes in Azure: one durable entity for each run that reports, signalled through a durable client.

Loaded with the first call of a node, and only in an app with `progress=True`.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ..graph.names import PROGRESS
from ..graph.progress import ProgressValue
from ..work.node_facts import FACTS
from ..work.progress import Ignoring, Reporter, Throttled
from . import sdk

PAUSE = 1.0
"""Seconds between two signals of one node, branch or item. Each is a message in the task hub."""

logger = logging.getLogger(__name__)


class EntityChannel:
    """Reports as signals to the run's entity."""

    def __init__(self, client: Any, run_id: str) -> None:
        self._client, self._entity = client, sdk.entity_id(PROGRESS, run_id)

    async def send(self, place: Mapping[str, Any], value: ProgressValue) -> None:
        """Signal the value, and when it was so."""
        now = datetime.now(timezone.utc).isoformat(timespec="milliseconds")
        await self._client.signal_entity(self._entity, "report", {**_entry(place), "at": now, "value": value})

    async def forget(self, place: Mapping[str, Any]) -> None:
        """Signal that the place has ended."""
        await self._client.signal_entity(self._entity, "forget", _entry(place))


def reporter_for(context: Any, client: Any, place: Mapping[str, Any]) -> Reporter:
    """Takes the reports of one call: a test's host lends its own; without a client they are ignored."""
    lent = getattr(context, "reporter_for", None)
    if lent is not None:
        reporter: Reporter = lent(place)
        return reporter
    return Ignoring() if client is None else Throttled(place, EntityChannel(client, str(place["run_id"])), pause=PAUSE)


def handle(context: Any) -> None:
    """The entity's function: apply one operation; without a report left the entity is deleted."""
    state = after(
        context.get_state(expected_type=dict) or {},
        context.operation_name,
        context.get_input(expected_type=dict) or {},
    )
    if state:
        context.set_state(state)
    else:
        context.destruct_on_exit()


def after(state: Mapping[str, Any], operation: str, given: Mapping[str, Any]) -> dict[str, Any]:
    """The reports of a run after an operation, by their places. Any `forget` removes those of earlier steps, too."""
    if operation == "report":
        return {**state, _slot(given): dict(given)}
    if operation == "forget":
        return {key: one for key, one in state.items() if key != _slot(given) and one["step"] >= given["step"]}
    return {}


async def reports_of(client: Any, run_id: str) -> list[dict[str, Any]]:
    """What the nodes of a run have reported, in the order of branches and items; nothing where that cannot be read."""
    try:
        answer = await client.read_entity_state(sdk.entity_id(PROGRESS, run_id))
    except Exception as error:
        logger.warning("the progress of run %s cannot be read (%s: %s)", run_id, type(error).__name__, error)
        return []
    state = answer.entity_state if answer.entity_exists else None
    entries = list(state.values()) if isinstance(state, Mapping) else []
    return sorted(entries, key=lambda entry: (entry.get("item", 0), entry.get("branch", "")))


async def purge(client: Any, run_id: str) -> None:
    """Delete what the engine keeps of the run's entity, if it had one and the engine can."""
    with contextlib.suppress(Exception):  # the run itself is deleted: nothing is lost with a rest of its entity
        await client.purge_instance_history(f"@{PROGRESS}@{run_id}")


def _entry(place: Mapping[str, Any]) -> dict[str, Any]:
    return {key: place[key] for key in ("node", *FACTS[4:]) if key in place}


def _slot(entry: Mapping[str, Any]) -> str:
    return f"{entry['step']}/{entry.get('branch', '')}/{entry.get('item', '')}"
