"""Lists of runs: a page for people, and how many live runs each version of a graph still has."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta, timezone
from difflib import get_close_matches

from ..graph.names import did_you_mean
from ..history.arrivals import moment
from ..history.record import LIVE, STATUSES, RunHead
from ..history.views import list_line
from .api import Api, find_graph, with_children
from .cursors import Place, read_cursor
from .values import Problem, Request, Response

DEFAULT_LIMIT, MAX_LIMIT = 50, 200
SCAN_LIMIT = 5000
"""Instances that one request for a page looks at."""
COUNT_LIMIT, COUNT_PAGE = 5000, 1000
"""Live runs that are looked at to count them, so many at a time; beyond the first a count is a lower bound, and the
answer says so."""
AT_ONCE = 20
"""Runs with others below them that are completed at the same time."""
SKEW = timedelta(minutes=5)
"""How far the clock of the app may be ahead of the engine's."""

BEFORE_ALL_RUNS = datetime(2000, 1, 1, tzinfo=timezone.utc)
"""The engine is not asked for what is older: it need not filter, and its storage has no times before 1601."""

TAG = "tag."
KEYS = ("graph", "status", "since", "until", "limit", "cursor")
"""What a list of runs reads of its query, besides tags."""


@dataclass(frozen=True)
class _Filter:
    """What of the runs a client wants to see."""

    graph: str | None = None
    status: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    tags: dict[str, str] = field(default_factory=dict)

    def may_keep(self, head: RunHead) -> bool:
        """Whether the run is wanted, whatever its status."""
        return (
            not head.is_part
            and self.graph in (None, head.said["graph"])
            and all(head.said.get("tags", {}).get(key) == value for key, value in self.tags.items())
            and self._keeps_time(moment(head.started_at))
        )

    def _keeps_time(self, started: datetime | None) -> bool:
        if started is None:
            return self.since is None and self.until is None
        return (self.since is None or self.since <= started) and (self.until is None or started < self.until)

    @property
    def engine_since(self) -> datetime | None:
        """What the engine may leave out: it knows when a generation began, which is never before the run's start."""
        return None if self.since is None or self.since < BEFORE_ALL_RUNS else self.since - SKEW


async def list_runs(api: Api, request: Request) -> Response:
    """200: a page of runs, in the order in which the engine lists them; branches of a run are shown with that run.

    `?graph=`, `status=`, `since=` (started at or after), `until=` (started before), `tag.KEY=VALUE`, `limit=`,
    `cursor=`. A run that only waits for others stands as they do: it waits for an answer where one of them does.

    The engine knows little of that. So a page goes on over the engine's pages until it is full, or SCAN_LIMIT instances
    have been looked at: then it may be short, and its cursor leads on.
    """
    wanted = _read_filter(request)
    place = read_cursor(request.query.get("cursor", ""), MAX_LIMIT)
    limit = _limit(request)
    size = limit if wanted == _Filter() else MAX_LIMIT
    shown, following = await _fill(api, wanted, limit, place or Place("", "", size))
    if not shown and following is None and place is None:
        _check_graph(api, wanted.graph)
    lines = [list_line(head) for head in shown]
    return Response(200, {"runs": lines, "cursor": None if following is None else following.text()})


def _read_filter(request: Request) -> _Filter:
    query = request.query
    _refuse_misspelt(query)
    status = query.get("status")
    if status is not None and status not in STATUSES:
        raise Problem("invalid", f"there is no status {status!r}; {did_you_mean(status, STATUSES)}")
    tags = {key[len(TAG) :]: value for key, value in query.items() if key.startswith(TAG)}
    return _Filter(query.get("graph"), status, _time(request, "since"), _time(request, "until"), tags)


def _refuse_misspelt(query: Mapping[str, str]) -> None:
    """A filter that is misspelt must not list everything. What is like no filter comes from proxies and is ignored."""
    for key in query:
        near = get_close_matches(key, [*KEYS, TAG], n=1, cutoff=0.7)
        if key not in KEYS and not key.startswith(TAG) and near:
            name = f"{TAG}KEY" if near[0] == TAG else near[0]
            raise Problem("invalid", f"runs cannot be filtered by {key!r}; did you mean {name!r}?")


def _time(request: Request, key: str) -> datetime | None:
    text = request.query.get(key)
    found = moment(text)
    if text is not None and found is None:
        raise Problem("invalid", f"{key} must be a time such as 2026-01-31T08:00:00Z, not {text[:40]!r}")
    return found


async def _fill(api: Api, wanted: _Filter, limit: int, place: Place) -> tuple[list[RunHead], Place | None]:
    """Up to `limit` runs from a place on, and the place at which the next page begins."""
    statuses = STATUSES[wanted.status] if wanted.status else frozenset().union(*STATUSES.values())  # type: ignore[index]
    shown: list[RunHead] = []
    for _ in range(SCAN_LIMIT // place.size):
        heads, token = await api.runs.page(statuses, place.token, place.size, wanted.engine_since)
        kept = [head for head in place.rest_of(heads) if wanted.may_keep(head)]
        for head in await _with_what_they_wait_for(api, kept, heads):
            if wanted.status not in (None, head.status):
                continue
            if len(shown) == limit:
                return shown, replace(place, after=shown[-1].id)
            shown.append(head)
        place = Place(token, "", place.size)
        if not token or len(shown) == limit:
            return shown, place if token else None
    return shown, place


async def _with_what_they_wait_for(api: Api, runs: Sequence[RunHead], page: Sequence[RunHead]) -> Sequence[RunHead]:
    """The same, but those that only wait for others with these: a question may be asked by a run below.

    Most stand in the same page of the engine. The others are read one by one, several at a time.
    """
    at_hand = {head.id: head for head in page}

    async def look(run_id: str) -> RunHead | None:
        return at_hand.get(run_id) or await api.runs.get(run_id)

    async def complete(run: RunHead) -> RunHead:
        async with gate:
            return await with_children(look, run)

    gate = asyncio.Semaphore(AT_ONCE)
    return await asyncio.gather(*(complete(run) for run in runs))


def _check_graph(api: Api, graph: str | None) -> None:
    """Refuse the name of a graph that is neither deployed nor has any run: it is a mistake. Problem: 404."""
    names = {known.graph_name for known in api.registry.defaults()}
    if graph is not None and graph not in names:
        text = f"there is no graph {graph!r}, and no run of one; {did_you_mean(graph, names)}"
        raise Problem("graph-not-found", text)


async def get_graph(api: Api, request: Request) -> Response:
    """200: one graph with its manifest, and its versions with how many live runs each still has.

    A version that live runs need is listed whether or not it is registered: `served_by` is the hash of the graph that
    runs it, and without one (`deployed` is false) its runs are parked.
    """
    graph = find_graph(api, request)
    name = graph.graph_name
    counts, complete = await _live_runs(api, name)
    registered = {other.graph_hash: other.manifest.version for other in api.registry.versions(name)}
    listed = [*registered.items(), *sorted(key for key in counts if key[0] not in registered)]
    versions = []
    for graph_hash, version in listed:
        server = api.registry.find(name, graph_hash)
        entry = {
            "version": version,
            "graph_hash": graph_hash,
            "live_runs": counts[graph_hash, version],
            "deployed": server is not None,
            "served_by": None if server is None else server.graph_hash,
            "default": graph_hash == graph.graph_hash,
        }
        versions.append(entry)
    answer = {
        "graph": name,
        "version": graph.manifest.version,
        "graph_hash": graph.graph_hash,
        "versions": versions,
        "live_runs_complete": complete,
        "manifest": graph.manifest.to_dict(),
    }
    return Response(200, answer)


async def _live_runs(api: Api, graph: str) -> tuple[Counter[tuple[str, str]], bool]:
    """Live runs of a graph by (hash, version), and whether all were counted."""
    counts: Counter[tuple[str, str]] = Counter()
    cursor, seen = "", 0
    while seen < COUNT_LIMIT:
        heads, cursor = await api.runs.page(set(LIVE), cursor, COUNT_PAGE)
        seen += COUNT_PAGE
        runs = [head for head in heads if head.said["graph"] == graph and not head.is_part]
        counts.update((head.said["hash"], head.said["version"]) for head in runs)
        if not cursor:
            return counts, True
    return counts, False


def _limit(request: Request) -> int:
    text = request.query.get("limit", str(DEFAULT_LIMIT))
    if not (text.isascii() and text.isdigit() and len(text) < 10 and 1 <= int(text) <= MAX_LIMIT):
        raise Problem("invalid", f"limit must be a whole number from 1 to {MAX_LIMIT}, not {text[:20]!r}")
    return int(text)
