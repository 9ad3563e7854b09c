"""What a map runs: a handler, or a graph, and which settings belong to which; the policies of parallels and maps."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from ..graph.nodes import NodeSpec
from ..graph.wording import brief_repr
from .reading import Reader


def map_of_graph(
    read: Reader, spec: NodeSpec, graph: Any, given: Any, output: Any, handler: Any, timeout: Any
) -> NodeSpec:
    """The node with the graph that it runs for each item, if it names one."""
    if graph is None:
        for what, value in (("input", given), ("output", output)):
            if value is not None:
                read.fault(
                    f"has {what} but no graph", f"Add graph=…, or drop {what}=…: a handler's results go into into=…"
                )
        if spec.into is None:
            read.fault("does not say where its results go", "Name a list field: into=…")
        return spec
    for what, value, fix in (
        ("a handler", handler, "Drop one of them"),
        ("into", spec.into, "Use output={…}, a field of the state for a field of each run"),
        ("timeout", timeout, "Give the nodes of the graph a timeout"),
    ):
        if value is not None:
            read.fault(f"has both graph and {what}", fix)
    return replace(
        spec,
        into=None,
        graph=read.text("graph", graph),
        input=read.table("input", given),
        output=read.table("output", output),
    )


def with_policy(read: Reader, spec: NodeSpec, stop_when: Any, deadline: Any, min_successful: Any) -> NodeSpec:
    """A parallel or a map with how much of it has to succeed, and when what is left is stopped.

    A number of successes at which it stops is also the number that it needs, unless it needs fewer.
    """
    least, stop = read.count("min_successful", min_successful), read.stop_when(stop_when)
    return replace(
        spec,
        stop_when=stop,
        deadline=None if deadline is None else read.seconds("deadline", deadline),
        min_successful=stop if least is None and isinstance(stop, int) else least,
    )


def collecting(read: Reader, spec: NodeSpec, on_item_error: Any) -> NodeSpec:
    """The map with what becomes of items that fail."""
    if on_item_error not in ("fail", "collect"):
        fix = 'Use "fail", or "collect", which keeps errors beside results'
        read.fault(f"on_item_error is {brief_repr(on_item_error)}", fix)
    return replace(spec, collect=on_item_error == "collect")
