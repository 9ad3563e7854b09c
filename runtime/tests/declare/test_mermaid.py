"""A graph as a Mermaid diagram: the same graph gives the same text."""

from shapes import conversation, line, loop

from azure_functions_durable_graph.declare.mermaid import flowchart


def test_a_line_is_drawn_from_the_start_to_the_end() -> None:
    assert flowchart(line("a", "b-c").manifest) == (
        "flowchart TD\n"
        "    start([start]) --> n_a\n"
        '    n_a["a"]\n'
        '    n_b_hc["b-c"]\n'
        "    n_a --> n_b_hc\n"
        "    n_b_hc --> done([complete])\n"
    )


def test_declared_targets_are_drawn_each() -> None:
    picture = flowchart(loop().manifest)

    assert "n_count -- route --> done([complete])" in picture
    assert "n_count -- route --> n_count" in picture


def test_a_route_without_declared_targets_is_shown_as_open() -> None:
    from shapes import Counter, increment

    from azure_functions_durable_graph import ManifestBuilder

    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=lambda state: None, next_node="b").add_node("b", increment, terminal=True)
    picture = flowchart(builder.build().manifest)

    assert "n_a -. route .-> open{{decided at run time}}" in picture
    assert "n_a -- otherwise --> n_b" in picture


def test_visited_nodes_are_marked() -> None:
    assert "class n_listen visited" in flowchart(conversation().manifest, visited=["listen", "gone"])
