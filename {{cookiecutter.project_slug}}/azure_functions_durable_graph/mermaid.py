"""A manifest as a Mermaid flowchart. The same manifest gives the same text. Floor 3."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from .manifest import GraphManifest, NodeSpec
from .names import COMPLETE

START, END, OPEN = "start([start])", "done([complete])", "open{{decided at run time}}"


def flowchart(manifest: GraphManifest, visited: Collection[str] = ()) -> str:
    """The graph, from its entrypoint downwards; `visited` nodes are drawn filled.

    Solid arrows always happen, labelled ones are decided by a route. A route without declared targets leads to
    "decided at run time".
    """
    lines = ["flowchart TD", f"    {START} --> {_id(manifest.entrypoint)}"]
    lines += [f'    {_id(name)}["{name}"]' for name in sorted(manifest.nodes)]
    for name in sorted(manifest.nodes):
        lines += [f"    {_id(name)} {arrow}" for arrow in _arrows(manifest.nodes[name])]
    if visited:
        lines.append("    classDef visited fill:#d7ecd9,stroke:#2e7d32")
        lines += [f"    class {_id(name)} visited" for name in sorted(set(visited) & set(manifest.nodes))]
    return "\n".join(lines) + "\n"


def _arrows(node: NodeSpec) -> Iterator[str]:
    if node.terminal:
        yield f"--> {END}"
    elif not node.routed and node.next_node:
        yield f"--> {_id(node.next_node)}"
    elif node.targets is None:
        yield f"-. route .-> {OPEN}"
        if node.next_node:
            yield f"-- otherwise --> {_id(node.next_node)}"
    else:
        targets = set(node.targets) | ({node.next_node} if node.next_node else set())
        for target in sorted(targets):
            yield f"-- route --> {END if target == COMPLETE else _id(target)}"


def _id(name: str) -> str:
    """A Mermaid id: node names have none of its syntax but '-', and none of its keywords with the prefix."""
    return "n_" + str(name).replace("_", "_u").replace("-", "_h")
