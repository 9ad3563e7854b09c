"""The run whose cost is counted: one that really runs here, in memory, or one that was recorded and is replayed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import HistoryError, HostError
from ..graph.wording import counted
from ..history.recording import RecordedRun
from ..host.harness.counting_host import CountingHost
from ..host.harness.graph_run import GraphRun
from ..host.harness.tally import Tally
from ..host.replay import replay
from ..http.values import Problem
from ..work.registry import Registry

MOST_TIMERS = 10_000
"""Timers after which a run is given up."""

ENDED = frozenset({"completed", "failed", "cancelled"})

CHILD_KEYS = frozenset({"child", "branch", "share", "item"})
"""Keys of the input of a run that another run has started."""


@dataclass(frozen=True)
class CountedRun:
    """A run and all runs below it: where it went, how it ended, what it made the engine do, and what is not known."""

    version: str
    path: list[str]
    ending: str
    tally: Tally
    activities: list[float]
    notes: list[str]


def run_here(registry: Registry, graph: str, given: Any, events: Sequence[tuple[str, Any]]) -> CountedRun:
    """Run a graph, with its handlers, in memory. Each event is sent when the run waits for it; time passes otherwise.

    Raises HostError if the run cannot start, or cannot end with these events.
    """
    with CountingHost(*registry.all(), max_payload_bytes=registry.most_bytes) as host:
        try:
            run = host.start(graph, given)
            left = list(events)
            _finish(host, run, left)
        except Problem as problem:
            raise HostError(problem.detail) from None
        if left:
            raise HostError(f"the run {_ending(run)} before it waited for {left[0][0]}; leave out that --event")
        version, path, before = str(run.view["version"]), run.path, run.steps[0]["step"]
        notes = [f"the path shows the last {len(path)} steps; the {before:,} before them are counted, too"]
        return CountedRun(version, path, _ending(run), host.tally, host.tally.activities, notes if before else [])


def _finish(host: CountingHost, run: GraphRun, events: list[tuple[str, Any]]) -> None:
    for _ in range(MOST_TIMERS):
        while run.status not in ENDED and events and events[0][0] in run.waits:
            run.send(*events.pop(0))
        if run.status in ENDED:
            return
        if run.status == "parked":
            raise HostError(f"the run is parked: {run.view['parked']}")
        if not host.pass_to_next_timer():
            asked = ", ".join(dict.fromkeys(run.waits))
            answer = f"; --event {events[0][0]} is for another wait" if events else ""
            raise HostError(f"the run waits for {asked}: answer it with --event '{run.waits[0]}={{…}}'{answer}")
    raise HostError(f"the run has not ended after {MOST_TIMERS:,} timers; it is {run.status} at {run.view['node']}")


def _ending(run: GraphRun) -> str:
    error = run.error or {}
    return f"{run.status}: {error.get('type')}: {error.get('message')}" if error else run.status


def replayed(registry: Registry, graph: str, files: Sequence[Path]) -> CountedRun:
    """Replay recordings: of a run of the graph, and of the runs below it. No handler is called.

    Raises HistoryError for a recording that cannot be read or goes another way today.
    """
    tally, notes = Tally(), list[str]()
    runs = [(RecordedRun.read(file), file.name) for file in files]
    _check_set(graph, runs)
    for run, name in runs:
        try:
            replay(run, registry, partial(tally.called, child=not CHILD_KEYS.isdisjoint(run.input)))
        except HistoryError:
            raise
        except Exception as error:
            raise HistoryError(f"{name} cannot be replayed: {type(error).__name__}: {error}") from error
        if run.input["trail"] or run.input["step"]:
            notes.append(f"{name} begins at step {run.input['step']}: generations before are not in it")
    missing = tally.counts()["child"] - sum(not CHILD_KEYS.isdisjoint(run.input) for run, _ in runs)
    if missing > 0:
        notes.append(f"not counted: {counted(missing, 'run')} below these; record them, and pass their files as well")
    first = next(run for run, _ in runs if run.input["plan"]["graph"] == graph)
    return CountedRun(
        first.input["plan"]["version"], _path(first), first.runtime_status.lower(), tally, tally.waited, notes
    )


def _path(run: RecordedRun) -> list[str]:
    """The nodes whose activities are in a recording; a node with several, for items or attempts, stands once."""
    results = [event["result"] for event in run.events if event["kind"] == "activity"]
    nodes = [str(step["node"]) for result in results for step in (result, *result.get("then", ()))]
    return [node for place, node in enumerate(nodes) if nodes[place - 1 : place] != [node]]


def _check_set(graph: str, runs: Sequence[tuple[RecordedRun, str]]) -> None:
    graphs = {name: run.input["plan"]["graph"] for run, name in runs}
    if graph not in graphs.values():
        found = ", ".join(f"{name} is of {of}" for name, of in graphs.items())
        raise HistoryError(f"none of the recordings is of a run of {graph}: {found}")
    ids = [run.id for run, _ in runs]
    if twice := sorted({one for one in ids if ids.count(one) > 1}):
        raise HistoryError(f"the run {twice[0]} is recorded twice; pass each run once")
