"""The commands `graphs` and `diagram`: what graphs a served app has."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import HostError
from ..graph.documents import why
from .served_app import Say, as_line

if TYPE_CHECKING:
    from ..remote.clients import GraphClient

COLUMNS = ("graph", "version", "hash", "nodes", "events")


def list_graphs(client: GraphClient, say: Say, *, json: bool) -> None:
    """Print the graphs that new runs use; as JSON one graph a line."""
    found = client.graphs()
    if json:
        for graph in found:
            say(as_line(graph))
        return
    from .tables import print_table

    rows = [(one.graph, one.version, one.graph_hash[:12], ", ".join(one.nodes), ", ".join(one.events)) for one in found]
    print_table(COLUMNS, rows)


def diagram(client: GraphClient, graph: str, output: str | None, say: Say) -> None:
    """Print the picture of a graph, or write it. Raises HostError for a file that cannot be written."""
    text = client.diagram(graph)
    if output is None:
        say(text)
        return
    try:
        Path(output).write_text(text, encoding="utf-8")
    except OSError as error:
        raise HostError(f"{output} cannot be written: {why(error)}") from None
    say(f"wrote {output}")
