"""The local host: carries out the engine's effects, with a clock and a worker.

All methods run on one event loop. `run` serves forever with the system's clock; `drain` does what is ready, as a test
needs it. What the engine has applied is committed before any of its effects is performed, and before any caller is
answered: `flush`, or `committed` for callers that can wait for others. Only the graphs' own orchestrator is called
earlier, so that one transaction has a node's answer and the start of the next: nothing outside sees what it does.

When a host cannot continue, `failure` is set, `failed` returns, and nothing more is accepted. What was committed is
consistent; whoever runs the host must stop it, without committing the rest.
"""

from __future__ import annotations

import asyncio
import logging
import time
import uuid
from collections import deque
from collections.abc import Coroutine, Iterable
from datetime import datetime
from typing import Any

from ..errors import HostError
from .app.settings import Settings
from .app.worker import Worker
from .clock import Clock, SkippingClock, set_within
from .engine.actions import HTTP_ACTIVITY
from .engine.messages import (
    CancelTimer,
    Effect,
    EntityCalled,
    EntityFinished,
    Message,
    RunActivity,
    RunEntity,
    RunEpisode,
    SetTimer,
    StartInstance,
    TimerFired,
)
from .engine.state_machine import Engine
from .news import News
from .performing import Work, outcome_of
from .run_log import RunLog
from .store import SqliteStore
from .timers import Timers

TOGETHER = 0.005
"""Seconds for which our own orchestrator is called for one run after another, before what it says is committed."""

logger = logging.getLogger("azure_functions_durable_graph.host")


class LocalHost:
    """One task hub and the app that works on it."""

    def __init__(
        self, worker: Worker, clock: Clock, settings: Settings | None = None, store: SqliteStore | None = None
    ) -> None:
        """Without a store everything is kept in memory. Runs found in the store resume where they left off."""
        self.worker = worker
        self.clock = clock
        self.settings = settings or Settings()
        self.store = store or SqliteStore()
        self.activities_run, self.news = 0, News()
        self.store.on_commit = self.news.tell
        self._log = RunLog(self.store)
        self._engine = Engine(self.store)
        self._applied: list[Effect] = []
        self._replays: deque[RunEpisode] = deque()
        self._ready: deque[Work] = deque()
        self._unanswered: list[asyncio.Future[None]] = []
        self._at_work = False
        self._timers = Timers()
        self._wake = asyncio.Event()
        self._over = asyncio.Event()
        self.failure: HostError | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._calls: set[asyncio.Task[None]] = set()
        self._take(self._engine.recover(clock.now()))

    def start(self, name: str, input_: str | None, instance_id: str | None = None) -> str:
        """Start an instance; `input_` is JSON text. A finished instance of that id is replaced.

        Raises HostError if an instance with that id is still running, or no orchestrator has that name.
        """
        if not self.worker.has_orchestrator(name):
            raise HostError(f"The function '{name}' doesn't exist, is disabled, or is not an orchestrator function.")
        instance_id = instance_id or uuid.uuid4().hex
        if (existing := self.store.load(instance_id)) is not None and not existing.terminal:
            raise HostError(f"An Orchestration instance with the status {existing.status} already exists.")
        self.send(StartInstance(instance_id, name, uuid.uuid4().hex, input_))
        return instance_id

    def send(self, message: Message) -> None:
        """Send the engine a message. Its effects are performed after the next `flush`, which `run` and `drain` call.

        Raises HostError if the host cannot continue.
        """
        if self.failure is not None:
            raise self.failure
        try:
            self._take(self._engine.apply(self.clock.now(), message))
            if not isinstance(message, (EntityCalled, EntityFinished)):
                self._log.tell(message.instance_id, message)
        except Exception as error:
            raise self.fail(error) from None
        self._wake.set()

    def _take(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, RunEpisode) and self.worker.is_ours(effect.name):
                self._replays.append(effect)
            else:
                self._applied.append(effect)

    def flush(self) -> None:
        """Commit what was applied; after that its effects may be performed, and callers may be answered.

        Raises HostError if the store cannot be written: the host cannot continue, and nobody was told what is lost.
        """
        self._commit()
        self._ready += self._replays
        self._replays.clear()

    async def committed(self) -> None:
        """Wait until what was applied is committed, in one transaction with what others have applied meanwhile.

        Raises HostError like `flush`.
        """
        if self.failure is not None or not self._at_work:
            self.flush()
        elif self.store.changed:
            answer = asyncio.get_running_loop().create_future()
            self._unanswered.append(answer)
            self._wake.set()
            await answer

    def _commit(self) -> None:
        if self.failure is not None:
            raise self.failure
        try:
            self.store.commit()
        except Exception as error:
            raise self.fail(error) from None
        for effect in self._applied:
            if isinstance(effect, SetTimer):
                self._timers.set(effect)
            elif isinstance(effect, CancelTimer):
                self._timers.cancel(effect)
            else:
                self._ready.append(effect)
        self._applied.clear()
        self._answer()

    def _answer(self) -> None:
        """Let everybody go on who waits for the commit, or for a failure."""
        for answer in self._unanswered:
            if not answer.done():  # its caller may have gone
                answer.set_result(None) if self.failure is None else answer.set_exception(self.failure)
        self._unanswered.clear()

    def fail(self, error: BaseException) -> HostError:
        """Record that the host cannot continue; returns the reason as a sentence. The first reason counts."""
        if self.failure is None:
            if isinstance(error, HostError):
                self.failure = error
            else:
                logger.critical("the local host has failed; this is a bug in the local host", exc_info=error)
                self.failure = HostError(f"the local host has failed ({type(error).__name__}); see the log")
            self._over.set()
            self._wake.set()
            self._answer()
        return self.failure

    async def failed(self) -> HostError:
        """Wait until the host cannot continue; returns why."""
        await self._over.wait()
        assert self.failure is not None
        return self.failure

    @property
    def next_timer(self) -> datetime | None:
        """When the next timer is due."""
        return self._timers.next_due()

    @property
    def idle(self) -> bool:
        """Whether nothing is left to do until a timer fires or a request arrives."""
        return not (self._applied or self._replays or self._ready or self._tasks)

    def fire_due(self) -> None:
        """Fire every timer that is due."""
        for timer in self._timers.take_due(self.clock.now()):
            self.send(TimerFired(timer.instance_id, timer.execution_id, timer.task_id, timer.fire_at))

    async def drain(self) -> None:
        """Work until nothing is left to do before a timer fires or a request arrives: first what came first."""
        while True:
            self.fire_due()
            if not self._ready:
                await self._replay()
            self.flush()
            if self._ready:
                await self._perform(self._ready.popleft())
            elif not self._timers.due(self.clock.now()):
                return

    async def run(self) -> None:
        """Work until the host cannot continue. Cancel the task to stop; nothing that was committed is lost."""
        self._at_work = True
        try:
            await self._run()
        except Exception as error:
            self.fail(error)
        finally:
            self._at_work = False
            if self._unanswered:
                self._commit()

    async def _run(self) -> None:
        orchestrators = asyncio.Semaphore(self.settings.max_orchestrators)
        activities = asyncio.Semaphore(self.settings.max_activities)
        limits = {RunActivity: activities, RunEpisode: orchestrators, RunEntity: orchestrators}
        while True:
            await asyncio.sleep(0)  # whatever else has arrived joins the same transaction
            self._wake.clear()
            self.fire_due()
            await self._replay()
            self._commit()
            while self._ready:
                effect = self._ready.popleft()
                task = asyncio.create_task(self._limited(effect, limits[type(effect)]))
                self._tasks.add(task)
                task.add_done_callback(self._on_task_end)
            await set_within(self._wake, 0.0 if self._replays else self._pause())

    async def _replay(self) -> None:
        """Call our own orchestrator for the runs that go on, for as long as TOGETHER says."""
        until = time.perf_counter() + TOGETHER
        while self._replays and time.perf_counter() < until:
            await self._perform(self._replays.popleft())

    def call(self, work: Coroutine[Any, Any, None]) -> None:
        """Call a function of the app beside everything else; `quiet` and `shut_down` wait for it. It must not raise."""
        task = asyncio.create_task(work)
        self._calls.add(task)
        task.add_done_callback(self._calls.discard)

    async def shut_down(self, grace: float) -> None:
        """Wait up to `grace` seconds for running functions, and keep their results."""
        if self._tasks or self._calls:
            await asyncio.wait(self._tasks | self._calls, timeout=grace)
        self.flush()

    def close(self) -> None:
        """Close the store: with everything, or, if the host has failed, as of the last commit. Raises HostError."""
        if self.failure is None:
            self.flush()
        self.store.abandon()
        self.worker.close()

    async def quiet(self) -> None:
        """While `run` works, wait until nothing is left to do before a timer fires or a request arrives.

        Raises HostError if the host cannot continue.
        """
        while self._calls or not self.idle:
            if self.failure is not None:
                raise self.failure
            if self._tasks or self._calls:
                await asyncio.wait(self._tasks | self._calls, return_when=asyncio.FIRST_COMPLETED)
            await asyncio.sleep(0)

    def wake(self) -> None:
        """Make `run` check the clock again."""
        self._wake.set()

    def _pause(self) -> float | None:
        """Seconds until something may be due; a clock that skips jumps to the next timer when the host is idle."""
        due = self.next_timer
        if due is None:
            return None
        if self.idle and isinstance(self.clock, SkippingClock):
            self.clock.skip_to(due)
        return max(0.0, (due - self.clock.now()).total_seconds())

    def _on_task_end(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self.fail(error)

    async def _limited(self, effect: Work, limit: asyncio.Semaphore) -> None:
        async with limit:
            await self._perform(effect)

    async def _perform(self, effect: Work) -> None:
        self.activities_run += isinstance(effect, RunActivity) and effect.name != HTTP_ACTIVITY
        self.send(await outcome_of(effect, self.worker))
