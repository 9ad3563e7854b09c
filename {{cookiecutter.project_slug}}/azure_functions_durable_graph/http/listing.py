"""Lists of runs: a page for people, and how many live runs each version of a graph still has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import replace

from ..graph.names import did_you_mean
from ..history.record import LIVE, STATUSES, RunRecord
from ..history.views import run_line
from .api import Api, find_graph
from .cursors import Place, read_cursor
from .values import Problem, Request, Response

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
SCAN_LIMIT = 5000
"""Instances that one request for a page looks at."""
COUNT_LIMIT = 5000
"""Live runs that are looked at to count them; beyond it a count is a lower bound, and the answer says so."""


async def list_runs(api: Api, request: Request) -> Response:
    """200: a page of runs, in the order in which the engine lists them; `?graph=&status=&limit=&cursor=`.

    The engine knows neither graphs nor our statuses. So a page goes on over the engine's pages until it is full, or
    SCAN_LIMIT instances have been looked at: then it may be short, and its cursor leads on.
    """
    status, graph = request.query.get("status"), request.query.get("graph")
    if status is not None and status not in STATUSES:
        raise Problem("invalid", f"there is no status {status!r}; {did_you_mean(status, STATUSES)}")
    place = read_cursor(request.query.get("cursor", ""), MAX_LIMIT)
    limit = _limit(request)
    wanted = STATUSES[status] if status else frozenset().union(*STATUSES.values())

    def keep(record: RunRecord) -> bool:
        return status in (None, record.status) and graph in (None, record.run["plan"]["graph"])

    size = limit if status is None and graph is None else MAX_LIMIT
    shown, following = await _fill(api, wanted, keep, limit, place or Place("", "", size))
    if not shown and following is None and place is None:
        _check_graph(api, graph)
    lines = [run_line(record) for record in shown]
    return Response(200, {"runs": lines, "cursor": None if following is None else following.text()})


async def _fill(
    api: Api, statuses: frozenset[str], keep: Callable[[RunRecord], bool], limit: int, place: Place
) -> tuple[list[RunRecord], Place | None]:
    """Up to `limit` runs from a place on, and the place at which the next page begins."""
    shown: list[RunRecord] = []
    for _ in range(SCAN_LIMIT // place.size):
        records, token = await api.runs.page(statuses, place.token, place.size)
        for record in filter(keep, place.rest_of(records)):
            if len(shown) == limit:
                return shown, replace(place, after=shown[-1].id)
            shown.append(record)
        place = Place(token, "", place.size)
        if not token or len(shown) == limit:
            return shown, place if token else None
    return shown, place


def _check_graph(api: Api, graph: str | None) -> None:
    """Refuse the name of a graph that is neither deployed nor has any run: it is a mistake. Problem: 404."""
    names = {known.graph_name for known in api.registry.defaults()}
    if graph is not None and graph not in names:
        text = f"there is no graph {graph!r}, and no run of one; {did_you_mean(graph, names)}"
        raise Problem("graph-not-found", text)


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
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_LIMIT):
        raise Problem("invalid", f"limit is a whole number from 1 to {MAX_LIMIT}, not {text[:20]!r}")
    return int(text)
