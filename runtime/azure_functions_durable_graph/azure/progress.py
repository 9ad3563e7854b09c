"""The progress of nodes in Azure: durable entities, signalled through a durable client.

Few entities serve all runs. Azure Storage keeps an entity without a state in its table of instances, as one that runs:
with one for each run, lists would have to read past all of them.

Loaded with the first call of a node, and with the first request.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from ..graph.names import PROGRESS
from ..graph.plain_json import digest
from ..graph.progress import ProgressValue
from ..work.node_facts import FACTS
from ..work.progress import Ignoring, Reporter, Throttled
from . import sdk

PAUSE = 1.0
"""Seconds between two signals of one node, branch or item. Each is a message in the task hub."""

ENTITIES = 16
"""How many entities share the runs. Each works through its signals one after the other."""

KEPT = timedelta(days=1)
"""After this time a report goes whose end was lost with its worker; it is not shown any more by then."""

logger = logging.getLogger(__name__)


class EntityChannel:
    """Reports as signals to the entity that has the run."""

    def __init__(self, client: Any, run_id: str) -> None:
        self._client, self._entity = client, entity_of(run_id)

    async def send(self, place: Mapping[str, Any], value: ProgressValue) -> None:
        """Signal the value, and when it was so."""
        await self._client.signal_entity(self._entity, "report", {**_entry(place), "value": value})

    async def forget(self, place: Mapping[str, Any]) -> None:
        """Signal that the place has ended."""
        await self._client.signal_entity(self._entity, "forget", _entry(place))


def entity_of(run_id: str) -> Any:
    """The entity that has the reports of a run."""
    return sdk.entity_id(PROGRESS, str(int(digest(run_id)[:8], 16) % ENTITIES))


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
    """The reports after an operation, by their places. The end of a node ends earlier steps of its run as well."""
    if operation not in ("report", "forget"):
        return {}
    place, oldest = _place(given), datetime.fromisoformat(given["at"]) - KEPT
    kept = {key: one for key, one in state.items() if datetime.fromisoformat(one["at"]) > oldest and key != place}
    if operation == "report":
        return {**kept, place: dict(given)}
    earlier = {key for key, one in kept.items() if one["run_id"] == given["run_id"] and one["step"] < given["step"]}
    return {key: one for key, one in kept.items() if key not in earlier}


async def reports_of(client: Any, run_id: str) -> list[dict[str, Any]]:
    """What the nodes of a run have reported, in the order of branches and items; nothing where that cannot be read."""
    try:
        answer = await client.read_entity_state(entity_of(run_id))
    except Exception as error:
        logger.warning("the progress of run %s cannot be read (%s: %s)", run_id, type(error).__name__, error)
        return []
    state = answer.entity_state if answer.entity_exists else None
    entries = [dict(one) for one in state.values() if one["run_id"] == run_id] if isinstance(state, Mapping) else []
    for entry in entries:
        del entry["run_id"]
    return sorted(entries, key=lambda entry: (entry["step"], entry.get("item", 0), entry.get("branch", "")))


def _entry(place: Mapping[str, Any]) -> dict[str, Any]:
    """A place and the time, as an operation's input."""
    known = {key: place[key] for key in ("run_id", *FACTS[3:]) if key in place}
    return {**known, "at": datetime.now(timezone.utc).isoformat(timespec="milliseconds")}


def _place(entry: Mapping[str, Any]) -> str:
    return f"{entry['run_id']}/{entry['step']}/{entry.get('branch', '')}/{entry.get('item', '')}"
