"""Graph theory on letters."""

from azure_functions_durable_graph.graph.topology import reachable, stuck

EDGES = {"a": ["b"], "b": ["c", "d"], "c": [], "d": ["b"], "x": ["a"]}


def test_what_can_be_reached_includes_the_start_and_follows_circles() -> None:
    assert reachable(EDGES, "b") == {"b", "c", "d"}


def test_a_name_without_edges_reaches_itself() -> None:
    assert reachable({}, "z") == {"z"}


def test_nothing_is_stuck_while_an_exit_can_be_reached() -> None:
    assert stuck(EDGES, ["c"]) == set()


def test_a_circle_without_an_exit_is_stuck_and_so_is_what_leads_only_into_it() -> None:
    assert stuck({"a": ["b"], "b": ["a"], "c": ["b", "end"]}, ["end"]) == {"a", "b"}
