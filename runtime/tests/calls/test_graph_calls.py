"""The client has the same methods, results and errors through each of its doors."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from contract import Approval, Ticket, approvals, broken
from shapes import line
from three_doors import DOORS, client_through

from azure_functions_durable_graph.calls.blocking import BlockingCalls
from azure_functions_durable_graph.calls.door import Call
from azure_functions_durable_graph.calls.graph_calls import GraphCalls
from azure_functions_durable_graph.errors import ApiError, PayloadError
from azure_functions_durable_graph.http.routes import ROUTES
from azure_functions_durable_graph.http.values import Response


@pytest.fixture(scope="module", params=DOORS)
def client(request: pytest.FixtureRequest) -> Iterator[Any]:
    with client_through(request.param, approvals(), broken(), line("a", "b", "c")) as found:
        yield found


def refused(call: Callable[..., Any], *words: Any, **options: Any) -> tuple[int, str]:
    with pytest.raises(ApiError) as caught:
        call(*words, **options)
    return caught.value.status, caught.value.code


def waiting(client: Any, ticket: str = "T-1", **options: Any) -> Any:
    return client.wait(client.start("approvals", Ticket(ticket_id=ticket), **options), until="idle", timeout=30)


def test_a_run_is_started_with_its_state_model_and_read_back_as_one(client: Any) -> None:
    run = waiting(client, "T-9")

    assert (run.status, [wait.event for wait in run.waits]) == ("waiting", ["approval"])
    assert run.waits[0].payload_schema["title"] == "Approval"
    assert run.state_as(Ticket) == Ticket(ticket_id="T-9")
    assert run.started_at <= datetime.now(timezone.utc)


def test_a_run_is_started_with_a_dict_metadata_and_tags(client: Any) -> None:
    run = client.get(client.start("line", {"value": 5}, metadata={"by": "me"}, tags={"team": "red"}), wait=10)

    assert (run.input, run.metadata, run.tags) == ({"value": 5}, {"by": "me"}, {"team": "red"})


def test_a_start_under_the_same_key_finds_the_first_run(client: Any) -> None:
    first = client.start("approvals", Ticket(ticket_id="T-2"), key="k-2")

    assert client.start("approvals", Ticket(ticket_id="T-2"), key="k-2").id == first.id
    assert refused(client.start, "approvals", Ticket(ticket_id="other"), key="k-2") == (422, "key-reused")


def test_an_id_that_is_in_use_is_refused_or_returned(client: Any) -> None:
    first = client.start("line", instance_id="mine")

    assert first.id == "mine"
    assert client.start("line", instance_id="mine", on_conflict="return").id == "mine"
    assert refused(client.start, "line", instance_id="mine") == (409, "run-exists")


def test_an_answer_is_applied_and_its_fate_is_told(client: Any) -> None:
    run = waiting(client)

    answer = client.send(run, "approval", Approval(approved=True), key="a")

    assert (answer.outcome, answer.resume_node) == ("applied", "apply")
    assert client.get_answer(answer).outcome == "applied"
    assert client.send(run, "approval", {"approved": True}, key="a").event_id == answer.event_id
    assert client.wait(run, timeout=30).output["approved"] is True


def test_an_answer_that_nobody_asked_for_is_an_error_with_its_code(client: Any) -> None:
    run = waiting(client)

    assert refused(client.send, run, "approvel", {}, wait=0) == (409, "event-not-awaited")
    assert refused(client.send, run, "approval", {"approved": "perhaps"}) == (422, "invalid")
    with pytest.raises(ApiError) as caught:
        client.send(run, "approval", {"approved": "perhaps"})
    assert caught.value.members["errors"][0]["loc"] == ["payload", "approved"]


def test_of_several_waits_one_is_picked_by_its_id(client: Any) -> None:
    run = waiting(client)

    assert refused(client.send, run, "approval", {"approved": True}, wait_id="approval.99", wait=0)[0] == 409
    assert client.send(run, "approval", {"approved": True}, wait_id=run.waits[0].id).outcome == "applied"


def test_a_run_is_suspended_resumed_and_cancelled(client: Any) -> None:
    run = waiting(client)

    client.suspend(run, "lunch")
    assert client.wait(run, until="idle", timeout=30).status == "suspended"
    client.resume(run)
    client.cancel(run, "no longer needed")
    over = client.wait(run, timeout=30)
    assert (over.status, over.reason) == ("cancelled", "no longer needed")
    assert refused(client.cancel, run) == (410, "run-finished")


def test_a_run_is_restarted_from_a_node_with_another_state(client: Any) -> None:
    run = client.wait(client.start("line"), timeout=30)

    again = client.wait(client.restart(run, node="c", state={"value": 40}, key="r"), timeout=30)

    assert again.output["value"] == 41
    assert again.origin["run"] == run.id
    assert client.restart(run, node="c", state={"value": 40}, key="r").id == again.id


def test_a_failed_run_is_retried_as_a_new_run(client: Any) -> None:
    run = client.wait(client.start("broken", Ticket(ticket_id="T")), timeout=30)

    assert (run.status, run.error["message"]) == ("failed", "no fuse")
    assert client.wait(client.retry(run), timeout=30).origin == {"run": run.id, "verb": "retry", "node": "a", "step": 0}


def test_a_finished_run_is_deleted(client: Any) -> None:
    run = client.wait(client.start("line"), timeout=30)

    client.delete(run)

    assert refused(client.get, run) == (404, "run-not-found")


def test_a_wait_that_takes_too_long_says_how_the_run_stands(client: Any) -> None:
    run = waiting(client)

    with pytest.raises(TimeoutError, match=f"the run {run.id!r} is still waiting after 0 seconds"):
        client.wait(run, timeout=0)


def test_runs_are_listed_by_what_they_are(client: Any) -> None:
    before = datetime.now(timezone.utc) - timedelta(hours=1)
    mine = {waiting(client, tags={"list": "mine"}).id for _ in range(3)}

    page = client.list(graph="approvals", status="waiting", since=before, tags={"list": "mine"}, limit=2)
    rest = client.list(graph="approvals", status="waiting", since=before, tags={"list": "mine"}, cursor=page.cursor)

    assert len(page.runs) == 2
    assert {run.id for run in (*page.runs, *rest.runs)} == mine
    assert client.list(tags={"list": "mine"}, until=before).runs == []


def test_follow_yields_each_step_once_and_ends_with_the_run(client: Any) -> None:
    steps = list(client.follow(client.start("line"), every=0.01))

    assert [(step.step, step.node) for step in steps] == [(0, "a"), (1, "b"), (2, "c")]
    assert [step.patch for step in steps] == [{"value": 1}, {"value": 2}, {"value": 3}]


def test_follow_looks_less_often_while_nothing_happens() -> None:
    pauses: list[float] = []

    class Idle:
        """A door to a run that does nothing for a while, then ends."""

        async def send(self, call: Call) -> Response:
            status = "waiting" if len(pauses) < 12 else "cancelled"
            return Response(200, {"id": "r", "status": status, "steps_not_shown": 0, "steps": [], "events": []})

        async def pause(self, seconds: float) -> None:
            pauses.append(seconds)

        def clock(self) -> float:
            return 0.0

    assert list(BlockingCalls(GraphCalls(Idle())).follow("r", every=1.0)) == []
    assert pauses[0] == 1.5
    assert pauses[-1] == 10.0
    assert pauses == sorted(pauses)


def test_follow_shows_how_a_run_failed(client: Any) -> None:
    (step,) = client.follow(client.start("broken", {"ticket_id": "T"}), every=0.01)

    assert step.error["type"] == "ValueError"


def test_graphs_are_listed_described_and_drawn(client: Any) -> None:
    assert [graph.graph for graph in client.graphs()] == ["approvals", "broken", "line"]
    assert client.graph("line").versions[0].default
    assert "flowchart" in client.diagram("line")
    assert refused(client.graph, "lime") == (404, "graph-not-found")
    found = client.manifest("line", graph_hash=client.graph("line").graph_hash)
    assert set(found.manifest["nodes"]) == {"a", "b", "c"}
    assert client.health().graphs == 3


def test_what_no_run_can_have_as_its_id_is_refused_before_anything_is_asked(client: Any) -> None:
    for text in ("", "..", "a/b", "a?b"):
        assert refused(client.get, text) == (404, "run-not-found")


def test_an_input_that_is_not_json_is_refused_before_anything_is_asked(client: Any) -> None:
    with pytest.raises(PayloadError, match="datetime"):
        client.start("line", {"value": datetime.now(timezone.utc)})


def test_every_route_has_its_method_but_those_for_tools() -> None:
    source = inspect.getsource(GraphCalls)

    without = {route.name for route in ROUTES if f'"{route.name}"' not in source}
    assert without == {"get_openapi"}


def test_both_clients_have_the_same_methods_and_arguments() -> None:
    def public(kind: type) -> dict[str, tuple[Any, str]]:
        found = {name: method for name, method in vars(kind).items() if not name.startswith("_")}
        return {
            name: (list(inspect.signature(method).parameters.values()), inspect.getdoc(method) or "")
            for name, method in found.items()
        }

    assert public(BlockingCalls) == public(GraphCalls)
    assert all(doc for _, doc in public(BlockingCalls).values())
