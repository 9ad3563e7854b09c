"""What changed between two locks: text for a terminal, Markdown with diagrams for a pull request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from ..declare.mermaid import flowchart
from ..graph.manifest import GraphManifest
from .changes import Impact
from .lock import VersionChange

_MARKS = {Impact.COSMETIC: "·", Impact.SAFE: "✓", Impact.BREAKING: "✗"}

DROPPED = "is no longer registered: its runs in flight are parked until it is deployed again"
FIX = "Give the graph a new version, and keep the old one registered beside it until its runs have finished"


def needs_new_version(found: Sequence[VersionChange]) -> list[VersionChange]:
    """The versions with changes that runs in flight would not survive."""
    return [item for item in found if item.kind == "changed" and item.impact is Impact.BREAKING]


def as_text(found: Sequence[VersionChange]) -> str:
    """One line per changed version, with its changes below."""
    lines = [line for item in found for line in _text(item)]
    return "\n".join(lines or ["No graph has changed."])


def as_json(found: Sequence[VersionChange]) -> list[dict[str, Any]]:
    """The same for programs."""
    return [
        {
            "graph": item.graph,
            "version": item.version,
            "kind": item.kind,
            "impact": item.impact.value if item.kind == "changed" else None,
            "before": item.before.graph_hash if item.before else None,
            "after": item.after.graph_hash if item.after else None,
            "changes": [{"impact": change.impact.value, "text": change.text} for change in item.changes],
        }
        for item in found
    ]


def as_markdown(found: Sequence[VersionChange]) -> str:
    """For a job summary: each changed version with a table of its changes, and its diagram before and after."""
    changed = [item for item in found if item.kind != "same"]
    lines = ["## Graphs", ""]
    if not changed:
        lines.append("No graph has changed.")
    for item in changed:
        lines += [f"### {_title(item)}", ""]
        if item.changes:
            lines += ["| impact | change |", "|---|---|"]
            lines += [f"| {change.impact.value} | {_escape(change.text)} |" for change in item.changes]
            lines.append("")
        lines += _diagrams(item)
    return "\n".join(lines).rstrip() + "\n"


def _text(item: VersionChange) -> Iterator[str]:
    if item.kind == "same":
        return
    yield _title(item)
    for change in item.changes:
        yield f"  {_MARKS[change.impact]} {change.impact.value}: {change.text}"
    if item in needs_new_version([item]):
        yield f"  {FIX}."


def _title(item: VersionChange) -> str:
    name = f"{item.graph}, version {item.version}"
    if item.kind == "dropped":
        return f"{name} {DROPPED}"
    return f"{name}: {item.impact.value if item.kind == 'changed' else item.kind}"


def _diagrams(item: VersionChange) -> Iterator[str]:
    before = item.before.manifest if item.before else None
    after = item.after.manifest if item.after else None
    if before and after and flowchart(before) == flowchart(after):
        return
    for label, manifest in (("before", before), ("after", after)):
        if manifest is not None:
            yield from _diagram(label, manifest)


def _diagram(label: str, manifest: GraphManifest) -> Iterator[str]:
    yield f"{label.capitalize()}:"
    yield ""
    yield "```mermaid"
    yield flowchart(manifest).rstrip()
    yield "```"
    yield ""


def _escape(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
