"""A manifest as an SVG picture, without a browser or a service.

Nodes are arranged in rows by their distance from the entrypoint; each kind has its colour. Edges are drawn from box to
box, and those that lead back are curved. All text is escaped; the same manifest gives the same text.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from html import escape

from ..graph.manifest import GraphManifest
from ..graph.names import COMPLETE
from ..graph.regions import joins
from .mermaid import label

WIDTH, HEIGHT, GAP_X, GAP_Y, MARGIN = 170, 40, 30, 50, 20
OPEN = "decided at run time"

_STYLE = (
    "text{font:13px sans-serif;text-anchor:middle;dominant-baseline:central;fill:#1b1f24}"
    ".box{fill:#fff;stroke:#57606a;stroke-width:1.2}.end{fill:#f0f3f6}.map{fill:#e8f1fb}.parallel{fill:#fdf3e0}"
    ".subgraph{fill:#eee8fb}.wait{fill:#fbe8ef}.edge{fill:none;stroke:#57606a;marker-end:url(#tip)}"
    ".route{stroke-dasharray:6 3}.error{stroke:#b3261e;stroke-dasharray:2 3}"
)


@dataclass(frozen=True)
class Box:
    """One box: its text, its kind, and its centre."""

    text: str
    kind: str
    x: float
    y: float


def svg(manifest: GraphManifest) -> str:
    """The whole picture."""
    edges = list(_edges(manifest))
    boxes = _place_boxes(manifest, edges)
    width = max(box.x for box in boxes.values()) + WIDTH / 2 + MARGIN + 40
    height = max(box.y for box in boxes.values()) + HEIGHT / 2 + MARGIN
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:g} {height:g}" width="{width:g}" '
        f'height="{height:g}" role="img" aria-label="graph {escape(manifest.graph_name)}">',
        f"<style>{_STYLE}</style>",
        '<defs><marker id="tip" viewBox="0 0 8 8" refX="8" refY="4" markerWidth="8" markerHeight="8" orient="auto">'
        '<path d="M0 0 8 4 0 8z" fill="#57606a"/></marker></defs>',
        *(_edge(boxes[source], boxes[target], kind) for source, target, kind in edges),
        *(_box(box) for box in boxes.values()),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _edges(manifest: GraphManifest) -> Iterator[tuple[str, str, str]]:
    """(from, to, kind); "" is the start, COMPLETE the end, OPEN a route without declared targets."""
    yield "", manifest.entrypoint, "static"
    ends: dict[str, str | None] = joins(manifest.nodes)
    for name in sorted(manifest.nodes):
        node = manifest.nodes[name]
        if node.next_node:
            yield name, node.next_node, "route" if node.routed else "static"
        elif node.terminal and name not in ends:
            yield name, COMPLETE, "static"
        elif not node.routed and name not in manifest.branches and ends.get(name):
            yield name, str(ends[name]), "static"
        if node.routed and node.targets is None:
            yield name, OPEN, "route"
        for target in sorted(set(node.targets or ()) - {node.next_node}):
            if target != COMPLETE or name not in ends:
                yield name, target, "route"
            elif ends[name]:
                yield name, str(ends[name]), "route"
        for branch in node.branches or ():
            yield name, branch, "static"
        for target in sorted(set((node.on_error or {}).values())):
            yield name, target, "error"


def _place_boxes(manifest: GraphManifest, edges: list[tuple[str, str, str]]) -> dict[str, Box]:
    """Every box by its name, in rows by its distance from the start."""
    rank = {"": 0}
    frontier = [""]
    while frontier:
        source = frontier.pop(0)
        for start, target, _ in edges:
            if start == source and target not in rank:
                rank[target] = rank[source] + 1
                frontier.append(target)
    if COMPLETE in rank:
        rank[COMPLETE] = max(rank.values()) + (0 if max(rank.values()) == rank[COMPLETE] else 1)
    rows: dict[int, list[str]] = {}
    for name in sorted(rank, key=lambda name: (rank[name], name)):
        rows.setdefault(rank[name], []).append(name)
    widest = max(map(len, rows.values()))
    boxes = {}
    for number, names in rows.items():
        left = MARGIN + WIDTH / 2 + (widest - len(names)) * (WIDTH + GAP_X) / 2
        for column, name in enumerate(names):
            x, y = left + column * (WIDTH + GAP_X), MARGIN + HEIGHT / 2 + number * (HEIGHT + GAP_Y)
            boxes[name] = Box(*_text(manifest, name), x, y)
    return boxes


def _text(manifest: GraphManifest, name: str) -> tuple[str, str]:
    if name in manifest.nodes:
        return label(manifest.nodes[name]), manifest.nodes[name].kind
    return {"": "start", COMPLETE: "complete"}.get(name, name), "end"


def _box(box: Box) -> str:
    round_ = HEIGHT / 2 if box.kind in ("end", "wait") else 4
    left, top = box.x - WIDTH / 2, box.y - HEIGHT / 2
    text = box.text if len(box.text) <= 24 else box.text[:23] + "…"
    return (
        f'<g><title>{escape(box.text)}</title><rect class="box {box.kind}" x="{left:g}" y="{top:g}" width="{WIDTH}" '
        f'height="{HEIGHT}" rx="{round_:g}"/><text x="{box.x:g}" y="{box.y:g}">{escape(text)}</text></g>'
    )


def _edge(source: Box, target: Box, kind: str) -> str:
    if target.y > source.y:
        path = f"M{source.x:g} {source.y + HEIGHT / 2:g} L{target.x:g} {target.y - HEIGHT / 2:g}"
    else:  # back, or to itself: curved, on the right
        right, bow = source.x + WIDTH / 2, max(source.x, target.x) + WIDTH / 2 + 40
        into = f"{target.x + WIDTH / 2:g} {target.y + 12:g}"
        path = f"M{right:g} {source.y:g} C{bow:g} {source.y:g} {bow:g} {target.y + 12:g} {into}"
    return f'<path class="edge {kind}" d="{path}"/>'
