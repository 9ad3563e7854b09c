"""The command `lock`: compare the app's graphs with graphs.lock.json, and write it.

Exit codes, for pipelines: 0 up to date (or written), 3 the lock is out of date, 4 a change needs a new version, 5 live
runs need a version that is dropped. What cannot be read is 1, as everywhere.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..change.code_digests import code_digests
from ..change.lock import FILE_NAME, Lock, LockedVersion, VersionChange, compare, next_lock
from ..change.report import as_json, as_markdown, as_text, needs_new_version
from ..errors import HostError
from ..graph.documents import why
from ..graph.wording import counted
from ..host.app.loader import load_runtime
from ..host.app.settings import apply_local_settings
from ..work.registry import Registry
from .asking import ask
from .baseline import WAYS_OUT, baseline

NEVER_DEPLOYED = "urn:durable-graph:graph-not-found"
"""The problem type that an app returns for a graph that it does not have. Any other 404 has another cause."""

UP_TO_DATE, OUT_OF_DATE, NEEDS_VERSION, STILL_NEEDED = 0, 3, 4, 5


@dataclass(frozen=True)
class LockOptions:
    """The options of the command line. `base` says what is deployed: a file, a git revision, or "none"."""

    folder: Path
    check: bool = False
    as_json: bool = False
    base: str | None = None
    summary: str | None = None
    against_runs: str | None = None
    key: str | None = None


@dataclass(frozen=True)
class Report:
    """What a run of the command found. `reason` says what the graphs were compared with."""

    reason: str
    found: list[VersionChange]
    code: int
    verdict: str
    warnings: list[str]

    def to_dict(self) -> dict[str, Any]:
        """For programs."""
        return {
            "exit_code": self.code,
            "verdict": self.verdict,
            "baseline": self.reason,
            "versions": as_json(self.found),
            "warnings": self.warnings,
        }


def run_lock(options: LockOptions, say: Callable[[str], None]) -> int:
    """Check or write the lock, and report what changed. Raises HostError or LockError for what cannot be read."""
    path = options.folder / FILE_NAME
    on_disk = Lock.read(path)
    apply_local_settings(options.folder)
    with contextlib.redirect_stdout(sys.stderr):  # what the app prints is not the report
        runtime = load_runtime(options.folder)
    runtime.check()
    registered = locked_versions(runtime.registry)
    deployed = baseline(options.folder, options.base, on_disk)
    wanted = next_lock(deployed.lock, registered)
    found = compare(deployed.lock, wanted)
    code, verdict = _verdict(options, on_disk, wanted, registered, found)
    if not options.check and code == UP_TO_DATE and wanted != on_disk:
        verdict = _write(path, wanted)
    if code == NEEDS_VERSION and not deployed.certain:
        verdict = f"{verdict}\n{WAYS_OUT}"
    _report(options, say, Report(deployed.reason, found, code, verdict, runtime.warnings))
    return code


def _write(path: Path, lock: Lock) -> str:
    try:
        path.write_text(lock.to_text(), encoding="utf-8")
    except OSError as error:
        raise HostError(f"{FILE_NAME} cannot be written: {why(error)}") from None
    return f"wrote {FILE_NAME}"


def locked_versions(registry: Registry) -> list[LockedVersion]:
    """Every registered version, as it would be locked."""
    return [
        LockedVersion(graph.manifest, code_digests(graph))
        for default in registry.defaults()
        for graph in registry.versions(default.graph_name)
    ]


def _verdict(
    options: LockOptions,
    on_disk: Lock | None,
    wanted: Lock,
    registered: list[LockedVersion],
    found: list[VersionChange],
) -> tuple[int, str]:
    breaking = needs_new_version(found)
    if breaking:
        names = ", ".join(f"{item.graph} {item.version}" for item in breaking)
        return NEEDS_VERSION, f"new versions are needed: {names}"
    if options.check:
        if on_disk is None:
            return OUT_OF_DATE, f"{FILE_NAME} does not exist; run `nox -s lock` and commit it"
        if next_lock(on_disk, registered).to_text() != on_disk.to_text() or not _covers(on_disk, wanted):
            return OUT_OF_DATE, f"{FILE_NAME} is out of date; run `nox -s lock`, read its report, and commit the file"
    if options.against_runs:
        needed = _still_needed(options.against_runs, options.key, wanted, found)
        if needed:
            return STILL_NEEDED, "; ".join(needed)
    return UP_TO_DATE, f"{FILE_NAME} is up to date"


def _covers(on_disk: Lock, wanted: Lock) -> bool:
    """Whether the lock serves every hash that it would serve if it had been derived from the deployed lock."""
    return all(wanted.hashes(graph) <= on_disk.hashes(graph) for graph in wanted.graphs)


def _still_needed(url: str, key: str | None, wanted: Lock, found: list[VersionChange]) -> list[str]:
    """A sentence for each hash to which live runs are pinned and which the new lock does not serve."""
    sentences = []
    for graph in sorted({item.graph for item in found if item.before is not None}):
        serves = wanted.hashes(graph)
        for version in _deployed_versions(url, key, graph):
            if version["live_runs"] and version["graph_hash"] not in serves:
                sentences.append(
                    f"version {version['version']} of {graph} ({version['graph_hash'][:12]}) still has "
                    f"{counted(version['live_runs'], 'live run')}: keep it registered until they have finished"
                )
    return sentences


def _deployed_versions(url: str, key: str | None, graph: str) -> list[dict[str, Any]]:
    place = f"{url.rstrip('/')}/graphs/{graph}"
    code, answer = ask(place, {"x-functions-key": key} if key else {})
    body = answer if isinstance(answer, dict) else {}
    if code == 404 and body.get("type") == NEVER_DEPLOYED:
        return []
    if code in (401, 403):
        raise HostError(f"{place} answered {code}; is the key correct?")
    versions = body.get("versions")
    if code != 200 or not isinstance(versions, list) or not all(map(_is_version, versions)):
        raise HostError(
            f"{place} answered {code}, but not as an app with durable graphs would; use the app's URL, such as "
            "https://APP.azurewebsites.net"
        )
    return versions


def _is_version(data: Any) -> bool:
    kinds = {"version": str, "graph_hash": str, "live_runs": int}
    return isinstance(data, dict) and all(isinstance(data.get(key), kind) for key, kind in kinds.items())


def _report(options: LockOptions, say: Callable[[str], None], report: Report) -> None:
    summary = options.summary or os.environ.get("GITHUB_STEP_SUMMARY")
    if summary:
        try:
            with Path(summary).open("a", encoding="utf-8") as file:
                file.write(f"{as_markdown(report.found)}\n{report.reason}.\n\n**{report.verdict}**\n")
        except OSError as error:
            raise HostError(f"the summary {summary} cannot be written: {why(error)}") from None
    if options.as_json:
        say(json.dumps(report.to_dict(), indent=2))
    else:
        warnings = [f"warning: {text}" for text in report.warnings]
        say("\n".join([*warnings, f"{report.reason}:", as_text(report.found), report.verdict]))
