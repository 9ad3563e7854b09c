"""What the engine is told, and what it asks for.

What one instance tells another, or an entity, is a message too (`BETWEEN`): the engine delivers it itself, in the same
transaction, so that nothing can be lost on the way.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Union

from .actions import Outcome
from .instance import Parent


@dataclass(frozen=True)
class StartInstance:
    """Begin an instance; whatever had this id is replaced."""

    instance_id: str
    name: str
    execution_id: str
    input: str | None
    parent: Parent | None = None


@dataclass(frozen=True)
class RaiseEvent:
    """An external event; `input` is JSON text."""

    instance_id: str
    name: str
    input: str


@dataclass(frozen=True)
class Terminate:
    """End an instance at once."""

    instance_id: str
    reason: str


@dataclass(frozen=True)
class Suspend:
    """Let an instance rest: its events are queued."""

    instance_id: str
    reason: str


@dataclass(frozen=True)
class Resume:
    """Let a suspended instance go on."""

    instance_id: str
    reason: str


@dataclass(frozen=True)
class Rewind:
    """Let a failed instance do again what has failed."""

    instance_id: str
    reason: str


@dataclass(frozen=True)
class TaskAnswered:
    """An activity or a child is done: with a `result` (JSON text), or failed for a `reason`."""

    instance_id: str
    execution_id: str
    task_id: int
    result: str | None = None
    reason: str | None = None
    details: str | None = None


@dataclass(frozen=True)
class TimerFired:
    """A timer is due."""

    instance_id: str
    execution_id: str
    task_id: int
    fire_at: datetime


@dataclass(frozen=True)
class EpisodeFinished:
    """The orchestrator has been called and has answered."""

    instance_id: str
    execution_id: str
    outcome: Outcome


@dataclass(frozen=True)
class EntityCalled:
    """An operation for an entity; `input` is JSON text of JSON text. A signal has no `request_id`."""

    entity_id: str
    operation: str
    input: str | None
    request_id: str | None = None
    instance_id: str | None = None
    execution_id: str | None = None


@dataclass(frozen=True)
class EntityFinished:
    """An entity's batch is done: its new state, and for each operation whether it failed and its result.

    With `fault` nothing of the batch has been done.
    """

    entity_id: str
    exists: bool = False
    state: str | None = None
    results: tuple[tuple[bool, str], ...] = ()
    fault: str | None = None


@dataclass(frozen=True)
class EntityAnswered:
    """What an entity tells the instance that has called it; `result` is JSON text."""

    instance_id: str
    execution_id: str
    request_id: str
    result: str
    failed: bool


@dataclass(frozen=True)
class RunEntity:
    """Call the entity with `context` (JSON text)."""

    entity_id: str
    name: str
    context: str


@dataclass(frozen=True)
class RunEpisode:
    """Call the orchestrator `name` with `context` (JSON text)."""

    instance_id: str
    execution_id: str
    name: str
    context: str


@dataclass(frozen=True)
class RunActivity:
    """Call the activity `name` with `input` (JSON text)."""

    instance_id: str
    execution_id: str
    task_id: int
    name: str
    input: str


@dataclass(frozen=True)
class SetTimer:
    """Fire at `fire_at`, or at once if that has passed."""

    instance_id: str
    execution_id: str
    task_id: int
    fire_at: datetime


@dataclass(frozen=True)
class CancelTimer:
    """Forget a timer."""

    instance_id: str
    execution_id: str
    task_id: int


Between = Union[StartInstance, TaskAnswered, EntityCalled, EntityAnswered, Rewind]
BETWEEN = (StartInstance, TaskAnswered, EntityCalled, EntityAnswered, Rewind)
Message = Union[Between, RaiseEvent, Terminate, Suspend, Resume, TimerFired, EpisodeFinished, EntityFinished]
Effect = Union[RunEpisode, RunActivity, RunEntity, SetTimer, CancelTimer]
Consequence = Union[Effect, Between]
