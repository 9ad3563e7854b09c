"""A graph as a Mermaid diagram: the drawing that the studio shows, as text. The same graph gives the same text."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hard_graphs import hard_graphs
from shapes import Counter, increment, line, loop
from studio_graphs import expenses_registration, trips_registration

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder
from azure_functions_durable_graph.declare.drawing import drawing
from azure_functions_durable_graph.declare.mermaid import flowchart
from azure_functions_durable_graph.declare.waits_in_code import waits_in_code
from azure_functions_durable_graph.graph.manifest import GraphManifest
from azure_functions_durable_graph.graph.nodes import NodeSpec

GRAPHS = {graph.graph_name: graph for graph in [*hard_graphs(), expenses_registration, trips_registration]}


def drawn(graph: GraphRegistration) -> list[str]:
    return [text.strip() for text in flowchart(graph.manifest, waits_in_code(graph)).splitlines()]


def test_a_line_is_drawn_from_the_start_to_the_end() -> None:
    assert flowchart(line("a", "b-c").manifest) == (
        "flowchart TD\n"
        '    start(["start"])\n'
        '    n_a["a"]\n'
        '    n_b_hc["b-c"]\n'
        '    done(["complete"])\n'
        "    start --> n_a\n"
        "    n_a --> n_b_hc\n"
        "    n_b_hc --> done\n"
    )


def test_declared_targets_are_drawn_each() -> None:
    picture = drawn(loop())

    assert 'n_count -- "route" --> done' in picture
    assert 'n_count -- "route" --> n_count' in picture


def test_a_route_without_declared_targets_is_shown_as_open() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=lambda state: None, next_node="b").add_node("b", increment, terminal=True)
    picture = drawn(builder.build())

    assert 'open{{"decided at run time"}}' in picture
    assert 'n_a -- "route" --> open' in picture
    assert 'n_a -- "otherwise" --> n_b' in picture


@pytest.mark.parametrize(
    ("graph", "lines"),
    [
        (
            "checks",
            [
                'n_checks[/"checks (8 branches at once)"/]',
                'join_checks(("join"))',
                "n_checks --> n_check_ucredit",
                "n_check_ucredit --> join_checks",
                "join_checks --> n_decide",
                'join_checks -. "MergeConflict" .-> n_manual',
                'join_checks -. "other errors" .-> n_reject',
                'wait_manual_0>"waits for accepted or rejected"]',
                'n_manual -- "route" --> wait_manual_0',
                'wait_manual_0 -- "accepted" --> n_accept',
                'wait_manual_0 -. "after 2 d" .-> n_reject',
            ],
        ),
        (
            "polling",
            [
                'wait_poll_0("sleep 1 h")',
                "wait_poll_0 --> n_poll",
                'n_cool_udown("cool_down (pause 5 min)")',
                'n_each[["each (each of items · at most 10 min · 3 attempts)"]]',
            ],
        ),
        ("trips", ['n_approval[("approval (graph expenses)")]']),
        ("agent", ['n_search["search (continues after errors)"]', 'n_think -. "any error" .-> n_apologize']),
        ("branches", ["n_finance_uok --> join_both", "join_inner --> n_finance_uok", "join_both --> n_sign"]),
    ],
)
def test_joins_waits_sleeps_errors_maps_and_subgraphs_are_drawn(graph: str, lines: list[str]) -> None:
    picture = drawn(GRAPHS[graph])

    assert [text for text in lines if text not in picture] == []


@pytest.mark.parametrize("graph", GRAPHS)
def test_every_box_and_arrow_of_the_studios_picture_is_in_it(graph: str) -> None:
    found = drawing(GRAPHS[graph].manifest, waits_in_code(GRAPHS[graph]))
    picture = drawn(GRAPHS[graph])
    arrows = [text for text in picture if "->" in text]

    titles = [box.title for box in found.boxes.values() if box.kind not in ("join", "end", "open")]
    assert [title for title in titles if not any(title in text for text in picture)] == []
    assert len(arrows) == len(found.arrows)


ODD = 'x"]; end <b>&#34; \n```\n subgraph | %% click "a" {{}}'


def odd() -> tuple[GraphManifest, list[dict[str, Any]]]:
    """Names as a lock file may hold them: whoever opens a pull request has written it."""
    nodes = {
        ODD: NodeSpec(ODD, next_node="end", on_error={ODD: "end"}),
        "end": NodeSpec("end", kind="map", over=ODD, next_node="start"),
        "start": NodeSpec("start", terminal=True),
    }
    waits = [{"node": "end", "events": {ODD: "start", "b": ODD}, "timeout_node": "start", "timeout": 3.0}]
    return GraphManifest("g", "1", ODD, "S", {}, nodes), waits


def test_what_a_name_holds_is_never_syntax() -> None:
    text = flowchart(*odd())

    assert "`" not in text
    assert "<" not in text
    quoted = r'"[^"]*"'
    box, arrow = rf"\w+\W{{1,2}}{quoted}\W{{1,2}}", rf"\w+ (?:-->|-- {quoted} -->|-\. {quoted} \.->) \w+"
    line_of = re.compile(rf"    (?:{box}|{arrow})")
    assert [one for one in text.splitlines()[1:] if not line_of.fullmatch(one)] == []


def test_nodes_that_are_named_like_a_mark_or_a_keyword_are_nodes() -> None:
    picture = drawn(line("start", "end", "done", "open", "subgraph"))

    assert "start --> n_start" in picture
    assert "n_open --> n_subgraph" in picture
    assert "n_subgraph --> done" in picture


def test_a_wait_for_a_node_that_is_not_there_is_left_out() -> None:
    picture = flowchart(line("a").manifest, [{"node": "a", "events": {"go": "gone"}}])

    assert "gone" not in picture
