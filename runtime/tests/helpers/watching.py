"""Watch what crosses the protocol: every call of the orchestrator with its context and outcome, every activity."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from azure_functions_durable_graph.host.engine.actions import Outcome
from azure_functions_durable_graph.testing import GraphHost


@dataclass
class Recording:
    """What one host has passed to the SDK, and what the SDK returned."""

    episodes: list[tuple[str, str, Outcome]] = field(default_factory=list)
    activities: list[dict[str, Any]] = field(default_factory=list)

    @property
    def nodes(self) -> list[str]:
        """The node of each activity."""
        return [call["node"] for call in self.activities]

    @property
    def statuses(self) -> list[dict[str, Any]]:
        """The custom status after each episode."""
        return [json.loads(outcome.custom_status or "null") for _, _, outcome in self.episodes]


def record(host: GraphHost) -> Recording:
    """Record everything from now on. Every episode is run twice: a replay must give exactly the same answer."""
    recording = Recording()
    worker: Any = host._host.worker
    orchestrate, run_activity = worker.orchestrate, worker.run_activity

    async def recorded_episode(name: Any, context: Any) -> Any:
        outcome = await orchestrate(name, context)
        assert await orchestrate(name, context) == outcome, "the same history gave two different answers"
        recording.episodes.append((name, context, outcome))
        return outcome

    async def recorded_activity(name: Any, input_: Any) -> Any:
        recording.activities.append(json.loads(input_))
        return await run_activity(name, input_)

    worker.orchestrate, worker.run_activity = recorded_episode, recorded_activity
    return recording
