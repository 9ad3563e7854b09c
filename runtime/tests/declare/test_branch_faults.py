"""Branches that leak: what leads out of a branch, into it, or from one to another does not build."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from branching import Contract, ask, checking, two_approvals

from azure_functions_durable_graph import GraphBuildError, ManifestBuilder

Builder = ManifestBuilder[Any]


def nothing(state: Contract) -> None:
    return None


def two(**left: Any) -> Builder:
    """`p` begins `left` and `right`; `end` follows."""
    builder = ManifestBuilder("g", Contract).set_entrypoint("p")
    builder.add_parallel("p", branches=["left", "right"], next_node="end")
    builder.add_node("left", nothing, **left)
    return builder.add_node("right", nothing).add_node("end", nothing, terminal=True)


def faults(builder: Builder) -> list[str]:
    with pytest.raises(GraphBuildError) as caught:
        builder.build()
    return [str(fault) for fault in caught.value.faults]


def test_a_branch_that_leads_back_to_its_parallel() -> None:
    assert faults(two(next_node="p")) == [
        "node 'left': is a branch of 'p' and leads back to it. Let the branch end, or lead to 'end'."
    ]


def test_branches_that_meet_before_they_join() -> None:
    builder = ManifestBuilder("g", Contract).set_entrypoint("p").add_parallel("p", branches=["a", "b"])
    builder.add_node("a", nothing, next_node="c").add_node("b", nothing, next_node="c")
    builder.add_node("c", nothing, next_node="d").add_node("d", nothing, terminal=True)

    assert faults(builder) == [
        "node 'c': is part of two branches of 'p', 'a' and 'b'. "
        "Make it the next_node of 'p', where the branches join, or give each a node of its own."
    ]


def test_a_branch_that_leads_to_its_sibling() -> None:
    assert faults(two(next_node="right")) == [
        "node 'right': is part of two branches of 'p', 'left' and 'right'. "
        "Make it the next_node of 'p', where the branches join, or give each a node of its own."
    ]


def test_a_way_into_a_branch_from_outside() -> None:
    other = ManifestBuilder("g", Contract).set_entrypoint("first")
    other.add_node("first", nothing, route=lambda s: "p", targets=["p", "more"])
    other.add_parallel("p", branches=["left"], next_node="end").add_node("left", nothing, next_node="more")
    other.add_node("more", nothing).add_node("end", nothing, terminal=True)

    assert faults(other) == [
        "node 'first': leads to 'more', which is part of the branch 'left' of 'p'. "
        "Lead to 'p' or to what follows it, or give that path a node of its own."
    ]


def test_a_graph_that_begins_within_a_branch() -> None:
    builder = ManifestBuilder("g", Contract).set_entrypoint("left")
    builder.add_parallel("p", branches=["left"], next_node="end").add_node("left", nothing)
    builder.add_node("end", nothing, next_node="p")

    assert any("names 'left', which is part of the branch 'left' of 'p'" in text for text in faults(builder))


def test_a_parallel_that_joins_at_one_of_its_branches() -> None:
    builder = ManifestBuilder("g", Contract).set_entrypoint("p").add_parallel("p", ["a", "b"], next_node="a")
    builder.add_node("a", nothing, terminal=True).add_node("b", nothing)

    assert faults(builder)[0].startswith("node 'p': its next_node 'a' is one of its branches.")


def test_a_route_within_a_branch_has_to_declare_where_it_leads() -> None:
    (text,) = faults(two(route=ask("signature", "end")))

    assert text.startswith("node 'left': is part of the branch 'left' of 'p', and its route does not declare its")


def test_a_branch_that_can_never_end() -> None:
    builder = two(next_node="on").add_node("on", nothing, next_node="left")

    assert [text.partition(":")[0] for text in faults(builder)] == ["node 'left'", "node 'on'"]


def test_a_branch_that_leads_past_the_inner_join() -> None:
    builder = ManifestBuilder("g", Contract).set_entrypoint("outer")
    builder.add_parallel("outer", branches=["inner", "other"], next_node="end")
    builder.add_parallel("inner", branches=["a", "b"], next_node="both")
    builder.add_node("a", nothing, next_node="end").add_node("b", nothing).add_node("both", nothing)
    builder.add_node("other", nothing).add_node("end", nothing, terminal=True)

    assert faults(builder)[0] == (
        "node 'outer': leads to 'end', which is part of the branch 'a' of 'inner'. "
        "Lead to 'inner' or to what follows it, or give that path a node of its own."
    )


def test_too_many_branches_with_steps() -> None:
    names = [f"b{number}" for number in range(41)]
    builder = ManifestBuilder("g", Contract).set_entrypoint("p").add_parallel("p", names)
    for name in names:
        builder.add_wait(name, duration=timedelta(hours=1))

    assert faults(builder) == [
        "node 'p': has 41 branches of more than one task, but at most 40 are possible. "
        "Use a map over a list, or nest parallels."
    ]


@pytest.mark.parametrize(
    "shape",
    [
        lambda: two(next_node="end"),
        lambda: two(terminal=True),
        lambda: two(on_error="end"),
        lambda: two(on_error="mend").add_node("mend", nothing),
        lambda: two(route=lambda s: None, targets=["__complete__", "end"]),
    ],
    ids=["to the join", "terminal", "error to the join", "error within", "completes"],
)
def test_what_a_branch_may_be(shape: Callable[[], Builder]) -> None:
    assert shape().build().graph_name == "g"


def test_the_picture_shows_where_branches_join() -> None:
    from azure_functions_durable_graph.declare.mermaid import flowchart

    text = flowchart(checking().manifest)
    lines = [line.strip() for line in text.splitlines()]

    assert "n_checks --> n_legal" in lines
    assert 'n_legal -- "route" --> n_sign' in lines
    assert "n_sign --> join_checks" in lines
    assert "join_checks --> n_decide" in lines
    assert "n_left_udone --> join_both" in flowchart(two_approvals().manifest)
