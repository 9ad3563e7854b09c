"""The first input of a run."""

from __future__ import annotations

from typing import Any

from ..graph.plain_json import check
from ..graph.registration import GraphRegistration
from ..graph.states import dump, load
from ..run.messages import RUN_FORMAT, RunInput


def new_run(graph: GraphRegistration, given: dict[str, Any], metadata: Any, started_at: str) -> RunInput:
    """The orchestration input of a new run, pinned to `graph`.

    Raises pydantic's ValidationError for an input that is no state, PayloadError for one that is no plain JSON.
    """
    state = dump(load(graph.state_model, given))
    check(state, "input")
    return {
        "format": RUN_FORMAT,
        "plan": graph.manifest.plan(),
        "input": given,
        "metadata": metadata,
        "started_at": started_at,
        "state": state,
        "node": graph.manifest.entrypoint,
        "step": 0,
        "trail": [],
    }
