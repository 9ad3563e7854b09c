"""Random trees of branches, maps, subgraphs, waits, failures and kills: every run ends as its policies say."""

from __future__ import annotations

import json
from random import Random

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from trees import Tree, leaves, play
from watching import record

from azure_functions_durable_graph.testing import GraphHost


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, 2**32))
def test_every_run_ends_as_its_tree_says_nothing_is_applied_twice_and_nothing_stalls(seed: int) -> None:
    tree = Tree(Random(seed))
    graph, expected = tree.grow()
    host = GraphHost(graph, *leaves())
    record(host)  # each episode runs twice, and gives the same
    run = host.start("tree", {})

    play(tree, host, run)

    assert run.status == ("failed" if expected.fails else "completed"), run.error
    if not expected.fails:
        assert sorted(run.state.notes) == sorted(expected.notes)
    assert dict(tree.calls) == dict.fromkeys(tree.reached, 1)
    assert json.loads(json.dumps([run.view, run.steps, run.events]))

    run.delete()

    assert host.run_ids() == []
