"""What the engine is told, and what it asks for.

A message may be an effect, too: a child starts, a parent is answered.
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


Message = Union[StartInstance, RaiseEvent, Terminate, Suspend, Resume, TaskAnswered, TimerFired, EpisodeFinished]
Effect = Union[RunEpisode, RunActivity, SetTimer, CancelTimer, StartInstance, TaskAnswered]
