"""The graphs of one app are checked together: what one says of another is true, and recursion ends."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, model_validator

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder
from azure_functions_durable_graph.declare.graph_set import faults_of_run, set_faults


class Parent(BaseModel):
    text: str = ""
    approved: bool = False


class Child(BaseModel):
    draft: str
    approved: bool = False


def leaf(model: type[BaseModel] = Child, name: str = "review", version: str = "1") -> GraphRegistration:
    return (
        ManifestBuilder(name, model, version).set_entrypoint("a").add_node("a", lambda s: None, terminal=True).build()
    )


def calling(child: str = "review", name: str = "article", **subgraph: Any) -> GraphRegistration:
    """One subgraph, which is the whole graph."""
    subgraph = {"input": {"draft": "text"}, **subgraph}
    return ManifestBuilder(name, Parent).set_entrypoint("check").add_subgraph("check", graph=child, **subgraph).build()


def faults(*graphs: GraphRegistration) -> list[str]:
    return [str(fault) for fault in set_faults(graphs, {graph.graph_name: graph for graph in graphs})]


def test_graphs_that_fit_have_no_faults() -> None:
    assert faults(calling(output={"approved": "approved"}), leaf()) == []


def test_an_unknown_subgraph_is_named_with_the_name_that_was_meant() -> None:
    assert faults(calling("reviw"), leaf()) == [
        "graph 'article', version '1', node 'check': runs the unknown graph 'reviw'. Did you mean 'review'?"
    ]
    assert faults(calling("totally_else"), leaf()) == [
        "graph 'article', version '1', node 'check': runs the unknown graph 'totally_else'. Known: 'article', 'review'."
    ]


def test_a_field_that_the_child_does_not_have_is_named() -> None:
    assert faults(calling(input={"draft": "text", "aproved": "approved"}), leaf()) == [
        "graph 'article', version '1', node 'check': input gives 'aproved', which is not a field of 'review'. "
        "Did you mean 'approved'?"
    ]
    assert faults(calling(output={"approved": "aproved"}), leaf()) == [
        "graph 'article', version '1', node 'check': output takes 'approved' from 'aproved', which is not a field of "
        "'review'. Did you mean 'approved'?"
    ]


def test_a_field_that_the_child_requires_and_nobody_gives_is_named() -> None:
    assert faults(calling(input={"approved": "approved"}), leaf()) == [
        "graph 'article', version '1', node 'check': input does not give 'draft', which 'review' requires. "
        "Add it to input={…}, or give the field of Child a default."
    ]


def test_every_fault_of_every_graph_and_version_is_found_at_once() -> None:
    old = ManifestBuilder("article", Parent, "0").set_entrypoint("s").add_subgraph("s", graph="gone").build()

    found = set_faults([old, calling(input={}), leaf()], {"article": calling(input={}), "review": leaf()})

    assert [(fault.where, fault.problem) for fault in found] == [
        ("graph 'article', version '0', node 's'", "runs the unknown graph 'gone'"),
        ("graph 'article', version '1', node 'check'", "input does not give 'draft', which 'review' requires"),
    ]


class Aliased(BaseModel):
    draft: str = Field(alias="theDraft")
    kind: str = Field(validation_alias=AliasChoices("sort", "art"))


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")


class Prepared(BaseModel):
    draft: str
    words: int

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, given: Any) -> Any:
        return {"draft": given["raw"], "words": len(given["raw"].split())}


class Checked(Child):
    @model_validator(mode="after")
    def _look(self) -> Checked:
        return self


@pytest.mark.parametrize(
    ("model", "mapping", "count"),
    [
        (Aliased, {"theDraft": "text", "art": "text"}, 0),
        (Aliased, {"draft": "text", "kind": "text"}, 0),
        (Aliased, {"theDraft": "text", "nope": "text"}, 2),
        (Open, {"whatever": "text"}, 0),
        (Prepared, {"raw": "text"}, 0),
        (Checked, {"raw": "text"}, 2),
    ],
)
def test_what_a_model_takes_is_judged_as_its_validation_does(
    model: type[BaseModel], mapping: dict[str, str], count: int
) -> None:
    assert len(faults(calling(input=mapping), leaf(model))) == count


def test_an_output_is_named_by_the_field_and_not_by_its_alias() -> None:
    given: dict[str, Any] = {"input": {"draft": "text", "kind": "text"}}

    assert faults(calling(**given, output={"text": "draft"}), leaf(Aliased)) == []
    assert len(faults(calling(**given, output={"text": "theDraft"}), leaf(Aliased))) == 1
    assert faults(calling(output={"text": "any"}), leaf(Open)) == []


# Recursion


def recursive(name: str = "tree", child: str = "tree", *, leaves: bool = False, **subgraph: Any) -> GraphRegistration:
    """A graph that runs `child`; with `leaves` a route can end it before."""
    builder = ManifestBuilder(name, Parent).set_entrypoint("look")
    if leaves:
        builder.add_node("look", lambda s: None, route=lambda s: "__complete__")
    else:
        builder.add_node("look", lambda s: None, next_node="down")
    builder.add_subgraph("down", graph=child, next_node="up", **subgraph)
    return builder.add_node("up", lambda s: None, terminal=True).build()


ENDLESS = "Let a route decide whether to recurse, so that a run can complete without this node."


def test_a_graph_that_always_runs_itself_never_ends() -> None:
    assert faults(recursive()) == [
        f"graph 'tree', version '1', node 'down': runs 'tree' inside itself endlessly. {ENDLESS}"
    ]


def test_graphs_that_run_each_other_never_end_either() -> None:
    found = faults(recursive("a", "b"), recursive("b", "a"), recursive("outside", "a"))

    assert found == [
        f"graph 'a', version '1', node 'down': runs 'b' inside itself endlessly. {ENDLESS}",
        f"graph 'b', version '1', node 'down': runs 'a' inside itself endlessly. {ENDLESS}",
    ]


@pytest.mark.parametrize("mutual", [False, True])
def test_recursion_with_a_way_out_is_sound(mutual: bool) -> None:
    graphs = [recursive("a", "b", leaves=True), recursive("b", "a")] if mutual else [recursive(leaves=True)]

    assert faults(*graphs) == []


def test_an_error_edge_is_a_way_out() -> None:
    assert faults(recursive(on_error="up")) == []


def test_declared_targets_lead_out_only_where_they_say_so() -> None:
    def routed(*targets: str) -> GraphRegistration:
        builder = ManifestBuilder("tree", Parent).set_entrypoint("look")
        builder.add_node("look", lambda s: None, route=lambda s: None, targets=targets, next_node="down")
        return builder.add_subgraph("down", graph="tree").build()

    assert faults(routed("down", "__complete__")) == []
    assert len(faults(routed("down"))) == 1


def test_a_run_is_judged_by_the_graphs_that_it_can_start() -> None:
    graphs = {"outer": calling("article", "outer", input={}), "article": calling("gone"), "review": leaf()}

    assert [fault.problem for fault in faults_of_run(graphs["outer"], graphs)] == ["runs the unknown graph 'gone'"]
    assert [fault.problem for fault in faults_of_run(graphs["article"], graphs)] == ["runs the unknown graph 'gone'"]
    assert faults_of_run(graphs["review"], graphs) == []
