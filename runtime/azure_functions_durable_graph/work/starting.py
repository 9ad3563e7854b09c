"""The first input of a run: every start uses this, over HTTP, by a schedule, or as a subgraph."""

from __future__ import annotations

from typing import Any

from ..errors import InputError
from ..graph.fields import input_names, reads_raw_input, unknown_fields
from ..graph.names import did_you_mean
from ..graph.plain_json import check
from ..graph.registration import GraphRegistration
from ..graph.sizes import MOST_BYTES, check_state, check_value
from ..graph.states import dump, load
from ..run.inputs import with_input
from ..run.messages import RUN_FORMAT, RunInput


def new_run(
    graph: GraphRegistration, given: dict[str, Any], metadata: Any, started_at: str, most_bytes: int = MOST_BYTES
) -> RunInput:
    """The orchestration input of a new run, pinned to `graph`.

    Raises InputError for a key that the state does not have, pydantic's ValidationError for an input that is not a
    valid state, PayloadError for one that is not plain JSON, or too large where `most_bytes` may be sent at once.
    """
    check(given, "input")
    _reject_unknown(graph, given)
    state = dump(load(graph.state_model, given))
    check(state, "input")
    run: RunInput = {
        "format": RUN_FORMAT,
        "plan": graph.manifest.plan(),
        "input": {},
        "metadata": metadata,
        "started_at": started_at,
        "state": state,
        "node": graph.manifest.entrypoint,
        "step": 0,
        "trail": [],
        "max_payload_bytes": most_bytes,
    }
    run = with_input(run, given)
    what = f"the input of a run of graph {graph.graph_name!r}"
    check_state(state, most_bytes, what)
    check_value(run, most_bytes, what, state)
    return run


def _reject_unknown(graph: GraphRegistration, given: dict[str, Any]) -> None:
    """A key that nothing reads is a mistake, as in an update; but a model that reads its raw input may use it."""
    model = graph.state_model
    unknown = [] if reads_raw_input(model) else unknown_fields(model, given)
    if unknown:
        raise InputError(graph.graph_name, {key: did_you_mean(key, input_names(model)) for key in unknown})
