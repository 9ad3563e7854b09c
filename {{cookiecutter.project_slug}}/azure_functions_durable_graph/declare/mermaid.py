"""A graph as a Mermaid flowchart: the drawing of the studio as text. The same graph gives the same text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..graph.manifest import GraphManifest
from .drawing import Arrow, Box, Wait, drawing


def flowchart(manifest: GraphManifest, waits: Sequence[Wait] = ()) -> str:
    """The graph, from its entrypoint downwards, with the waits that are known of its routes.

    Unlabelled arrows are always followed; a label names a route's choice, an event or an error. Dotted ones follow an
    error, or when time is up. A route without declared targets leads to "decided at run time".
    """
    found = drawing(manifest, waits)
    boxes = dict.fromkeys(_box(box) for box in found.boxes.values())
    arrows = dict.fromkeys(_arrow(arrow) for arrow in found.arrows.values())
    return "\n".join(["flowchart TD", *(f"    {line}" for line in [*boxes, *arrows])]) + "\n"


_SHAPES = {
    "start": "([{}])",
    "end": "([{}])",
    "join": "(({}))",
    "open": "{{{{{}}}}}",
    "event": ">{}]",
    "sleep": "({})",
    "task": "[{}]",
    "parallel": "[/{}/]",
    "map": "[[{}]]",
    "subgraph": "[({})]",
    "wait": "({})",
}
"""The brackets of each kind of box."""

_LINES = {"static": "--", "route": "--", "wait": "--", "late": "-.", "error": "-."}
_TIPS = {"--": "-->", "-.": ".->"}
_BARE = {"--": "-->", "-.": "-.->"}

_UNSAID = {"route": "route", "error": "any error", "late": "or"}
"""What stands on an arrow without a label, where its line does not say it alone."""


def _box(box: Box) -> str:
    before = {"event": "waits for "}.get(box.kind, "")
    title = "join" if box.kind == "join" else f"{before}{box.title}{f' ({box.note})' if box.note else ''}"
    return _id(box.id) + _SHAPES[box.kind].format(_text(title))


def _arrow(arrow: Arrow) -> str:
    line = _LINES[arrow.kind]
    said = arrow.label or _UNSAID.get(arrow.kind, "")
    middle = f"{line} {_text(said)} {_TIPS[line]}" if said else _BARE[line]
    return f"{_id(arrow.start)} {middle} {_id(arrow.end)}"


def _text(text: str) -> str:
    """A text in quotes, in which nothing is syntax of Mermaid, Markdown or HTML."""
    plain = re.sub(r"\s+", " ", text)
    return '"' + re.sub(r"[^\w .,:()·/*+-]", lambda odd: f"#{ord(odd[0])};", plain) + '"'


def _id(box: str) -> str:
    """An id: the prefix keeps names from being keywords, and what is neither letter nor digit is written as a code.

    There is one end of the graph, and one place that is decided at run time.
    """
    mark, colon, _ = box.partition(":")
    if colon and mark in _SHARED:
        return _SHARED[mark]
    return ("" if colon else "n_") + re.sub(r"[^A-Za-z0-9]", lambda odd: _CODES.get(odd[0], f"_x{ord(odd[0]):x}_"), box)


_SHARED = {"start": "start", "end": "done", "open": "open"}
_CODES = {"_": "_u", "-": "_h", ":": "_"}
