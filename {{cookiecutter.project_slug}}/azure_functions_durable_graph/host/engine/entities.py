"""Entities: one batch of operations at a time, in order of arrival."""

from __future__ import annotations

import json
from datetime import datetime

from . import history_events as hist
from .entity import Entity, Operation
from .episodes import receive
from .instance import Instance
from .messages import Consequence, EntityAnswered, EntityCalled, EntityFinished, RunEntity


def enqueue(entity: Entity, now: datetime, message: EntityCalled) -> list[Consequence]:
    """Queue an operation."""
    entity.queue.append(
        Operation(message.operation, message.input, message.request_id, message.instance_id, message.execution_id)
    )
    return start_batch(entity)


def finish_batch(entity: Entity, now: datetime, message: EntityFinished) -> list[Consequence]:
    """Store the new state, and answer the callers. A failed operation does not undo its changes to the state."""
    batch = entity.queue[: entity.at_work]
    del entity.queue[: entity.at_work]
    entity.at_work, entity.updated = 0, now
    results = message.results
    if message.error is None:
        entity.exists, entity.state = message.exists, message.state
    else:
        results = tuple((True, json.dumps(message.error)) for _ in batch)
    answers: list[Consequence] = []
    for operation, (failed, result) in zip(batch, results, strict=True):
        if operation.request_id is not None and operation.instance_id and operation.execution_id:
            place = (operation.instance_id, operation.execution_id, operation.request_id)
            answers.append(EntityAnswered(*place, result, failed))
    return [*answers, *start_batch(entity)]


def start_batch(entity: Entity) -> list[Consequence]:
    """Run all waiting operations, unless a batch is running."""
    if entity.at_work or not entity.queue:
        return []
    entity.at_work = len(entity.queue)
    return [RunEntity(entity.id, entity.name, json.dumps(entity.context()))]


def deliver_answer(instance: Instance, now: datetime, message: EntityAnswered) -> list[Consequence]:
    """Deliver the answer to a call: an event whose name is the request's id."""
    payload = {"result": message.result, **({"exceptionType": "Error"} if message.failed else {})}
    event = hist.event(hist.EVENT_RAISED, now, Name=message.request_id, Input=json.dumps(payload))
    return receive(instance, now, event)
