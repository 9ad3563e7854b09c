"""What the orchestrator may ask of its host, as a Protocol.

`azure.durable_functions.DurableOrchestrationContext` (SDK 1.7) has this shape. The orchestrator is written
against the Protocol alone, so a move to another SDK costs one adapter. Floor 0.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Protocol


class OrchestrationContext(Protocol):
    """The part of a durable context that a run uses. Every `Any` returned is a task to be yielded."""

    @property
    def instance_id(self) -> str:
        """The run's id."""
        ...

    @property
    def current_utc_datetime(self) -> datetime:
        """The replay-safe clock: the time of the episode that resumed the code."""
        ...

    def call_activity(self, name: str, input_: Any) -> Any: ...

    def call_sub_orchestrator(self, name: str, input_: Any, instance_id: str) -> Any: ...

    def task_all(self, tasks: list[Any]) -> Any: ...

    def task_any(self, tasks: list[Any]) -> Any: ...

    def wait_for_external_event(self, name: str) -> Any: ...

    def create_timer(self, fire_at: datetime) -> Any: ...

    def set_custom_status(self, status: Any) -> None: ...

    def continue_as_new(self, input_: Any) -> None: ...
