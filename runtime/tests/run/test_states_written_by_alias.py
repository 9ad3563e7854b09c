"""A model that writes itself by alias (`serialize_by_alias`) is a state like any other: runs know field names only."""

import operator
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict
from pydantic.alias_generators import to_camel

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.testing import GraphHost, run_graph


class Camel(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, serialize_by_alias=True, populate_by_name=True)


class Score(Camel):
    of_item: int = 0


class State(Camel):
    all_items: list[int] = []
    all_scores: list[Score] = []
    short_notes: Annotated[list[str], operator.add] = []


def graph(name: str = "g") -> Any:
    return ManifestBuilder(name, State)


def scoring() -> Any:
    builder = graph().set_entrypoint("score")
    builder.add_map("score", lambda state, item: Score(of_item=item), over="all_items", into="all_scores")
    return builder.build()


def test_it_is_kept_and_shown_by_field_names() -> None:
    builder = graph().set_entrypoint("a").add_node("a", lambda state: {"shortNotes": ["a"]}, terminal=True)

    run = run_graph(builder.build(), {"allItems": [1]})

    assert run.view["state"] == {"all_items": [1], "all_scores": [], "short_notes": ["a"]}
    assert run.steps[0]["patch"] == {"short_notes": ["a"]}


def test_a_map_finds_its_items_and_writes_its_results() -> None:
    run = run_graph(scoring(), {"allItems": [1, 2]})

    assert run.state.all_scores == [Score(of_item=1), Score(of_item=2)]


def test_updates_of_branches_are_reduced() -> None:
    builder = graph().set_entrypoint("both").add_parallel("both", branches=["x", "y"])
    builder.add_node("x", lambda state: {"short_notes": ["x"]}).add_node("y", lambda state: {"short_notes": ["y"]})

    assert run_graph(builder.build(), {}).state.short_notes == ["x", "y"]


def test_a_subgraph_takes_and_gives_fields() -> None:
    builder = graph("above").set_entrypoint("below")
    builder.add_subgraph("below", graph="g", input={"all_items": "all_items"}, output={"all_scores": "all_scores"})

    with GraphHost(builder.build(), scoring()) as host:
        assert host.start("above", {"allItems": [7]}).state.all_scores == [Score(of_item=7)]
