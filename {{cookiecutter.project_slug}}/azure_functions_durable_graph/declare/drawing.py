"""A graph as boxes and arrows: what every picture of it shows, whoever draws it.

Boxes: a node by its name; `start:`, and per node `open:`, `end:`, `join:` and `wait:`. Names of nodes have no colon.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..graph.manifest import GraphManifest
from ..graph.names import COMPLETE
from ..graph.nodes import NodeSpec
from ..graph.regions import regions

START = "start:"
ANY = "*"
OTHERWISE, OTHER_ERRORS, DEADLINE = "otherwise", "other errors", "deadline"

Wait = Mapping[str, Any]
"""A wait of a route, as `waits_in_code` gives it."""


@dataclass(frozen=True)
class Box:
    """A node, or a mark beside one. `kind`: that of a node; or start, end, join, event, sleep or open.

    `title` and `note` are the texts in it. `waits` is the node of an event or a sleep, `joins` that of a join.
    """

    id: str
    kind: str
    title: str
    note: str = ""
    node: str | None = None
    waits: str | None = None
    events: Sequence[str] = ()
    joins: str | None = None


@dataclass(frozen=True)
class Arrow:
    """Where a run goes. `kind`: static, route (one of several), wait (on an event), late (when time is up), error."""

    start: str
    end: str
    kind: str
    label: str = ""


@dataclass
class Drawing:
    """All of both, in the order in which a run meets them, each of them once."""

    boxes: dict[str, Box] = field(default_factory=dict)
    arrows: dict[tuple[str, str, str], Arrow] = field(default_factory=dict)

    def box(self, box: Box) -> None:
        """Add a box."""
        self.boxes.setdefault(box.id, box)

    def arrow(self, arrow: Arrow) -> None:
        """Add an arrow; to one between the same boxes, of the same kind, add its label."""
        key = (arrow.start, arrow.end, arrow.kind)
        known = self.arrows.get(key, replace(arrow, label=""))
        labels = [label for label in (known.label, arrow.label) if label]
        self.arrows[key] = replace(known, label=", ".join(dict.fromkeys(labels)))

    def to_dict(self) -> dict[str, list[dict[str, Any]]]:
        """As plain JSON, without what is empty."""
        boxes = [{key: value for key, value in vars(box).items() if value} for box in self.boxes.values()]
        arrows = [{"from": a.start, "to": a.end, "kind": a.kind, "label": a.label} for a in self.arrows.values()]
        return {"boxes": boxes, "arrows": arrows}


def drawing(manifest: GraphManifest, waits: Sequence[Wait] = ()) -> Drawing:
    """The graph, with the waits that are known of its routes."""
    found = Drawing()
    found.box(Box(START, "start", "start"))
    found.arrow(Arrow(START, manifest.entrypoint, "static"))
    ends = _ends(manifest.nodes)
    for name in _in_order(manifest):
        node = manifest.nodes[name]
        found.box(Box(name, node.kind, name, _note(node), node=name))
        mine = [wait for wait in waits if wait["node"] == name]
        for index, wait in enumerate(mine):
            _draw_wait(found, name, wait, f"wait:{name}:{index}")
        _draw_onward(found, manifest, node, mine, ends.get(name))
    _draw_open_ends(found)
    found.arrows = {key: one for key, one in found.arrows.items() if one.end in found.boxes}
    return found


def span(seconds: float | None) -> str:
    """Seconds as people say them: `90 s`, `5 min`, `36 h`, `30 d`."""
    amount = seconds or 0.0
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if amount >= 2 * size or amount == size:
            return f"{round(amount / size, 1):g} {unit}"
    return f"{round(amount, 2):g} s"


def _ends(nodes: Mapping[str, NodeSpec]) -> dict[str, NodeSpec]:
    """The innermost parallel in a branch of which a node is, for the nodes in branches."""
    found: dict[str, tuple[int, NodeSpec]] = {}
    for parallel in nodes.values():
        for region in regions(nodes, parallel).values():
            for name in region:
                if name not in found or len(region) < found[name][0]:
                    found[name] = (len(region), parallel)
    return {name: parallel for name, (_, parallel) in found.items()}


def _in_order(manifest: GraphManifest) -> list[str]:
    """The nodes as a run meets them, then those that nothing leads to."""
    queue = [manifest.entrypoint]
    for name in queue:
        node = manifest.nodes.get(name)
        if node is not None:
            edges = [*(node.branches or ()), node.next_node, *(node.targets or ()), *(node.on_error or {}).values()]
            queue += [other for other in dict.fromkeys(edges) if other and other not in queue]
    return [name for name in dict.fromkeys([*queue, *manifest.nodes]) if name in manifest.nodes]


def _draw_wait(found: Drawing, name: str, wait: Wait, box_id: str) -> None:
    events: Mapping[str, str] = wait.get("events") or {}
    found.arrow(Arrow(name, box_id, "route"))
    if not events:
        title = f"sleep {span(wait['seconds'])}" if wait.get("seconds") else "sleep"
        found.box(Box(box_id, "sleep", title, waits=name))
        found.arrow(Arrow(box_id, wait["resume_node"], "static"))
        return
    found.box(Box(box_id, "event", " or ".join(events), waits=name, events=list(events)))
    for event, target in events.items():
        found.arrow(Arrow(box_id, target, "wait", event if len(events) > 1 else ""))
    if wait.get("timeout_node"):
        after = f"after {span(wait['timeout'])}" if wait.get("timeout") else DEADLINE
        found.arrow(Arrow(box_id, wait["timeout_node"], "late", after))


def _draw_onward(
    found: Drawing, manifest: GraphManifest, node: NodeSpec, waits: Sequence[Wait], inside: NodeSpec | None
) -> None:
    start = node.name
    for branch in node.branches or ():
        found.arrow(Arrow(node.name, branch, "static"))
    if node.branches:
        start = f"join:{node.name}"
        found.box(Box(start, "join", f"the branches of {node.name} join", joins=node.name))

    def lead(target: str, kind: str, label: str = "") -> None:
        joins = inside is not None and target == inside.next_node
        found.arrow(Arrow(start, f"join:{inside.name}" if joins and inside else target, kind, label))

    def end(kind: str) -> None:
        if inside is None:
            found.box(Box(f"end:{node.name}", "end", "complete"))
        found.arrow(Arrow(start, f"join:{inside.name}" if inside else f"end:{node.name}", kind))

    for label, target in _errors(node):
        lead(target, "error", label)
    if not node.routed:
        lead(node.next_node, "static") if node.next_node else end("static")
        return
    covered = {target for wait in waits for target in _led_to(wait)}
    for target in sorted(node.targets or ()):
        if target not in covered and target in manifest.nodes:
            lead(target, "route")
    if COMPLETE in (node.targets or ()):
        end("route")
    if node.next_node and node.next_node not in (node.targets or ()):
        lead(node.next_node, "route", "" if node.targets else OTHERWISE)
    if node.targets is None and not waits:
        found.box(Box(f"open:{node.name}", "open", "decided at run time"))
        found.arrow(Arrow(start, f"open:{node.name}", "route"))


def _led_to(wait: Wait) -> Iterable[Any]:
    return (*(wait.get("events") or {}).values(), wait.get("timeout_node"), wait.get("resume_node"))


def _draw_open_ends(found: Drawing) -> None:
    """Where a route is open, it may lead to what nothing else leads to."""
    source = next((box.id for box in found.boxes.values() if box.kind == "open"), None)
    reached = {arrow.end for arrow in found.arrows.values()}
    for box in list(found.boxes.values()):
        if source is not None and box.node and box.id not in reached:
            found.arrow(Arrow(source, box.id, "late"))


def _errors(node: NodeSpec) -> list[tuple[str, str]]:
    """What each error edge is for, "" for any error, and where it leads."""
    edges = (node.on_error or {}).items()
    if _continues(node):
        return []
    other = OTHER_ERRORS if len(edges) > 1 else ""
    return [(other if error == ANY else error, target) for error, target in edges]


def _continues(node: NodeSpec) -> bool:
    """Whether every error leads where the node leads anyway: its note says so instead of a second arrow."""
    return not node.routed and node.next_node is not None and dict(node.on_error or {}) == {ANY: node.next_node}


def _note(node: NodeSpec) -> str:
    most = (node.retry or {}).get("max_attempts", 1)
    parts = [
        _NOTES.get(node.kind, lambda node: "")(node),
        f"at most {span(node.timeout)}" if node.timeout else "",
        f"{most} attempts" if most > 1 else "",
        "continues after errors" if _continues(node) else "",
    ]
    return " · ".join(part for part in parts if part)


_NOTES = {
    "map": lambda node: f"each of {node.over}{f', graph {node.graph}' if node.graph else ''}",
    "parallel": lambda node: f"{len(node.branches or ())} branches at once",
    "subgraph": lambda node: f"graph {node.graph}",
    "wait": lambda node: f"pause {span(node.seconds)}",
}
