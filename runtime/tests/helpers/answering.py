"""What a sender is told, and what a run's management API is told behind the API's back."""

from __future__ import annotations

from typing import Any

import pytest

from azure_functions_durable_graph.http.events import get_event
from azure_functions_durable_graph.testing import GraphRun, Problem


def told(run: GraphRun, where: str) -> Any:
    """What the Location of an answer says."""
    return run.host.call(get_event, dict(zip(("id", "event_id"), where.split("/"), strict=True)))


def location(answer: Any) -> str:
    return f"{answer['id']}/{answer['event_id']}"


def refused(run: GraphRun, *args: Any, **named: Any) -> Problem:
    with pytest.raises(Problem) as caught:
        run.send(*args, **named)
    return caught.value


def manage(run: GraphRun, verb: str) -> None:
    """Suspend, resume or terminate behind the API's back."""
    management = run.host._management
    assert management.handle("POST", f"instances/{run.id}/{verb}", {"reason": "test"}, b"").status == 202
