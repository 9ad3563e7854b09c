"""What a pull request and a terminal show of a change, word for word."""

from __future__ import annotations

from dataclasses import replace

import pytest

from azure_functions_durable_graph.change.changes import Impact
from azure_functions_durable_graph.change.lock import Lock, LockedVersion, VersionChange, compare, next_lock
from azure_functions_durable_graph.change.report import as_json, as_markdown, as_text
from azure_functions_durable_graph.declare.mermaid import flowchart
from azure_functions_durable_graph.graph.manifest import GraphManifest
from azure_functions_durable_graph.graph.nodes import NodeSpec

BEFORE = GraphManifest("g", "1", "a", "S", {}, {"a": NodeSpec("a", next_node="b"), "b": NodeSpec("b", terminal=True)})
AFTER = replace(BEFORE, nodes={"a": NodeSpec("a", terminal=True, timeout=3.0)}, metadata={"text": "a|b"})


def changed(before: GraphManifest | None, after: GraphManifest | None) -> list[VersionChange]:
    locks = [Lock() if one is None else next_lock(Lock(), [LockedVersion(one, {})]) for one in (before, after)]
    return compare(*locks)


def test_a_terminal_shows_each_change_with_its_mark_and_what_to_do() -> None:
    assert as_text(changed(BEFORE, AFTER)).splitlines() == [
        "g, version 1: needs a new version",
        "  ✗ needs a new version: node 'b' was removed",
        "  ✗ needs a new version: node 'a' led to 'b' and now leads to the end",
        "  ✓ safe: node 'a': timeout changed from none to 3.0",
        "  · cosmetic: the metadata changed",
        "  Give the graph a new version, and keep the old one registered beside it until its runs have finished.",
    ]


def test_a_terminal_says_nothing_of_what_is_the_same_and_no_cure_where_none_is_needed() -> None:
    assert as_text(changed(BEFORE, BEFORE)) == "No graph has changed."
    assert as_text(changed(BEFORE, replace(BEFORE, max_steps=2000))).splitlines() == [
        "g, version 1: safe",
        "  ✓ safe: max_steps changed from 1000 to 2000",
    ]
    assert as_text(changed(None, BEFORE)) == "g, version 1: new"


def test_a_pull_request_shows_a_table_and_a_picture_before_and_after() -> None:
    assert as_markdown(changed(BEFORE, AFTER)).splitlines() == [
        "## Graphs",
        "",
        "### g, version 1: needs a new version",
        "",
        "| impact | change |",
        "|---|---|",
        "| needs a new version | node 'b' was removed |",
        "| needs a new version | node 'a' led to 'b' and now leads to the end |",
        "| safe | node 'a': timeout changed from none to 3.0 |",
        "| cosmetic | the metadata changed |",
        "",
        "Before:",
        "",
        "```mermaid",
        *flowchart(BEFORE).rstrip().splitlines(),
        "```",
        "",
        "After:",
        "",
        "```mermaid",
        *flowchart(AFTER).rstrip().splitlines(),
        "```",
    ]


@pytest.mark.parametrize(
    ("before", "after", "title", "label"),
    [
        (None, BEFORE, "### g, version 1: new", "After:"),
        (
            BEFORE,
            None,
            "### g, version 1 is no longer registered: its runs in flight are parked until it is deployed again",
            "Before:",
        ),
    ],
    ids=["new", "dropped"],
)
def test_a_version_that_is_new_or_dropped_has_one_picture(
    before: GraphManifest | None, after: GraphManifest | None, title: str, label: str
) -> None:
    lines = as_markdown(changed(before, after)).splitlines()

    assert lines[:4] == ["## Graphs", "", title, ""]
    assert lines[4] == label
    assert lines.count("```mermaid") == 1


def test_a_pull_request_in_which_nothing_changed_says_so() -> None:
    assert as_markdown(changed(BEFORE, BEFORE)) == "## Graphs\n\nNo graph has changed.\n"


def test_a_table_is_not_broken_by_what_its_cells_hold() -> None:
    on_error = replace(BEFORE, nodes={**BEFORE.nodes, "a": NodeSpec("a", next_node="b", on_error={"a|b\nc": "b"})})

    (row,) = [line for line in as_markdown(changed(BEFORE, on_error)).splitlines() if "on_error" in line]

    assert row == "| safe | node 'a': on_error changed from none to {'a\\|b\\nc': 'b'} |"


def test_programs_get_the_same_with_both_hashes() -> None:
    assert as_json(changed(BEFORE, AFTER)) == [
        {
            "graph": "g",
            "version": "1",
            "kind": "changed",
            "impact": "needs a new version",
            "before": BEFORE.graph_hash,
            "after": AFTER.graph_hash,
            "changes": [
                {"impact": "needs a new version", "text": "node 'b' was removed"},
                {"impact": "needs a new version", "text": "node 'a' led to 'b' and now leads to the end"},
                {"impact": "safe", "text": "node 'a': timeout changed from none to 3.0"},
                {"impact": "cosmetic", "text": "the metadata changed"},
            ],
        }
    ]
    (new,), (dropped,), (same,) = (
        as_json(changed(*pair)) for pair in ((None, BEFORE), (BEFORE, None), (BEFORE, BEFORE))
    )
    assert (new["kind"], new["impact"], new["before"], new["after"]) == ("new", None, None, BEFORE.graph_hash)
    assert (dropped["kind"], dropped["before"], dropped["after"]) == ("dropped", BEFORE.graph_hash, None)
    assert (same["kind"], same["impact"], same["changes"]) == ("same", None, [])


def test_the_words_of_an_impact_are_what_programs_compare() -> None:
    assert [impact.value for impact in Impact] == ["cosmetic", "safe", "needs a new version"]
    assert [impact.weight for impact in Impact] == [0, 1, 2]
