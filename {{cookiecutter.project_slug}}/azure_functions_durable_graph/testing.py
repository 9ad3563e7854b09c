"""Run a graph in a test: the real SDK, full replay on every step, and a clock that jumps.

    run = run_graph(registration, {"order_id": "A-1"})
    assert run.path == ["validate", "ship"]
    assert run.state.shipped

A run continues until it needs something from outside: an event (`run.send`) or time (`run.advance`). Nothing sleeps.
These are plain functions, for `def` and `async def` tests alike.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from .azure.app import DurableGraphApp
from .errors import HistoryError
from .graph.registration import GraphRegistration
from .history.recording import RecordedRun
from .host.harness.graph_host import GraphHost, check_registration
from .host.harness.graph_run import GraphRun
from .host.replay import replay
from .http.values import Problem
from .work.packages import registrations_in

__all__ = ["GraphHost", "GraphRun", "HistoryError", "Problem", "registrations_in", "replay_recording", "run_graph"]


def run_graph(
    registration: GraphRegistration,
    input: Mapping[str, Any],  # noqa: A002 - the word that HTTP and `schedule` use
    *,
    metadata: Mapping[str, Any] | None = None,
    fail: Mapping[str, Sequence[Exception | None] | Mapping[int, Sequence[Exception | None]]] | None = None,
) -> GraphRun:
    """Run one graph until it is finished or needs something from outside.

    `fail` lists, for a node, what its calls raise, in order; for None, and after the last, the handler runs.
    For a map, it may list that for single items, by their index: `{"score": {3: [ConnectionError()]}}`.
    Raises Problem (422) if `input` does not match the state model, RegistrationError if `registration` has not been
    built, and TypeError if `input` is not a dict.
    """
    check_registration(registration, "run_graph")
    host = GraphHost(registration)
    for node, calls in (fail or {}).items():
        if isinstance(calls, Mapping):
            for item, its in calls.items():
                host.fail(node, *its, item=item)
        else:
            host.fail(node, *calls)
    return host.start(registration.graph_name, input, metadata=metadata)


def replay_recording(path: Path, app: DurableGraphApp) -> None:
    """Replay a file that the command `record` wrote, against the graphs of `app`.

    Raises HistoryError, which names the first difference between the recording and today's code, or what is wrong with
    the file.
    """
    run = RecordedRun.read(path)
    try:
        replay(run, app.registry)
    except HistoryError:
        raise
    except Exception as error:
        raise HistoryError(f"{path.name} cannot be replayed: {type(error).__name__}: {error}") from error
