"""A graph as SVG: every kind of node and edge, well-formed, the same each time."""

from datetime import timedelta
from xml.etree import ElementTree

from shapes import Counter, increment

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.declare.mermaid import flowchart, span
from azure_functions_durable_graph.declare.svg import svg


def everything() -> ManifestBuilder:
    """A graph with a node of each kind."""
    builder = ManifestBuilder("all", Counter).set_entrypoint("begin")
    builder.add_node(
        "begin", increment, route=lambda state: "check", targets=["check", "__complete__"], on_error="mend"
    )
    builder.add_parallel("check", branches=["left", "right"], next_node="each")
    builder.add_node("left", increment).add_node("right", lambda state: None)
    builder.add_map("each", lambda state, item: item, over="said", into="said", next_node="child")
    builder.add_subgraph("child", graph="review", next_node="pause")
    builder.add_wait("pause", duration=timedelta(minutes=5), next_node="ask")
    builder.add_node("ask", increment, route=lambda state: None, next_node="begin")
    return builder.add_node("mend", increment, terminal=True)


def test_every_kind_of_node_is_drawn() -> None:
    text = svg(everything().build().manifest)
    root = ElementTree.fromstring(text)

    titles = [title.text for title in root.iter("{http://www.w3.org/2000/svg}title")]
    assert set(titles) == {
        "start",
        "begin",
        "check",
        "left",
        "right",
        "each (each of said)",
        "child (graph review)",
        "pause (5 min)",
        "ask",
        "mend",
        "complete",
        "decided at run time",
    }
    assert text == svg(everything().build().manifest)


def test_no_two_boxes_lie_on_each_other() -> None:
    root = ElementTree.fromstring(svg(everything().build().manifest))
    places = [(rect.get("x"), rect.get("y")) for rect in root.iter("{http://www.w3.org/2000/svg}rect")]

    assert len(set(places)) == len(places) == 12


def test_mermaid_knows_every_kind_too() -> None:
    text = flowchart(everything().build().manifest)

    for line in (
        'n_check[/"check"/]',
        'n_each[["each (each of said)"]]',
        'n_child[("child (graph review)")]',
        'n_pause("pause (5 min)")',
        "n_check -- branch --> n_left",
        "n_begin -. any error .-> n_mend",
        "n_ask -. route .-> open{{decided at run time}}",
    ):
        assert line in text


def test_spans_are_written_as_people_say_them() -> None:
    assert [span(seconds) for seconds in (5, 90, 300, 3600, 7200, 129600, 2592000)] == [
        "5 s",
        "90 s",
        "5 min",
        "1 h",
        "2 h",
        "36 h",
        "30 d",
    ]
