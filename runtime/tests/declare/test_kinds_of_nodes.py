"""Parallels, maps, waits and subgraphs that make no sense do not build."""

from datetime import timedelta

import pytest
from fan_out_graphs import Work
from shapes import increment

from azure_functions_durable_graph import GraphBuildError, ManifestBuilder


def measure(state: Work, item: str) -> int:
    return len(item)


@pytest.mark.parametrize(
    ("builder", "text"),
    [
        (ManifestBuilder("g", Work).set_entrypoint("p").add_parallel("p", []), "has no branches"),
        (
            ManifestBuilder("g", Work).set_entrypoint("p").add_parallel("p", ["x"]),
            "branches names the unknown node 'x'",
        ),
        (
            ManifestBuilder("g", Work).set_entrypoint("p").add_parallel("p", ["a", "a"]).add_node("a", increment),
            "names a branch twice",
        ),
        (
            ManifestBuilder("g", Work).set_entrypoint("m").add_map("m", measure, over="dcs", into="sizes"),
            "over names 'dcs', which is not a field of Work. Did you mean 'docs'[?] Otherwise, add that field.",
        ),
        (
            ManifestBuilder("g", Work)
            .set_entrypoint("m")
            .add_map("m", measure, over="docs", into="sizes", max_concurrency=0),
            "max_concurrency is 0",
        ),
        (
            ManifestBuilder("g", Work).set_entrypoint("w").add_wait("w", duration=timedelta(0)),
            "duration is 0 seconds. Use a positive duration",
        ),
        (
            ManifestBuilder("g", Work).set_entrypoint("s").add_subgraph("s", graph="a b", output={"nope": "x"}),
            "output names 'nope', which is not a field of Work",
        ),
        (
            ManifestBuilder("g", Work).set_entrypoint("a").add_node("a", increment, terminal=True, on_error="x"),
            "on_error names the unknown node 'x'",
        ),
    ],
)
def test_a_shape_that_makes_no_sense_does_not_build(builder: ManifestBuilder, text: str) -> None:
    with pytest.raises(GraphBuildError, match=text):
        builder.build()
