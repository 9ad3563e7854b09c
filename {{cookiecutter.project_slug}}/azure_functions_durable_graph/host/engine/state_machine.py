"""The Durable engine of one machine, as a state machine: `apply(now, message) -> effects`.

No clock, no I/O, no threads, no generated ids. A message says what happened; the effects say what to do once the store
has committed. Messages between instances and entities are applied immediately, in the same transaction.

It is as strict as Azure. The extension carries out an orchestrator's top-level actions one by one and awaits each
before it considers the next; so does `execution.advance`. What would hang in Azure hangs here, and
`Instance.stalled_on` names the action.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from . import entities, lifecycle
from . import history_events as hist
from .entity import Entity
from .episodes import begin, finish_episode, receive, requeue_batch, start_episode
from .execution import CHILDREN, child_id_of, derive_id, dispatch, effects_to_repeat
from .instance import Instance
from .messages import (
    BETWEEN,
    Consequence,
    Effect,
    EntityAnswered,
    EntityCalled,
    EntityFinished,
    EpisodeFinished,
    Message,
    RaiseEvent,
    Resume,
    Rewind,
    RunActivity,
    StartInstance,
    Suspend,
    TaskAnswered,
    Terminate,
    TimerFired,
)


class Store(Protocol):
    """Where instances and entities are kept."""

    def load(self, instance_id: str) -> Instance | None: ...

    def save(self, instance: Instance) -> None: ...

    def live(self) -> list[Instance]: ...

    def load_entity(self, entity_id: str) -> Entity | None: ...

    def save_entity(self, entity: Entity) -> None: ...

    def entities(self, name: str = "", *, busy: bool = False) -> list[Entity]: ...


class Engine:
    """Applies messages to instances and entities, each of which runs one episode or batch at a time."""

    def __init__(self, store: Store) -> None:
        self.store = store

    def apply(self, now: datetime, message: Message) -> list[Effect]:
        """Apply a message; returns its effects. One for an instance that was purged, ended or replaced has none."""
        effects: list[Effect] = []
        waiting: deque[Message] = deque([message])
        while waiting:
            for item in self._apply(now, waiting.popleft()):
                if isinstance(item, BETWEEN):
                    waiting.append(item)
                else:
                    effects.append(item)
        return effects

    def recover(self, now: datetime) -> list[Effect]:
        """Continue from the store of an earlier process; returns the effects to carry out."""
        effects: list[Consequence] = []
        for instance in self.store.live():
            interrupted = instance.batch is not None
            requeue_batch(instance)
            effects += effects_to_repeat(instance)
            episode = start_episode(instance, now)
            effects += episode
            if interrupted or episode:
                self.store.save(instance)
        for entity in self.store.entities(busy=True):
            entity.at_work = 0
            effects += entities.start_batch(entity)
            self.store.save_entity(entity)
        return [effect for effect in effects if not isinstance(effect, BETWEEN)]

    def _apply(self, now: datetime, message: Message) -> list[Consequence]:
        if isinstance(message, StartInstance):
            return self._start(now, message)
        if isinstance(message, (EntityCalled, EntityFinished)):
            return self._entity(now, message)
        if isinstance(message, Rewind):
            return self._rewind(now, message)
        instance = self.store.load(message.instance_id)
        if instance is None or instance.terminal:
            return []
        if getattr(message, "execution_id", instance.execution_id) != instance.execution_id:
            return []
        return self._continue(instance, now, _HANDLERS[type(message)](instance, now, message))

    def _continue(self, instance: Instance, now: datetime, effects: list[Consequence]) -> list[Consequence]:
        """Start the instance's next episode, if there is one, and save it."""
        effects = [*effects, *start_episode(instance, now)]
        self.store.save(instance)
        return effects

    def _start(self, now: datetime, message: StartInstance) -> list[Consequence]:
        """Start an instance, replacing any other with its id; a child is rejected if its id is in use.

        A child that a rewind starts anew gets an execution id of its own, so that no timer or activity of the earlier
        one answers it.
        """
        existing, parent = self.store.load(message.instance_id), message.parent
        if parent is not None and (refusal := _refusal(message.instance_id, existing)):
            return [TaskAnswered(parent.instance_id, parent.execution_id, parent.task_id, reason=refusal)]
        execution_id = message.execution_id
        if parent is not None and existing is not None:
            execution_id = derive_id(execution_id, existing.execution_id)
        instance = Instance(
            message.instance_id,
            message.name,
            execution_id,
            message.input,
            created=now,
            updated=now,
            parent=parent,
        )
        begin(instance, now)
        return self._continue(instance, now, [])

    def _entity(self, now: datetime, message: EntityCalled | EntityFinished) -> list[Consequence]:
        entity = self.store.load_entity(message.entity_id) or Entity(message.entity_id, updated=now)
        if isinstance(message, EntityCalled):
            effects = entities.enqueue(entity, now, message)
        else:
            effects = entities.finish_batch(entity, now, message)
        self.store.save_entity(entity)
        return effects

    def _rewind(self, now: datetime, message: Rewind) -> list[Consequence]:
        """Rewind an instance and its failed children; a child that cannot be rewound is restarted."""
        instance = self.store.load(message.instance_id)
        if instance is None:
            return []
        effects = lifecycle.rewind(instance, now, message)
        children = {child_id_of(instance, leaf): leaf for leaf in instance.leaves if leaf.kind in CHILDREN}
        for index, effect in enumerate(effects):
            if isinstance(effect, Rewind):
                anew = dispatch(instance, children[effect.instance_id])
                effects[index] = effect if self._can_rewind(effect.instance_id, anew) else anew
        return self._continue(instance, now, effects)

    def _can_rewind(self, child_id: str, anew: StartInstance | RunActivity) -> bool:
        child = self.store.load(child_id)
        if child is None or child.status != "Failed" or not isinstance(anew, StartInstance):
            return False
        return child.parent == anew.parent and lifecycle.rewind_problem(child) is None


def _refusal(child_id: str, existing: Instance | None) -> str | None:
    if child_id.startswith("@"):
        return "Instance IDs must not start with '@'."
    if existing is not None and not existing.terminal:
        return f"An Orchestration instance with the status {existing.status} already exists."
    return None


def _raise_event(instance: Instance, now: datetime, message: RaiseEvent) -> list[Consequence]:
    instance.inbox.append(hist.event(hist.EVENT_RAISED, now, Name=message.name, Input=message.input))
    return []


def _task_answered(instance: Instance, now: datetime, message: TaskAnswered) -> list[Consequence]:
    leaf = instance.awaiting(message.task_id)
    if leaf is None:
        return []
    child = leaf.kind in CHILDREN
    if message.reason is None:
        kind = hist.CHILD_COMPLETED if child else hist.TASK_COMPLETED
        event = hist.event(kind, now, TaskScheduledId=message.task_id, Result=message.result)
    else:
        kind = hist.CHILD_FAILED if child else hist.TASK_FAILED
        event = hist.event(kind, now, TaskScheduledId=message.task_id, Reason=message.reason, Details=message.details)
    return receive(instance, now, event)


def _timer_fired(instance: Instance, now: datetime, message: TimerFired) -> list[Consequence]:
    if instance.awaiting(message.task_id) is None:
        return []
    event = hist.event(hist.TIMER_FIRED, now, TimerId=message.task_id, FireAt=hist.timestamp(message.fire_at))
    return receive(instance, now, event)


_HANDLERS: dict[type, Callable[..., list[Consequence]]] = {
    RaiseEvent: _raise_event,
    Terminate: lifecycle.terminate,
    Suspend: lifecycle.suspend,
    Resume: lifecycle.resume,
    TaskAnswered: _task_answered,
    TimerFired: _timer_fired,
    EntityAnswered: entities.deliver_answer,
    EpisodeFinished: finish_episode,
}
