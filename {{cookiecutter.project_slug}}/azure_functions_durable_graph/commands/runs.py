"""The command `runs`: lists the runs of a served app."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from .long_work import shown
from .served_app import Say, as_line, local_time, tag_text

if TYPE_CHECKING:
    from ..http.responses import RunRow
    from ..remote.clients import GraphClient

PAGE = 200
"""Runs that one request can list."""

COLUMNS = ("run", "graph", "version", "status", "node", "step", "started", "about")


@dataclass(frozen=True)
class Wanted:
    """Which runs are listed, and how many at most."""

    limit: int = 50
    graph: str | None = None
    status: Any = None
    since: datetime | None = None
    until: datetime | None = None
    tags: Mapping[str, str] = field(default_factory=dict)


def list_runs(client: GraphClient, wanted: Wanted, say: Say, *, json: bool = False, ids: bool = False) -> None:
    """Print the runs that match, in the order in which the app lists them; as JSON, or their ids, one run a line."""
    found, more = collect(client, wanted)
    if json or ids:
        for run in found:
            say(run.id if ids else as_line(run))
        return
    from .tables import print_table

    if not found:
        say("no runs")
        return
    print_table(COLUMNS, [_row(run) for run in found])
    if more:
        say(f"({len(found)} runs are shown, and there are more: --limit N)")


def collect(client: GraphClient, wanted: Wanted) -> tuple[list[RunRow], bool]:
    """Up to `limit` runs, from as many pages as it takes; and whether there are more."""
    with shown("reading runs …") as tell:
        return _collect(client, wanted, tell)


def _collect(client: GraphClient, wanted: Wanted, tell: Callable[[str], None]) -> tuple[list[RunRow], bool]:
    found: dict[str, RunRow] = {}
    cursor: str | None = None
    while True:
        page = client.list(
            graph=wanted.graph,
            status=wanted.status,
            since=wanted.since,
            until=wanted.until,
            tags=wanted.tags,
            limit=min(PAGE, wanted.limit - len(found)),
            cursor=cursor,
        )
        found.update((run.id, run) for run in page.runs)  # a run may stand on two pages
        tell(f"reading runs … {len(found)}")
        cursor = page.cursor
        if cursor is None or len(found) >= wanted.limit:
            return list(found.values()), cursor is not None


def _row(run: RunRow) -> tuple[object, ...]:
    about = " ".join(filter(None, [run.error, tag_text(run.tags)]))
    return run.id, run.graph, run.version, run.status, run.node, run.step, local_time(run.started_at), about
