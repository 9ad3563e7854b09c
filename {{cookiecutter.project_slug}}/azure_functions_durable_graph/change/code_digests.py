"""Digests of handlers' source, so that a pull request shows "the code of node X changed".

Indentation, blank lines, comments on lines of their own and trailing whitespace do not count, so that a formatter
changes nothing. Only the function's own lines are read, not what it calls.
"""

from __future__ import annotations

import hashlib
import inspect
import textwrap
from collections.abc import Iterator

from ..graph.registration import GraphRegistration, Handler

NO_SOURCE = "no source"


def code_digests(graph: GraphRegistration) -> dict[str, str]:
    """A digest for each handler: `node 'price'`, `route of node 'price'`, `event 'approval'`."""
    return {name: source_digest(code) for name, code in _handlers(graph)}


def source_digest(code: Handler) -> str:
    """16 hex digits of sha256 over the normalized source, or NO_SOURCE."""
    code = inspect.unwrap(code)
    try:
        if (inspect.getsourcefile(code) or "<").startswith("<"):
            return NO_SOURCE  # CPython 3.13 returns the text of `python -c` for every "<string>"
        text = textwrap.dedent(inspect.getsource(code))
    except (OSError, TypeError):
        return NO_SOURCE
    lines = [line.rstrip() for line in text.splitlines()]
    kept = "\n".join(line for line in lines if line and not line.lstrip().startswith("#"))
    return hashlib.sha256(kept.encode()).hexdigest()[:16]


def _handlers(graph: GraphRegistration) -> Iterator[tuple[str, Handler]]:
    for name, node in graph.nodes.items():
        if node.handler is not None:
            yield f"node {name!r}", node.handler
        if node.route is not None:
            yield f"the route of node {name!r}", node.route
    for name, event in graph.events.items():
        yield f"event {name!r}", event.handler
