"""graphs.lock.json: the graphs as they are deployed, and how a new lock is derived from the previous one.

    {"format": 1, "graphs": {NAME: {"default": VERSION, "versions": {VERSION:
        {"graph_hash": …, "serves": [older hashes], "manifest": {…}, "code": {HANDLER: digest}}}}}}

`serves` is what makes a safe change harmless: a run pinned to one of these hashes continues with this version. A hash
is only added for a change that was found to be safe.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import LockError, ManifestError, PayloadError
from ..graph.documents import parse_object, read_text
from ..graph.manifest import GraphManifest
from ..graph.nodes import get, read_object
from .changes import Change, Impact, code_changes, heaviest, manifest_changes

FORMAT = 1
FILE_NAME = "graphs.lock.json"


@dataclass(frozen=True)
class LockedVersion:
    """One version of a graph: its manifest, the digests of its code, and the older hashes whose runs it serves."""

    manifest: GraphManifest
    code: Mapping[str, str]
    serves: tuple[str, ...] = ()

    @property
    def graph_hash(self) -> str:
        """The hash of the manifest."""
        return self.manifest.graph_hash

    @property
    def version(self) -> str:
        """The version that the graph's author gave it."""
        return self.manifest.version

    def to_dict(self) -> dict[str, Any]:
        """The JSON form."""
        return {
            "graph_hash": self.graph_hash,
            "serves": sorted(self.serves),
            "manifest": self.manifest.to_dict(),
            "code": dict(self.code),
        }


@dataclass(frozen=True)
class LockedGraph:
    """All versions of a graph; new runs get the default."""

    default: str
    versions: Mapping[str, LockedVersion]


@dataclass(frozen=True)
class Lock:
    """The whole file."""

    graphs: Mapping[str, LockedGraph] = field(default_factory=dict)

    def to_text(self) -> str:
        """The file's text: sorted, so that a pull request shows what changed and nothing else."""
        graphs = {
            name: {
                "default": graph.default,
                "versions": {version: locked.to_dict() for version, locked in graph.versions.items()},
            }
            for name, graph in self.graphs.items()
        }
        return json.dumps({"format": FORMAT, "graphs": graphs}, indent=2, sort_keys=True) + "\n"

    @classmethod
    def from_text(cls, text: str, name: str = FILE_NAME) -> Lock:
        """Read a lock. Raises LockError for any other text: one sentence that begins with the file's name."""
        try:
            data = parse_object(text)
        except PayloadError as error:
            raise LockError(f"{name}: {error}; restore the file from git, or remove it and run `nox -s lock`") from None
        if data.get("format") != FORMAT or not isinstance(data.get("graphs"), dict):
            raise LockError(
                f"{name} is not a lock of format {FORMAT}; update the runtime, or restore the file from git"
            )
        return cls({graph: _read_graph(graph, entry, name) for graph, entry in data["graphs"].items()})

    @classmethod
    def read(cls, path: Path, name: str = FILE_NAME) -> Lock | None:
        """The lock in a file, or None if there is no such file. Raises LockError like `from_text`."""
        try:
            return cls.from_text(read_text(path), name)
        except FileNotFoundError:
            return None
        except PayloadError as error:
            raise LockError(f"{name}: {error}") from None

    def hashes(self, graph: str) -> set[str]:
        """Every hash of a graph whose runs this lock serves."""
        versions = self.graphs[graph].versions.values() if graph in self.graphs else ()
        return {h for locked in versions for h in (locked.graph_hash, *locked.serves)}


@dataclass(frozen=True)
class VersionChange:
    """What happened to one version of one graph. `before` is None if it is new, `after` if it was dropped."""

    graph: str
    version: str
    before: LockedVersion | None
    after: LockedVersion | None
    changes: tuple[Change, ...]

    @property
    def impact(self) -> Impact:
        """The heaviest impact of its changes."""
        return heaviest(list(self.changes))

    @property
    def kind(self) -> str:
        """new, dropped, changed or same."""
        if self.before is None:
            return "new"
        if self.after is None:
            return "dropped"
        return "changed" if self.changes else "same"


def compare(old: Lock, new: Lock) -> list[VersionChange]:
    """What happened to every version, sorted by graph and version."""
    found = []
    for graph in sorted(set(old.graphs) | set(new.graphs)):
        before = old.graphs[graph].versions if graph in old.graphs else {}
        after = new.graphs[graph].versions if graph in new.graphs else {}
        for version in sorted(set(before) | set(after)):
            was, now = before.get(version), after.get(version)
            changes: list[Change] = []
            if was is not None and now is not None:
                changes = [*manifest_changes(was.manifest, now.manifest), *code_changes(was.code, now.code)]
            found.append(VersionChange(graph, version, was, now, tuple(changes)))
    return found


def next_lock(old: Lock, new: Sequence[LockedVersion]) -> Lock:
    """The lock of the versions that are now registered, in the order of registration, derived from the previous lock.

    A version whose change is safe serves the runs of its earlier hashes; one whose change is breaking does not.
    Raises LockError for two different graphs with the same name and version.
    """
    graphs: dict[str, dict[str, LockedVersion]] = {}
    for locked in new:
        versions = graphs.setdefault(locked.manifest.graph_name, {})
        other = versions.get(locked.version)
        if other is not None and other.graph_hash != locked.graph_hash:
            raise LockError(
                f"graph {locked.manifest.graph_name!r} is registered twice as version {locked.version!r}, "
                "with different manifests; give one of them a version of its own"
            )
        versions[locked.version] = _with_served_hashes(old, locked)
    return Lock({name: LockedGraph(list(versions)[-1], versions) for name, versions in graphs.items()})


def _with_served_hashes(old: Lock, locked: LockedVersion) -> LockedVersion:
    graph = old.graphs.get(locked.manifest.graph_name)
    before = graph.versions.get(locked.version) if graph else None
    if before is None or heaviest(manifest_changes(before.manifest, locked.manifest)) is Impact.BREAKING:
        return locked
    serves = {*before.serves, before.graph_hash} - {locked.graph_hash}
    return LockedVersion(locked.manifest, locked.code, tuple(sorted(serves)))


def _read_graph(graph: str, entry: Any, name: str) -> LockedGraph:
    where = f"{name}: graph {graph!r}"
    try:
        read_object(entry, "entry", {"default", "versions"})
        default, found = get(entry, "default", str, "entry"), get(entry, "versions", dict, "entry")
        versions = {version: _read_version(data, f"versions.{version}") for version, data in found.items()}
        hashes = {version: locked.graph_hash for version, locked in versions.items()}
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise LockError(f"{where}: its entry cannot be read ({error}); restore the file from git") from None
    for version, locked in versions.items():
        named = (locked.manifest.graph_name, locked.version, hashes[version])
        if named != (graph, version, found[version]["graph_hash"]):
            raise LockError(
                f"{where}, version {version!r} was edited by hand (its name or hash does not match its manifest); "
                "restore the file from git, then run `nox -s lock`"
            )
    if default not in versions:
        raise LockError(f"{where} has no version {default!r}, which is its default; restore the file from git")
    return LockedGraph(default, versions)


def _read_version(data: Any, path: str) -> LockedVersion:
    read_object(data, path, {"graph_hash", "serves", "manifest", "code"})
    serves, code = get(data, "serves", list, path), get(data, "code", dict, path)
    get(data, "graph_hash", str, path)
    if not all(isinstance(text, str) for text in (*serves, *code.values())):
        raise ManifestError(f"{path}: serves must be a list of hashes, and code must map handlers to digests")
    return LockedVersion(GraphManifest.from_dict(get(data, "manifest", dict, path)), code, tuple(serves))
