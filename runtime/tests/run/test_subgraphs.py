"""A graph within a graph is a run of its own; the parent shows its waits and forwards events."""

from datetime import timedelta

import pytest
from pydantic import BaseModel
from reviews import YES, Draft, descending, parent, review, undeploy, waiting_parent

from azure_functions_durable_graph import ManifestBuilder, RetryPolicy
from azure_functions_durable_graph.graph.plan import MAX_DEPTH
from azure_functions_durable_graph.testing import GraphHost, GraphRun, Problem


def child_of(run: GraphRun) -> GraphRun:
    (child,) = run.view["children"]
    return GraphRun(run.host, child["id"])


@pytest.fixture
def run() -> GraphRun:
    return GraphHost(parent(), review()).start("article", {})


def test_the_child_gets_the_mapped_fields_and_gives_its_own_back(run: GraphRun) -> None:
    child = child_of(run)
    assert child.state.draft == "a draft"
    assert child.status == "waiting"

    child.send("verdict", YES)

    assert (run.status, run.state.approved, run.state.reviewer) == ("completed", True, "alice")
    assert run.path == ["write", "check", "publish"]
    assert child.status == "completed"
    assert child.view["output"]["rounds"] == 1


def test_open_waits_of_the_child_are_listed_with_the_parent_and_events_reach_it(run: GraphRun) -> None:
    assert (run.status, run.waits) == ("waiting", ["verdict"])

    run.send("verdict", YES)

    assert run.status == "completed"


def test_a_bad_payload_for_the_child_is_refused_at_the_parents_door(run: GraphRun) -> None:
    with pytest.raises(Problem, match=r"422 invalid: .*payload\.reviewer"):
        run.send("verdict", {"approved": True})
    with pytest.raises(Problem, match="409 event-not-awaited: the run is waiting and asks for 'verdict'"):
        run.send("other", {})

    assert run.waits == ["verdict"]


def test_cancelling_the_parent_cancels_its_children(run: GraphRun) -> None:
    child = child_of(run)

    run.cancel("enough")

    assert (run.status, child.status) == ("cancelled", "cancelled")
    assert child.view["reason"] == "enough"


def test_a_child_that_is_cancelled_fails_its_node(run: GraphRun) -> None:
    child_of(run).cancel("no")

    assert run.status == "failed"
    assert run.error is not None
    assert (run.error["type"], run.error["node"]) == ("ChildRunLost", "check")


def test_a_failing_child_fails_its_node_with_the_childs_error() -> None:
    host = GraphHost(parent(on_error={"RuntimeError": "mend"}), review(fails=1))

    run = host.start("article", {})

    assert run.status == "completed"
    assert "node 'begin': no reviewer" in run.state.failed_with


def test_a_failed_child_shows_as_failed() -> None:
    run = GraphHost(parent(), review(fails=1)).start("article", {})

    assert run.status == "failed"
    assert run.error is not None
    child_id = run.error["message"].split()[2].rstrip(",")
    child = GraphRun(run.host, child_id)
    assert (child.status, child.error["type"] if child.error else None) == ("failed", "RuntimeError")


def test_a_failing_child_is_tried_again_as_a_new_run() -> None:
    host = GraphHost(parent(retry=RetryPolicy(first_interval=timedelta(minutes=1))), review(fails=2))

    run = host.start("article", {}).advance(timedelta(minutes=10))

    assert run.status == "waiting"
    assert run.send("verdict", YES).status == "completed"


def test_an_input_that_the_child_does_not_take_fails_the_node() -> None:
    class Number(BaseModel):
        draft: int
        approved: bool = False
        reviewer: str | None = None

    builder = ManifestBuilder("review", Number).set_entrypoint("a").add_node("a", lambda state: None, terminal=True)
    run = GraphHost(parent(), builder.build()).start("article", {})

    assert run.error is not None
    assert (run.error["where"], run.error["type"]) == ("input of the subgraph", "ValidationError")


def test_a_subgraph_that_is_not_deployed_parks_the_run_and_is_named() -> None:
    host = GraphHost(waiting_parent(), review())
    run = host.start("article", {})
    undeploy(host, "review")
    run.send("go")
    assert run.status == "parked"
    assert run.view["parked"] == "no graph 'review' is deployed, but node 'check' runs it"

    host.deploy(waiting_parent(), review())
    run.advance(timedelta(minutes=1))
    assert run.waits == ["verdict"]


def test_graphs_nest_as_deep_as_wanted() -> None:
    middle = parent("middle", "article2")
    inner = parent("article2", "review")
    builder = ManifestBuilder("outer", Draft).set_entrypoint("go")
    builder.add_subgraph("go", graph="middle", output={"approved": "approved"})

    class Middle(BaseModel):
        text: str = "deep"
        approved: bool = False
        reviewer: str | None = None

    del middle
    middle_builder = ManifestBuilder("middle", Middle).set_entrypoint("go")
    middle_builder.add_subgraph("go", graph="article2", input={"text": "text"}, output={"approved": "approved"})
    host = GraphHost(builder.build(), middle_builder.build(), inner, review())
    run = host.start("outer", {})
    assert run.waits == ["verdict"]

    run.send("verdict", YES)

    assert (run.status, run.state.approved) == ("completed", True)


def test_cancelling_reaches_the_deepest_child() -> None:
    builder = ManifestBuilder("outer", Draft).set_entrypoint("go").add_subgraph("go", graph="article")
    host = GraphHost(builder.build(), parent(), review())
    run = host.start("outer", {})
    deepest = child_of(child_of(run))

    run.cancel()

    assert deepest.status == "cancelled"


def test_a_graph_may_call_itself_as_deep_as_the_plan_allows() -> None:
    run = GraphHost(descending()).start("descend", {"left": MAX_DEPTH + 1})

    assert (run.status, run.state.left) == ("completed", 0)


def test_a_graph_that_calls_itself_too_deep_fails_with_one_plain_error() -> None:
    run = GraphHost(descending()).start("descend", {"left": MAX_DEPTH + 2})

    assert run.status == "failed"
    assert run.error is not None
    assert (run.error["type"], run.error["node"]) == ("RecursionLimitExceeded", "deeper")
    assert run.error["message"] == ("subgraphs are nested 32 levels deep: does 'descend' call itself endlessly?")


def test_the_depth_limit_is_not_tried_again_and_can_be_mended() -> None:
    host = GraphHost(descending(retry=RetryPolicy(max_attempts=5), on_error={"RecursionLimitExceeded": "mend"}))

    run = host.start("descend", {"left": MAX_DEPTH + 2})

    assert (run.status, run.state.left) == ("completed", -99)
    assert host.activities_run == 2 * (MAX_DEPTH + 1), "each level counts and prepares once; the deepest mends instead"
