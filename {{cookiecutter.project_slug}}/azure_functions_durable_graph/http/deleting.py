"""Delete a run with everything that it has started, at any depth."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator

from ..graph.names import child_prefix
from ..graph.plan import STARTING, nodes_of
from ..history.record import RunRecord
from .api import Api, find_run
from .values import Problem, Request, Response

PAGE, AT_ONCE, MOST_DELETED = 100, 20, 1000
"""Runs in one request to the engine, runs that are deleted at once, and by one request of a client."""

Below = tuple[int, RunRecord]
"""A run below another, and how deep."""


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
    for _, run in below:
        if not run.finished:
            text = f"the run {run.id!r}, which {record.id!r} has started, is {run.status}; cancel it first"
            raise Problem("run-live", text)
    await _purge(api, below[:MOST_DELETED])
    if len(below) > MOST_DELETED:
        text = f"{MOST_DELETED} runs that {record.id!r} has started were deleted, and more are left: repeat the request"
        raise Problem("deletion-unfinished", text)
    if not await api.runs.purge(record.id):
        raise Problem("run-not-found", f"there is no run {record.id!r}")
    return Response(204, None)


async def _below(api: Api, record: RunRecord) -> list[Below]:
    """All runs below a run, each after those that it has started; no more than it takes to know that there are more.

    So whatever is left out, nothing is listed that still has a run below it that is not.
    """
    found: list[Below] = []

    async def collect(owner: RunRecord, depth: int) -> None:
        for graph in _graphs_below(api, owner):
            async for run in _started_by(api, owner, graph):
                if not run.is_part:  # what a part has started belongs to the run of which it is a part
                    await collect(run, depth + 1)
                if len(found) > MOST_DELETED:
                    return
                found.append((depth, run))

    await collect(record, 1)
    return found


async def _started_by(api: Api, owner: RunRecord, graph: str) -> AsyncIterator[RunRecord]:
    """The runs of a graph that a run or its parts have started.

    An id may have been chosen by anybody: what counts is who has started the run.
    """
    cursor = ""
    while True:
        heads, cursor = await api.runs.beginning(child_prefix(graph, owner.id), cursor, PAGE)
        for head in heads:
            run = await api.runs.get(head.id)
            if run is not None and run.run.get("owner") == owner.id:
                yield run
        if not cursor:
            return


def _graphs_below(api: Api, record: RunRecord) -> Iterator[str]:
    """The graphs of which a run may have started runs: its own, and those that its nodes run; any, if it is gone."""
    plan = record.run["plan"]
    graphs = (api.registry.find(plan["graph"], plan["hash"]), api.registry.default(plan["graph"]))
    known = [graph for graph in graphs if graph is not None]
    planned = nodes_of(plan).values()
    specs = [spec for graph in known for spec in graph.manifest.nodes.values()]
    if known and {spec.kind for spec in specs}.union(node.get("kind") for node in planned).isdisjoint(STARTING):
        return
    names = {spec.graph for spec in specs if spec.graph}
    if not known:  # nobody knows any more which graphs it has run
        names = {graph.graph_name for graph in api.registry.defaults()}
    yield from sorted({plan["graph"], *names, *(node["graph"] for node in planned if "graph" in node)})


async def _purge(api: Api, runs: list[Below]) -> None:
    """Delete runs, the deepest first: no run is gone while one below it is left."""
    for depth in sorted({depth for depth, _ in runs}, reverse=True):
        level = [run for its_depth, run in runs if its_depth == depth]
        for first in range(0, len(level), AT_ONCE):
            await asyncio.gather(*(api.runs.purge(run.id) for run in level[first : first + AT_ONCE]))
