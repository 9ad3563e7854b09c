"""What the engine asks for: an episode, an activity, a batch of an entity. Each ends in a message that says how."""

from __future__ import annotations

import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any, Union

from ..errors import HostError
from ..graph.names import ACTIVITY
from . import durable_http as outgoing
from .app.failures import ActivityFailed
from .app.worker import Worker
from .engine.actions import HTTP_ACTIVITY
from .engine.messages import (
    EntityFinished,
    EpisodeFinished,
    Message,
    RunActivity,
    RunEntity,
    RunEpisode,
    TaskAnswered,
)
from .run_log import label

Work = Union[RunEpisode, RunActivity, RunEntity]

logger = logging.getLogger("azure_functions_durable_graph.host")


async def outcome_of(work: Work, worker: Worker) -> Message:
    """Do the work. Whatever functions of the app raise is an outcome."""
    return await _PERFORM[type(work)](work, worker)


async def _run_episode(work: RunEpisode, worker: Worker) -> Message:
    outcome = await worker.orchestrate(work.name, work.context)
    return EpisodeFinished(work.instance_id, work.execution_id, outcome)


async def _run_activity(work: RunActivity, worker: Worker) -> Message:
    ids = (work.instance_id, work.execution_id, work.task_id)
    began = time.perf_counter()
    try:
        answer = TaskAnswered(*ids, result=await _activity(work, worker))
    except ActivityFailed as failure:
        details = json.dumps({"$type": "System.Exception", "Message": f" {failure.summary}"})
        answer = TaskAnswered(*ids, reason=str(failure), details=details)
    except Exception as error:  # an unknown activity, where Azure would hang (durable-extension#132); no HTTP answer
        answer = TaskAnswered(*ids, reason=str(error), details=json.dumps({"Message": str(error)}))
    took = (time.perf_counter() - began) * 1000
    if (answer.reason is not None or work.name != ACTIVITY) and logger.isEnabledFor(logging.INFO):
        # a node that has ended says so itself
        what = "done" if answer.reason is None else f"failed: {answer.reason}"
        logger.info("%s: %s %s (%.0f ms)", work.instance_id, label(work), what, took)
    return answer


async def _activity(work: RunActivity, worker: Worker) -> str:
    if work.name == HTTP_ACTIVITY:
        return await outgoing.request(work.input)
    return await worker.run_activity(work.name, work.input)


async def _run_entity(work: RunEntity, worker: Worker) -> Message:
    try:
        exists, state, results = await worker.run_entity(work.name, work.context)
        return EntityFinished(work.entity_id, exists, state, results)
    except HostError as error:
        logger.error("%s: %s", work.entity_id, error)
        return EntityFinished(work.entity_id, error=str(error))


_PERFORM: dict[type, Callable[[Any, Worker], Awaitable[Message]]] = {
    RunEpisode: _run_episode,
    RunActivity: _run_activity,
    RunEntity: _run_entity,
}
