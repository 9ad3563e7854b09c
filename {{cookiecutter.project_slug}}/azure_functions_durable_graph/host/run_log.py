"""The log of runs: a line for each instance that starts, ends or stalls."""

from __future__ import annotations

import json
import logging

from ..graph.names import ACTIVITY
from .engine.messages import Message, RaiseEvent, RunActivity, StartInstance
from .store import SqliteStore

logger = logging.getLogger("azure_functions_durable_graph.host")


class RunLog:
    """Logs what messages did to the instances in a store. A stall is logged once."""

    def __init__(self, store: SqliteStore) -> None:
        self._store = store
        self._stalled: dict[str, str] = {}

    def tell(self, instance_id: str, message: Message) -> None:
        """Log a line, if there is something to say."""
        instance = self._store.load(instance_id)
        if instance is None:
            return
        if isinstance(message, StartInstance):
            logger.info("%s: started %s", instance_id, message.name)
        elif isinstance(message, RaiseEvent):
            logger.info("%s: event %s", instance_id, message.name)
        elif instance.terminal and instance.status == "Failed":
            logger.error("%s: failed: %s", instance_id, instance.output)
        elif instance.terminal:
            logger.info("%s: %s", instance_id, instance.status.lower())
        if instance.stalled_on != self._stalled.get(instance_id):
            if instance.stalled_on is None:
                del self._stalled[instance_id]
            else:
                self._stalled[instance_id] = instance.stalled_on
                logger.warning("%s: %s", instance_id, instance.stalled_on)


def label(effect: RunActivity) -> str:
    """The activity, or the node that it runs, for the log."""
    if effect.name != ACTIVITY:
        return effect.name
    try:
        call = json.loads(effect.input)
        return f"{call['graph']}.{call['node']}"
    except (ValueError, LookupError, TypeError):  # our activity was called by code that is not ours
        return effect.name
