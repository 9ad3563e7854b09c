"""What the orchestrator needs from its host, as Protocols.

`azure.durable_functions.DurableOrchestrationContext` (SDK 1.7) has this shape. The orchestrator depends only on the
Protocols, so a move to another SDK needs one adapter.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from datetime import datetime
from typing import Any, Protocol, TypeVar, Union

T = TypeVar("T")


class DurableTask(Protocol):
    """Something that a run has scheduled. Yielding it returns its result, or raises if it has failed."""

    @property
    def result(self) -> Any:
        """The task's result, once it is done."""
        ...


class DurableTimer(DurableTask, Protocol):
    """A timer; only timers can be cancelled."""

    def cancel(self) -> None: ...


Steps = Generator[Union[DurableTask, DurableTimer], Any, T]
"""A part of the orchestrator: yields durable tasks, is sent their results, and returns a `T`."""


class OrchestrationContext(Protocol):
    """The part of a durable context that a run uses."""

    @property
    def instance_id(self) -> str:
        """The run's id."""
        ...

    @property
    def current_utc_datetime(self) -> datetime:
        """The replay-safe clock: the time of the episode that resumed the code."""
        ...

    def call_activity(self, name: str, input_: Any) -> DurableTask: ...

    def call_sub_orchestrator(self, name: str, input_: Any, instance_id: str) -> DurableTask: ...

    def task_all(self, tasks: Sequence[DurableTask]) -> DurableTask: ...

    def task_any(self, tasks: Sequence[DurableTask]) -> DurableTask: ...

    def wait_for_external_event(self, name: str) -> DurableTask: ...

    def create_timer(self, fire_at: datetime) -> DurableTimer: ...

    def set_custom_status(self, status: Any) -> None: ...

    def continue_as_new(self, input_: Any) -> None: ...

    def raised_events(self) -> Iterable[tuple[str, Any, str]]:
        """Name, input and time of each event that has reached this generation of the run, in order."""
        ...
