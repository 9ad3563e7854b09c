"""What the nodes of a test's runs report by `context.progress`: everything, in order, and at once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ...graph.progress import ProgressValue


@dataclass
class Reports:
    """The reports of all runs on one host."""

    by_run: dict[str, list[dict[str, Any]]] = field(default_factory=dict)

    def reporter_for(self, place: Mapping[str, Any]) -> Recorder:
        """Where one call of a node reports to."""
        where = {key: value for key, value in place.items() if key not in ("run_id", "graph", "version")}
        return Recorder(where, self.by_run.setdefault(str(place["run_id"]), []))


@dataclass(frozen=True)
class Recorder:
    """Keeps what one call of a node reports, with its place."""

    where: Mapping[str, Any]
    entries: list[dict[str, Any]]

    def report(self, value: ProgressValue) -> None:
        """Keep the value."""
        self.entries.append({**self.where, "value": value})

    async def close(self) -> None:
        """What was reported stays: a test looks at it afterwards."""
