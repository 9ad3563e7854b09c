"""A manifest as a Mermaid flowchart. The same manifest gives the same text."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from ..graph.manifest import GraphManifest
from ..graph.names import COMPLETE
from ..graph.nodes import NodeSpec
from ..graph.regions import joins

START, END, OPEN = "start([start])", "done([complete])", "open{{decided at run time}}"


def flowchart(manifest: GraphManifest, visited: Collection[str] = ()) -> str:
    """The graph, from its entrypoint downwards; `visited` nodes are filled.

    Unlabelled arrows are always followed; a label names a branch, a route's choice or an error. A route without
    declared targets leads to "decided at run time". The end of a branch leads to where the branches join.
    """
    lines = ["flowchart TD", f"    {START} --> {_id(manifest.entrypoint)}"]
    lines += [f"    {_shape(manifest.nodes[name])}" for name in sorted(manifest.nodes)]
    for name in sorted(manifest.nodes):
        lines += [f"    {_id(name)} {arrow}" for arrow in _arrows(manifest.nodes[name], manifest)]
    if visited:
        lines.append("    classDef visited fill:#d7ecd9,stroke:#2e7d32")
        lines += [f"    class {_id(name)} visited" for name in sorted(set(visited) & set(manifest.nodes))]
    return "\n".join(lines) + "\n"


def label(node: NodeSpec) -> str:
    """The text in a node's box."""
    return str(node.name) + _DETAILS.get(node.kind, lambda node: "")(node)


def span(seconds: float | None) -> str:
    """Seconds as people say them: `90 s`, `5 min`, `36 h`, `30 d`."""
    amount = seconds or 0.0
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if amount >= 2 * size or amount == size:
            return f"{amount / size:g} {unit}"
    return f"{amount:g} s"


_DETAILS = {
    "map": lambda node: f" (each of {node.over}{f', graph {node.graph}' if node.graph else ''})",
    "subgraph": lambda node: f" (graph {node.graph})",
    "wait": lambda node: f" ({span(node.seconds)})",
}

_BRACKETS = {
    "task": ("[", "]"),
    "parallel": ("[/", "/]"),
    "map": ("[[", "]]"),
    "subgraph": ("[(", ")]"),
    "wait": ("(", ")"),
}


def _shape(node: NodeSpec) -> str:
    before, after = _BRACKETS[node.kind]
    return f'{_id(node.name)}{before}"{label(node)}"{after}'


def _arrows(node: NodeSpec, manifest: GraphManifest) -> Iterator[str]:
    yield from _onward(node, manifest)
    for branch in node.branches or ():
        yield f"-- branch --> {_id(branch)}"
    for error, target in sorted((node.on_error or {}).items()):
        yield f"-. {'any error' if error == '*' else error} .-> {_id(target)}"


def _onward(node: NodeSpec, manifest: GraphManifest) -> Iterator[str]:
    if node.name in manifest.branches and not node.own_edges and not node.routed:
        return
    end = _end(node, manifest)
    if not node.routed and node.next_node:
        yield f"--> {_id(node.next_node)}"
    elif not node.routed:
        yield from [f"--> {end}"] if end else []
    elif node.targets is None:
        yield f"-. route .-> {OPEN}"
        if node.next_node:
            yield f"-- otherwise --> {_id(node.next_node)}"
    else:
        for target in sorted({*node.targets, *([node.next_node] if node.next_node else [])}):
            arrow = end if target == COMPLETE else _id(target)
            yield from [f"-- route --> {arrow}"] if arrow else []


def _end(node: NodeSpec, manifest: GraphManifest) -> str | None:
    """Where an end leads: that of a branch to where the branches join, if anything follows."""
    if node.name not in manifest.inside:
        return END
    join = joins(manifest.nodes)[node.name]
    return _id(join) if join else None


def _id(name: str) -> str:
    """A Mermaid id: '-' is the only Mermaid syntax in node names, and the prefix keeps them from being keywords."""
    return "n_" + str(name).replace("_", "_u").replace("-", "_h")
