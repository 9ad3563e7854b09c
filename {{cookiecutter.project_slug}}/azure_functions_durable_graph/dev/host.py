"""The local host: performs what the engine asks for, with a clock and a worker.

All methods run on one event loop. `run` serves for ever with the system's clock; `drain` works off what is ready and
returns, which is all that a test with a clock of its own needs.
"""

from __future__ import annotations

import asyncio
import heapq
import json
import logging
import uuid
from collections import deque
from collections.abc import Callable, Coroutine
from datetime import datetime
from itertools import count
from typing import Any

from ..errors import HostError
from .clock import Clock
from .engine import Engine, answers
from .instance import Instance
from .messages import (
    CancelTimer,
    Effect,
    EpisodeFinished,
    Message,
    RunActivity,
    RunEpisode,
    SetTimer,
    StartInstance,
    TaskAnswered,
    TimerFired,
)
from .settings import Settings
from .store import SqliteStore
from .worker import ActivityFailed, Worker

logger = logging.getLogger("azure_functions_durable_graph.dev")


class LocalHost:
    """One task hub and the app that works on it."""

    def __init__(
        self, worker: Worker, clock: Clock, settings: Settings | None = None, store: SqliteStore | None = None
    ) -> None:
        """Without a store everything is kept in memory. Runs that a store holds go on where they stood."""
        self.worker = worker
        self.clock = clock
        self.settings = settings or Settings()
        self.store = store or SqliteStore()
        self.activities_run = 0
        self._engine = Engine(self.store)
        self._ready: deque[Effect] = deque()
        self._timers: list[tuple[datetime, int, SetTimer]] = []
        self._cancelled: set[tuple[str, int]] = set()
        self._order = count()
        self._wake = asyncio.Event()
        self._ready.extend(self._engine.recover(clock.now()))

    def start(self, name: str, input_: str | None, instance_id: str | None = None) -> str:
        """Start an instance; `input_` is JSON text. A finished instance of that id is replaced.

        Raises HostError where the id is alive or no orchestrator has that name.
        """
        if not self.worker.has_orchestrator(name):
            raise HostError(f"The function '{name}' doesn't exist, is disabled, or is not an orchestrator function.")
        instance_id = instance_id or uuid.uuid4().hex
        existing = self.store.load(instance_id)
        if existing is not None and not existing.terminal:
            raise HostError(f"An Orchestration instance with the status {existing.status} already exists.")
        self.send(StartInstance(instance_id, name, uuid.uuid4().hex, input_))
        return instance_id

    def send(self, message: Message) -> None:
        """Tell the engine something, and queue what follows."""
        before = self._stall(message.instance_id)
        self._ready.extend(self._engine.apply(self.clock.now(), message))
        after = self._stall(message.instance_id)
        if after and after != before:
            logger.warning("%s: %s", message.instance_id, after)
        self._wake.set()

    @property
    def next_timer(self) -> datetime | None:
        """When the next timer is due."""
        while self._timers and self._key(self._timers[0][2]) in self._cancelled:
            self._cancelled.discard(self._key(heapq.heappop(self._timers)[2]))
        return self._timers[0][0] if self._timers else None

    def fire_due(self) -> None:
        """Fire every timer whose time has come."""
        while (due := self.next_timer) is not None and due <= self.clock.now():
            timer = heapq.heappop(self._timers)[2]
            self.send(TimerFired(timer.instance_id, timer.execution_id, timer.task_id, timer.fire_at))

    async def drain(self) -> None:
        """Work until only timers and the outside world can bring anything new."""
        self.fire_due()
        while self._ready:
            await self._perform(self._ready.popleft())
            self.fire_due()

    async def run(self) -> None:
        """Work for ever. Cancel the task to stop; nothing of what was stored is lost."""
        limits: dict[type, asyncio.Semaphore] = {
            RunActivity: asyncio.Semaphore(self.settings.max_activities),
            RunEpisode: asyncio.Semaphore(self.settings.max_orchestrators),
        }
        tasks: set[asyncio.Task[None]] = set()
        while True:
            self._wake.clear()
            self.fire_due()
            while self._ready:
                task = asyncio.create_task(self._limited(self._ready.popleft(), limits))
                tasks.add(task)
                task.add_done_callback(tasks.discard)
            due = self.next_timer
            pause = None if due is None else max(0.0, (due - self.clock.now()).total_seconds())
            try:
                await asyncio.wait_for(self._wake.wait(), pause)
            except asyncio.TimeoutError:
                continue

    async def _limited(self, effect: Effect, limits: dict[type, asyncio.Semaphore]) -> None:
        limit = limits.get(type(effect))
        if limit is None:
            return await self._perform(effect)
        async with limit:
            await self._perform(effect)

    async def _perform(self, effect: Effect) -> None:
        await _PERFORM[type(effect)](self, effect)

    async def _run_episode(self, effect: RunEpisode) -> None:
        outcome = await self.worker.orchestrate(effect.name, effect.context)
        if outcome.error is not None:
            logger.error("%s: the orchestrator %s failed: %s", effect.instance_id, effect.name, outcome.error)
        self.send(EpisodeFinished(effect.instance_id, effect.execution_id, outcome))

    async def _run_activity(self, effect: RunActivity) -> None:
        self.activities_run += 1
        ids = (effect.instance_id, effect.execution_id, effect.task_id)
        try:
            answer = TaskAnswered(*ids, result=await self.worker.run_activity(effect.name, effect.input))
        except ActivityFailed as failure:
            details = json.dumps({"$type": "System.Exception", "Message": f" {failure.summary}"})
            answer = TaskAnswered(*ids, reason=str(failure), details=details)
        except HostError as error:  # Azure would hang here (azure-functions-durable-extension#132)
            answer = TaskAnswered(*ids, reason=str(error), details=json.dumps({"Message": str(error)}))
        self.send(answer)

    async def _set_timer(self, effect: SetTimer) -> None:
        heapq.heappush(self._timers, (effect.fire_at, next(self._order), effect))
        self._wake.set()

    async def _cancel_timer(self, effect: CancelTimer) -> None:
        self._cancelled.add(self._key(effect))

    async def _start_child(self, effect: StartInstance) -> None:
        existing: Instance | None = self.store.load(effect.instance_id)
        parent = effect.parent
        if existing is not None and existing.parent == parent:  # it was started before this process began
            self._ready.extend(answers(existing))
        elif existing is not None and not existing.terminal and parent is not None:
            reason = f"An Orchestration instance with the status {existing.status} already exists."
            self.send(TaskAnswered(parent.instance_id, parent.execution_id, parent.task_id, reason=reason))
        else:
            self.send(effect)

    async def _tell(self, effect: TaskAnswered) -> None:
        self.send(effect)

    def _stall(self, instance_id: str) -> str | None:
        instance = self.store.load(instance_id)
        return instance.stalled_on if instance is not None else None

    @staticmethod
    def _key(timer: SetTimer | CancelTimer) -> tuple[str, int]:
        return timer.execution_id, timer.task_id


_PERFORM: dict[type, Callable[..., Coroutine[Any, Any, None]]] = {
    RunEpisode: LocalHost._run_episode,
    RunActivity: LocalHost._run_activity,
    SetTimer: LocalHost._set_timer,
    CancelTimer: LocalHost._cancel_timer,
    StartInstance: LocalHost._start_child,
    TaskAnswered: LocalHost._tell,
}
