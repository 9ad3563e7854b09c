"""Lists of runs: a page for people, and how many live runs each version of a graph still has."""

from __future__ import annotations

from collections import Counter

from ..graph.names import did_you_mean
from ..history.record import LIVE, STATUSES
from ..history.views import run_line
from .api import Api, find_graph
from .values import Problem, Request, Response

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
COUNT_LIMIT = 5000
"""Live runs that are looked at to count them; beyond it a count is a lower bound, and the answer says so."""


async def list_runs(api: Api, request: Request) -> Response:
    """200: a page of runs, newest state first as the engine lists them; `?graph=&status=&limit=&cursor=`."""
    status, graph = request.query.get("status"), request.query.get("graph")
    if status is not None and status not in STATUSES:
        raise Problem("invalid", f"there is no status {status!r}; {did_you_mean(status, STATUSES)}")
    wanted = STATUSES[status] if status else frozenset().union(*STATUSES.values())
    records, cursor = await api.runs.page(wanted, request.query.get("cursor", ""), _limit(request))
    lines = [run_line(record) for record in records if status in (None, record.status)]
    shown = [line for line in lines if graph in (None, line["graph"])]
    return Response(200, {"runs": shown, "cursor": cursor or None})


async def get_graph(api: Api, request: Request) -> Response:
    """200: one graph with its manifest, and its versions with how many live runs each still has.

    A version that live runs need and this deployment lacks is listed too, with `deployed` false: its runs are parked.
    """
    graph = find_graph(api, request)
    counts, complete = await _live_runs(api, graph.graph_name)
    deployed = {other.graph_hash: other.manifest.version for other in api.registry.versions(graph.graph_name)}
    held = {key for key in counts if key[0] not in deployed}
    versions = [_version(graph_hash, version, counts, True) for graph_hash, version in deployed.items()]
    versions += [_version(graph_hash, version, counts, False) for graph_hash, version in sorted(held)]
    for entry in versions:
        entry["default"] = entry["graph_hash"] == graph.graph_hash
    answer = {
        "graph": graph.graph_name,
        "version": graph.manifest.version,
        "graph_hash": graph.graph_hash,
        "versions": versions,
        "live_runs_complete": complete,
        "manifest": graph.manifest.to_dict(),
    }
    return Response(200, answer)


def _version(graph_hash: str, version: str, counts: Counter[tuple[str, str]], deployed: bool) -> dict[str, object]:
    return {
        "version": version,
        "graph_hash": graph_hash,
        "live_runs": counts[graph_hash, version],
        "deployed": deployed,
    }


async def _live_runs(api: Api, graph: str) -> tuple[Counter[tuple[str, str]], bool]:
    """Live runs of a graph by (hash, version), and whether all were counted."""
    counts: Counter[tuple[str, str]] = Counter()
    cursor, seen = "", 0
    while seen < COUNT_LIMIT:
        records, cursor = await api.runs.page(set(LIVE), cursor, MAX_LIMIT)
        seen += MAX_LIMIT
        lines = [run_line(record) for record in records]
        counts.update((line["graph_hash"], line["version"]) for line in lines if line["graph"] == graph)
        if not cursor:
            return counts, True
    return counts, False


def _limit(request: Request) -> int:
    text = request.query.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= MAX_LIMIT):
        raise Problem("invalid", f"limit is a whole number from 1 to {MAX_LIMIT}, not {text!r}")
    return int(text)
