"""What can be wrong between the graphs of one app: found once all are registered, before anything runs.

`build()` checks a graph alone; what it says about its subgraphs can only be checked together with them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import Fault
from ..graph.manifest import GraphManifest
from ..graph.names import COMPLETE, did_you_mean
from ..graph.nodes import NodeSpec
from ..graph.registration import GraphRegistration
from ..graph.topology import reachable

Graphs = Mapping[str, GraphRegistration]
"""The graph that a subgraph of each name runs: the default of that name."""


def set_faults(graphs: Iterable[GraphRegistration], defaults: Graphs) -> list[Fault]:
    """Every fault between these graphs and those that they run; `graphs` may contain several versions of one name."""
    checked = list(graphs)
    if not any(True for graph in checked for _ in _subgraphs(graph.manifest)):
        return []
    found = [fault for graph in checked for fault in _subgraph_faults(graph, defaults)]
    endless = _endless(defaults)
    return found + [fault for graph in checked for fault in _recursion_faults(graph.manifest, defaults, endless)]


def faults_of_run(graph: GraphRegistration, defaults: Graphs) -> list[Fault]:
    """The faults that a run of this graph could meet: its own, and those of the graphs that it runs."""
    if not any(True for _ in _subgraphs(graph.manifest)):
        return []
    called = [defaults[name] for name in _called(graph, defaults)]
    return set_faults([graph, *(child for child in called if child is not graph)], defaults)


def _subgraphs(manifest: GraphManifest) -> Iterator[NodeSpec]:
    return (node for node in manifest.nodes.values() if node.graph is not None)


def _called(graph: GraphRegistration, defaults: Graphs) -> list[str]:
    """The names of the graphs that a run of `graph` may start, directly or indirectly, without missing ones."""
    edges = {name: {str(node.graph) for node in _subgraphs(one.manifest)} for name, one in defaults.items()}
    first = {str(node.graph) for node in _subgraphs(graph.manifest)}
    return sorted({name for start in first for name in reachable(edges, start)} & set(defaults))


def _subgraph_faults(graph: GraphRegistration, defaults: Graphs) -> Iterator[Fault]:
    for node in _subgraphs(graph.manifest):
        where = _place(graph.manifest, node)
        child = defaults.get(str(node.graph))
        if child is None:
            yield Fault(where, f"runs the unknown graph {node.graph!r}", _guess(str(node.graph), defaults))
            continue
        yield from _input_faults(where, node, child)
        yield from _output_faults(where, node, child)


def _input_faults(where: str, node: NodeSpec, child: GraphRegistration) -> Iterator[Fault]:
    model, name = child.state_model, child.graph_name
    if _prepares_its_input(model):
        return
    fields = {field: _names(field, info) for field, info in model.model_fields.items()}
    known = {spelling for spellings in fields.values() for spelling in spellings}
    given = set(node.input or {})
    if node.kind == "map" and not given:
        return  # each item is an input as it is
    if model.model_config.get("extra") != "allow":
        for unknown in sorted(given - known):
            yield Fault(where, f"input gives {unknown!r}, which is not a field of {name!r}", _guess(unknown, fields))
    for field, info in model.model_fields.items():
        if info.is_required() and given.isdisjoint(fields[field]):
            fix = f"Add it to input={{…}}, or give the field of {model.__name__} a default"
            yield Fault(where, f"input does not give {field!r}, which {name!r} requires", fix)


def _output_faults(where: str, node: NodeSpec, child: GraphRegistration) -> Iterator[Fault]:
    model = child.state_model
    if model.model_config.get("extra") == "allow":
        return
    for mine, theirs in (node.output or {}).items():
        if theirs not in model.model_fields:
            problem = f"output takes {mine!r} from {theirs!r}, which is not a field of {child.graph_name!r}"
            yield Fault(where, problem, _guess(theirs, model.model_fields))


def _recursion_faults(manifest: GraphManifest, defaults: Graphs, endless: set[str]) -> Iterator[Fault]:
    """A graph whose runs can never end, because each of them runs the graph again before it could."""
    name = manifest.graph_name
    if name not in endless or defaults[name].manifest is not manifest:
        return
    calls = {one: {str(n.graph) for n in _subgraphs(defaults[one].manifest)} & endless for one in endless}
    for node in _subgraphs(manifest):
        if str(node.graph) in endless and name in reachable(calls, str(node.graph)):
            fix = "Let a route decide whether to recurse, so that a run can complete without this node"
            yield Fault(_place(manifest, node), f"runs {node.graph!r} inside itself endlessly", fix)


def _endless(defaults: Graphs) -> set[str]:
    """The graphs whose runs cannot complete: every path to the end runs a graph of this same set."""
    endless = set(defaults)
    while True:
        finite = {name for name in endless if _can_end(defaults[name].manifest, endless)}
        if not finite:
            return endless
        endless -= finite


def _can_end(manifest: GraphManifest, endless: set[str]) -> bool:
    """Whether a path leads from the entrypoint to the end, if the subgraphs in `endless` never return."""

    def returns(node: NodeSpec) -> bool:
        return node.kind != "subgraph" or node.graph not in endless

    edges = {n.name: n.onward if returns(n) else set((n.on_error or {}).values()) for n in manifest.nodes.values()}
    for name in reachable(edges, manifest.entrypoint) & set(manifest.nodes):
        node = manifest.nodes[name]
        if COMPLETE in edges[name] or (returns(node) and (node.terminal or (node.routed and node.targets is None))):
            return True
    return False


def _place(manifest: GraphManifest, node: NodeSpec) -> str:
    return f"graph {manifest.graph_name!r}, version {manifest.version!r}, node {node.name!r}"


def _guess(wrong: str, known: Iterable[str]) -> str:
    text = did_you_mean(wrong, known)
    return text[0].upper() + text[1:]


def _names(field: str, info: Any) -> set[str]:
    """Every name under which a field may be given: its own, and its aliases."""
    choices = getattr(info.validation_alias, "choices", [info.validation_alias])
    first = [getattr(choice, "path", [choice])[0] for choice in choices]
    return {name for name in (field, info.alias, *first) if isinstance(name, str)}


def _prepares_its_input(model: Any) -> bool:
    """Whether a validator sees the input before the fields do, so that the fields do not show what it requires."""
    validators = model.__pydantic_decorators__.model_validators.values()
    return any(validator.info.mode in ("before", "wrap") for validator in validators)
