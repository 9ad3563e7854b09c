"""A host in memory that counts what its runs cost, and lets time pass to whatever comes next."""

from __future__ import annotations

import time
from datetime import timedelta
from pathlib import Path
from typing import cast

from ...graph.registration import GraphRegistration
from ...graph.sizes import MOST_BYTES
from ..engine.actions import Outcome
from .graph_host import GraphHost
from .stopping_worker import StoppingWorker
from .tally import Tally


class CountingWorker(StoppingWorker):
    """Tells a tally of every call."""

    tally: Tally

    async def orchestrate(self, name: str, context: str) -> Outcome:
        """As the worker does, and counted."""
        began = time.perf_counter()
        outcome = await super().orchestrate(name, context)
        self.tally.called(context, outcome, time.perf_counter() - began)
        return outcome

    async def run_activity(self, name: str, input_: str) -> str:
        """As the worker does, and timed."""
        began = time.perf_counter()
        try:
            return await super().run_activity(name, input_)
        finally:
            self.tally.activities.append(time.perf_counter() - began)


class CountingHost(GraphHost):
    """A GraphHost with a `tally` of all its runs."""

    worker_class = CountingWorker

    def __init__(self, *registrations: GraphRegistration, max_payload_bytes: int = MOST_BYTES) -> None:
        self.tally = Tally()
        super().__init__(*registrations, max_payload_bytes=max_payload_bytes)

    def __enter__(self) -> CountingHost:
        return self

    def deploy(
        self, *registrations: GraphRegistration, lock: Path | None = None, max_payload_bytes: int | None = None
    ) -> None:
        """As any host does."""
        super().deploy(*registrations, lock=lock, max_payload_bytes=max_payload_bytes)
        cast(CountingWorker, self._host.worker).tally = self.tally

    def pass_to_next_timer(self) -> bool:
        """Let time pass to the next timer, if there is one."""
        due = self._host.next_timer
        if due is not None:
            self.advance(max(due - self.clock.now(), timedelta(0)))
        return due is not None
