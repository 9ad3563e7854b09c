"""The graphs of an app, told apart by name, version and hash."""

import pytest
from shapes import line

from azure_functions_durable_graph import GraphRegistration
from azure_functions_durable_graph.errors import RegistrationError
from azure_functions_durable_graph.work.registry import Registry, natural


def registry(*graphs: GraphRegistration) -> Registry:
    found = Registry()
    for graph in graphs:
        found.add(graph)
    return found


def built_here(*nodes: str) -> GraphRegistration:
    """A graph built in this file, at one line."""
    return line(*nodes)


def test_versions_sort_as_people_read_them() -> None:
    versions = ["2", "10", "1.10", "1.9", "beta", "1"]

    assert sorted(versions, key=natural) == ["1", "1.9", "1.10", "2", "10", "beta"]


def test_a_hash_is_taken_over_only_by_a_graph_that_is_there() -> None:
    new = line("a")
    found = registry(new)

    assert found.find("line", "old") is None
    assert not found.take_over("line", "old", "nowhere")
    assert found.take_over("line", "old", new.graph_hash)
    assert found.find("line", "old") is new
    assert found.find("other", "old") is None


def test_the_same_registration_twice_is_harmless() -> None:
    graph = line("a")

    assert registry(graph, graph).all() == [graph]


def test_a_graph_that_the_same_line_has_built_again_is_the_same_graph() -> None:
    assert len(registry(built_here("a"), built_here("a")).all()) == 1


def test_versions_stand_side_by_side_and_the_last_one_is_the_default() -> None:
    old, new = line("a"), line("a", version="2")

    found = registry(old, new)

    assert (found.all(), found.by_name["line"]) == ([old, new], new)


def test_two_graphs_of_one_name_and_version_are_refused_and_both_places_are_named() -> None:
    with pytest.raises(RegistrationError) as caught:
        registry(line("a"), line("a", "b"))

    assert str(caught.value).startswith("graph 'line', version '1' is registered twice, from shapes (")
    assert str(caught.value).count("helpers/shapes.py, line ") == 2
    assert str(caught.value).endswith("rename one of the two graphs, or give it a version of its own")


def test_an_origin_is_no_part_of_a_graph_s_identity() -> None:
    assert "line " in line("a").origin
    assert "origin" not in line("a").manifest.to_dict()
