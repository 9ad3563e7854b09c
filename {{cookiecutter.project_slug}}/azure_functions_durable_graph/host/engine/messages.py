"""Messages, which tell the engine what has happened, and effects, which it asks the host to carry out.

Instances also send messages to each other and to entities (`BETWEEN`): the engine delivers them itself, in the same
transaction, so that none can be lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Union

from .actions import Outcome
from .history_events import Event
from .instance import Parent


@dataclass(frozen=True)
class StartInstance:
    """Start an instance, replacing any other with this id."""

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
    """End an instance immediately."""

    instance_id: str
    reason: str


@dataclass(frozen=True)
class Suspend:
    """Stop running an instance; its events are queued."""

    instance_id: str
    reason: str


@dataclass(frozen=True)
class Resume:
    """Let a suspended instance continue."""

    instance_id: str
    reason: str


@dataclass(frozen=True)
class Rewind:
    """Let a failed instance repeat its failed calls."""

    instance_id: str
    reason: str


@dataclass(frozen=True)
class TaskAnswered:
    """An activity or a child has finished with a `result` (JSON text), or failed for a `reason`."""

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
    """An orchestrator has been called, with this outcome."""

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
    """An entity's batch has run: its new state, and for each operation whether it failed, and its result.

    With an `error` none of its operations has taken effect.
    """

    entity_id: str
    exists: bool = False
    state: str | None = None
    results: tuple[tuple[bool, str], ...] = ()
    error: str | None = None


@dataclass(frozen=True)
class EntityAnswered:
    """An entity's answer to the instance that called it; `result` is JSON text."""

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


class EpisodeContext(str):
    """The orchestration trigger's JSON text, which also says what is `new` in it after `known` events."""

    __slots__ = ("execution_id", "instance_id", "known", "new")

    instance_id: str
    execution_id: str
    known: int
    new: tuple[Event, ...]

    @classmethod
    def of(cls, text: str, instance_id: str, execution_id: str, known: int, new: Iterable[Event]) -> EpisodeContext:
        """The text of one episode of one generation of an instance."""
        context = cls(text)
        context.instance_id, context.execution_id, context.known, context.new = (
            instance_id,
            execution_id,
            known,
            tuple(new),
        )
        return context


@dataclass(frozen=True)
class RunEpisode:
    """Call the orchestrator `name` with `context`."""

    instance_id: str
    execution_id: str
    name: str
    context: EpisodeContext


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
    """Set a timer for `fire_at`; one in the past fires immediately."""

    instance_id: str
    execution_id: str
    task_id: int
    fire_at: datetime


@dataclass(frozen=True)
class CancelTimer:
    """Cancel a timer."""

    instance_id: str
    execution_id: str
    task_id: int


Between = Union[StartInstance, TaskAnswered, EntityCalled, EntityAnswered, Rewind]
BETWEEN = (StartInstance, TaskAnswered, EntityCalled, EntityAnswered, Rewind)
Message = Union[Between, RaiseEvent, Terminate, Suspend, Resume, TimerFired, EpisodeFinished, EntityFinished]
Effect = Union[RunEpisode, RunActivity, RunEntity, SetTimer, CancelTimer]
Consequence = Union[Effect, Between]
