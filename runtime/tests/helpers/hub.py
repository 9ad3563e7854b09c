"""A local host with hand-written orchestrators, as in any Durable Functions app."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import azure.durable_functions as df

from azure_functions_durable_graph.host.app.loader import index_app
from azure_functions_durable_graph.host.app.loops import LoopThread
from azure_functions_durable_graph.host.app.worker import Worker
from azure_functions_durable_graph.host.clock import ManualClock
from azure_functions_durable_graph.host.engine.history_events import decode
from azure_functions_durable_graph.host.engine.instance import Instance
from azure_functions_durable_graph.host.engine.messages import RaiseEvent
from azure_functions_durable_graph.host.local_host import LocalHost

_LOOP = LoopThread("test-hub")


class Hub:
    """Plain functions as activities and orchestrators, in memory, with a clock that moves only when told to."""

    def __init__(self, *functions: Callable[..., Any], entities: tuple[Callable[..., Any], ...] = ()) -> None:
        """A generator function is an orchestrator, any other function an activity with one argument `given`."""
        app = df.DFApp()
        for function in entities:
            app.entity_trigger(context_name="context")(function)
        for function in functions:
            if function.__code__.co_flags & 0x20:
                app.orchestration_trigger(context_name="context")(function)
            else:
                app.activity_trigger(input_name="given")(function)
        self.app = app
        self.clock = ManualClock()
        self.host = LocalHost(Worker(index_app(app)), self.clock)

    def run(self, name: str, given: Any = None, instance_id: str = "i") -> Instance:
        """Start an instance and work until the host is idle."""
        text = None if given is None else json.dumps(json.dumps(given))
        self._do(lambda: self.host.start(name, text, instance_id))
        return self.get(instance_id)

    def raise_event(self, name: str, data: Any = None, instance_id: str = "i") -> Instance:
        """Raise an event as the SDK's client does: JSON text of JSON text."""
        return self.send(RaiseEvent(instance_id, name, json.dumps(json.dumps(data))))

    def send(self, *messages: Any) -> Instance:
        """Send messages that arrive at the same instant."""

        def deliver() -> None:
            for message in messages:
                self.host.send(message)

        self._do(deliver)
        return self.get(messages[0].instance_id)

    def send_nothing(self) -> None:
        """Do the work that a store has left."""
        self._do(lambda: None)

    def advance(self, span: timedelta) -> None:
        """Let time pass, from timer to timer."""
        target = self.clock.now() + span
        while (due := self.host.next_timer) is not None and due <= target:
            self.clock.move_to(due)
            self._do(lambda: None)
        self.clock.move_to(target)

    def get(self, instance_id: str = "i") -> Instance:
        """The instance as it is stored."""
        found = self.host.store.load(instance_id)
        assert found is not None
        return found

    def output(self, instance_id: str = "i") -> Any:
        """The decoded output."""
        return decode(self.get(instance_id).output)

    def events(self, instance_id: str = "i") -> list[dict[str, Any]]:
        """The history of the current generation."""
        return [json.loads(text) for text in self.get(instance_id).history]

    def _do(self, action: Callable[[], Any]) -> None:
        async def work() -> None:
            action()
            await self.host.drain()

        run: Coroutine[Any, Any, None] = work()
        _LOOP.submit(run).result()
