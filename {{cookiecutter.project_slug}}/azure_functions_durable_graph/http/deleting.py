"""Delete a run with everything that it has started, at any depth."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

from ..graph.names import child_prefix
from ..graph.registration import GraphRegistration
from ..history.record import RunHead, RunRecord
from .api import Api, find_run
from .values import Problem, Request, Response

PAGE, AT_ONCE, MOST_DELETED = 100, 20, 1000
"""Runs in one request to the engine, runs that are deleted at once, and by one request of a client."""


async def delete_run(api: Api, request: Request) -> Response:
    """204: the finished run is deleted with its history, and so is all that it has started.

    What is deepest goes first and the run itself last, so that a request which could not finish can be repeated.
    Problems: 404; 409 for a part of another run, and where the run or one below it has not finished; 503 where more
    runs are left than one request deletes.
    """
    record = await find_run(api, request)
    if record.is_part:
        whole = record.run.get("owner", record.said["part_of"])
        raise Problem("run-part", f"the run {record.id!r} is a part of run {whole!r}: delete that one")
    if not record.finished:
        raise Problem("run-live", f"the run {record.id!r} is {record.status}; cancel it first")
    below = await _below(api, record)
    for run in below:
        if not run.finished:
            text = f"the run {run.id!r}, which {record.id!r} has started, is {run.status}; cancel it first"
            raise Problem("run-live", text)
    await _purge(api, list(reversed(below))[:MOST_DELETED])
    if len(below) > MOST_DELETED:
        text = f"{MOST_DELETED} runs that {record.id!r} has started were deleted, and more are left: ask again"
        raise Problem("deletion-unfinished", text)
    if not await api.runs.purge(record.id):
        raise Problem("run-not-found", f"there is no run {record.id!r}")
    return Response(204, None)


async def _below(api: Api, record: RunRecord) -> list[RunRecord]:
    """All runs below a run, each after the one that has started it; no more than it takes to know that there are more.

    An id may have been chosen by anybody: what counts is who has started the run.
    """
    found: list[RunRecord] = []
    owners = [record]
    while owners and len(found) <= MOST_DELETED:
        owner = owners.pop(0)
        for graph in _graphs_below(api, owner):
            for head in await _heads(api, child_prefix(graph, owner.id)):
                run = await api.runs.get(head.id)
                if run is not None and run.run.get("owner") == owner.id:
                    found.append(run)
                    owners += [] if run.is_part else [run]
    return found


async def _heads(api: Api, prefix: str) -> list[RunHead]:
    heads, cursor = await api.runs.beginning(prefix, "", PAGE)
    while cursor and len(heads) <= MOST_DELETED:
        more, cursor = await api.runs.beginning(prefix, cursor, PAGE)
        heads += more
    return heads


def _graphs_below(api: Api, record: RunRecord) -> Iterator[str]:
    """The graphs of which a run may have started runs: its own, and those that its nodes run; any, if it is gone."""
    plan = record.run["plan"]
    graphs = (api.registry.find(plan["graph"], plan["hash"]), api.registry.default(plan["graph"]))
    known = [graph for graph in graphs if graph is not None]
    if known and not any(_starts_runs(graph) for graph in known):
        return
    names = {spec.graph for graph in known for spec in graph.manifest.nodes.values() if spec.graph}
    if not known:  # nobody knows any more which graphs it has run
        names = {graph.graph_name for graph in api.registry.defaults()}
    yield from sorted({plan["graph"], *names, *_planned(record)})


def _starts_runs(graph: GraphRegistration) -> bool:
    return any(spec.kind in ("parallel", "map", "subgraph") for spec in graph.manifest.nodes.values())


def _planned(record: RunRecord) -> set[str]:
    return {node["graph"] for node in record.run["plan"]["nodes"].values() if "graph" in node}


async def _purge(api: Api, runs: list[RunRecord]) -> None:
    for first in range(0, len(runs), AT_ONCE):
        await asyncio.gather(*(api.runs.purge(run.id) for run in runs[first : first + AT_ONCE]))
