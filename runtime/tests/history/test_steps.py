"""What the history of a run tells: each step once, under its name, with what it wrote and how the run waited."""

from datetime import timedelta
from typing import Any

import pytest
from approvals import approval, asking
from failing import Failing, graph
from fan_out_graphs import checks, credit, docs, fraud, scoring
from reviews import YES, parent, review
from shapes import Counter, conversation, increment, loop

from azure_functions_durable_graph import ManifestBuilder, RetryPolicy, RouteDecision
from azure_functions_durable_graph.history.record import RunHead
from azure_functions_durable_graph.http.runs import get_history
from azure_functions_durable_graph.testing import GraphHost, GraphRun, run_graph

HOUR = timedelta(hours=1)


def at(hours: float) -> str:
    return f"2030-01-01T{int(hours):02}:00:00"


def step_of(run: GraphRun, node: str) -> dict[str, Any]:
    """The one step of a node; its times are cut to seconds."""
    (step,) = [step for step in run.steps if step["node"] == node]
    return {key: value[:19] if key.endswith("_at") and value else value for key, value in step.items()}


def test_a_subgraphs_step_shows_its_run_what_it_wrote_and_when_it_really_ended() -> None:
    host = GraphHost(parent(), review())
    run = host.start("article", {}, run_id="one")
    child = run.view["children"][0]["id"]
    assert step_of(run, "check")["child"] == child
    assert step_of(run, "check")["finished_at"] is None

    run.advance(3 * HOUR).send("verdict", YES)

    step = step_of(run, "check")
    assert (step["kind"], step["child"]) == ("subgraph", child)
    assert step["patch"] == {"approved": True, "reviewer": "alice"}
    assert (step["started_at"], step["finished_at"]) == (at(0), at(3))


def test_a_child_that_is_tried_again_shows_the_run_that_counted() -> None:
    host = GraphHost(parent(retry=RetryPolicy(first_interval=HOUR)), review(fails=1))
    run = host.start("article", {})
    first = step_of(run, "check")["child"]

    run.advance(HOUR).send("verdict", YES)

    step = step_of(run, "check")
    assert step["attempts"] == 2
    assert step["child"] != first
    assert GraphRun(host, step["child"]).status == "completed"


def test_what_routes_have_noted_is_told_also_of_steps_before_the_last_generation() -> None:
    def again(state: Counter) -> RouteDecision:
        return RouteDecision.next("a", note=f"{state.value} of 20") if state.value < 20 else RouteDecision.complete()

    builder = ManifestBuilder("noting", Counter).set_entrypoint("a")
    run = run_graph(builder.add_node("a", increment, route=again, targets=["a", "__complete__"]).build(), {})

    assert [step.get("note") for step in run.steps] == [*(f"{number} of 20" for number in range(1, 20)), None]


def test_a_map_shows_what_it_wrote() -> None:
    run = run_graph(scoring(lambda state, item: item.size), docs(3))

    step = step_of(run, "score")
    assert (step["kind"], step["patch"], step["items"]) == ("map", {"sizes": [0, 1, 2]}, 3)


def test_a_join_shows_what_it_wrote_after_its_branches() -> None:
    run = run_graph(checks({"fraud": fraud, "credit": credit}), {})

    assert [(step["node"], step["kind"]) for step in run.steps] == [
        ("fraud", "branch"),
        ("credit", "branch"),
        ("check", "parallel"),
        ("end", "task"),
    ]
    assert step_of(run, "check")["patch"] == {"credit": 700, "fraud": True}
    assert step_of(run, "credit")["patch"] == {"credit": 700}


def test_branches_come_in_the_order_of_their_declaration() -> None:
    names = ["z", "m", "a", "k"]
    run = run_graph(checks({name: lambda state: None for name in names}), {})

    assert run.path == [*names, "check", "end"]


@pytest.mark.parametrize("bad", ["credit", "fraud"])
def test_a_failed_parallel_stands_once_under_its_own_name(bad: str) -> None:
    branches = {"credit": credit, "fraud": fraud, bad: Failing(9)}

    run = run_graph(checks(branches), {})

    assert run.path == ["credit", "fraud", "check"]
    assert step_of(run, "check")["error"]["type"] == "Declined"
    assert "error" not in step_of(run, "fraud" if bad == "credit" else "credit")


def test_a_branch_that_is_tried_again_stands_once_with_its_attempts() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("p").add_parallel("p", branches=["x", "y"])
    builder.add_node("x", Failing(1), retry=RetryPolicy(first_interval=HOUR)).add_node("y", lambda state: None)
    run = run_graph(builder.build(), {}).advance(HOUR)

    assert run.path == ["x", "y", "p"]
    assert (step_of(run, "x")["attempts"], step_of(run, "x")["finished_at"]) == (2, at(1))


def test_a_failed_step_that_went_on_over_an_error_edge_keeps_its_error() -> None:
    run = run_graph(graph(Failing(9), on_error="refund"), {})

    assert step_of(run, "work")["error"]["message"] == "attempt 1"
    assert step_of(run, "work")["to"] == ["refund"]


def test_a_run_of_too_many_steps_shows_those_that_it_took() -> None:
    run = run_graph(loop(max_steps=3), {"goal": 9})

    assert (run.path, run.error and run.error["type"]) == (["count"] * 3, "MaxStepsExceeded")


# --- waits --------------------------------------------------------------------------------------------------------


def test_a_wait_and_its_answer_have_their_lines() -> None:
    run = GraphHost(conversation()).start("conversation", {})
    assert run.steps[0]["wait"] == {"events": ["answer"], "since": f"{at(0)}+00:00", "outcome": "open"}

    run.advance(2 * HOUR).send("answer", {"text": "stop"})

    assert run.steps[0]["wait"] == {
        "events": ["answer"],
        "since": f"{at(0)}+00:00",
        "outcome": "answered",
        "answered_by": "answer",
        "until": f"{at(2)}+00:00",
    }
    assert run.steps[1]["event"] == "answer"
    (event,) = run.events
    assert event.pop("event_id").startswith("answer.0.")
    assert event.pop("payload") == {"text": "stop"}
    assert event == {"event": "answer", "at": f"{at(2)}.000000Z", "outcome": "applied", "step": 0}


@pytest.mark.parametrize(("days", "since"), [(2, "2030-01-03"), (8, "2030-01-09")], ids=["short", "in parts"])
def test_a_deadline_that_has_passed_is_told(days: int, since: str) -> None:
    run = GraphHost(asking(approval(days))).start("g", {})
    assert run.steps[0]["wait"]["deadline"][:10] == since
    run.advance(timedelta(days=days) - HOUR)
    assert run.steps[0]["wait"]["outcome"] == "open"

    run.advance(HOUR)

    wait = run.steps[0]["wait"]
    assert (wait["outcome"], wait["until"][:10], "answered_by" in wait) == ("timed out", since, False)
    assert run.path == ["ask", "escalate"]


def test_the_event_that_won_is_told_and_the_other_is_discarded() -> None:
    decision = RouteDecision.wait_for_any({"yes": "ship", "no": "refund"})
    run = GraphHost(asking(decision)).start("g", {})
    for event in ("no", "yes"):  # at the same instant: the engine has both before the run sees one
        path = f"instances/{run.id}/raiseEvent/{event}.0"
        assert run.host._management.handle("POST", path, {}, b"1").status == 202

    assert run.steps[0]["wait"]["answered_by"] == "no"
    assert [(event["event"], event["outcome"]) for event in run.events] == [("no", "applied"), ("yes", "discarded")]
    assert run.path == ["ask", "refund"]


def test_a_wait_node_shows_its_time_and_a_sleep_its_end() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("pause").add_wait("pause", duration=HOUR, next_node="a")
    builder.add_node("a", increment, route=lambda state: RouteDecision.sleep(HOUR, resume_node="b"), targets=["b"])
    run = run_graph(builder.add_node("b", increment, terminal=True).build(), {}).advance(5 * HOUR)

    pause = step_of(run, "pause")
    assert (pause["kind"], pause["started_at"], pause["finished_at"]) == ("wait", at(0), at(1))
    assert step_of(run, "a")["sleeps_until"] == f"{at(2)}+00:00"
    assert step_of(run, "b")["started_at"] == at(2)


def test_applying_an_event_before_a_parallel_is_not_an_attempt() -> None:
    decision = RouteDecision.wait_for_event(event_name="go", resume_node="p")
    builder = ManifestBuilder("g", Counter).set_entrypoint("ask")
    builder.add_node("ask", increment, route=lambda state: decision, targets=["p"])
    builder.add_parallel("p", branches=["x"]).add_node("x", increment)
    builder.add_event_handler("go", lambda state, payload: {"said": ["go"]})
    run = run_graph(builder.build(), {}).send("go")

    step = step_of(run, "p")
    assert (step["event"], step["patch"], "attempts" in step) == ("go", {"said": ["go"], "value": 2}, False)


# --- status -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "status"),
    [
        ({"fan_out": {"done": 1, "of": 3}}, "running"),
        ({"fan_out": {"done": 1, "of": 3}, "retry": {"attempt": 1}}, "sleeping"),
        ({"retry": {"attempt": 1}}, "sleeping"),
        ({"sleeps_until": "2030"}, "sleeping"),
        ({"parked": "no graph", "retry": {"attempt": 1}}, "parked"),
        ({"waits": [{"event": "e", "address": "e.0", "resume_node": "n"}], "note": "x"}, "waiting"),
    ],
    ids=["fan-out", "branch retry", "retry", "sleep", "parked", "waiting"],
)
def test_what_a_running_run_says_of_itself_is_its_status(said: Any, status: str) -> None:
    record = RunHead("r", "Running", said, None, None, None)

    assert record.status == status
    assert record.is_idle == (status != "running")


def test_the_attempts_before_the_last_one_are_listed_with_their_errors() -> None:
    policy = RetryPolicy(max_attempts=3, first_interval=timedelta(hours=1))
    run = run_graph(graph(Failing(2), retry=policy), {})
    run.advance(4 * HOUR)

    (step,) = run.steps
    assert (step["attempts"], "error" in step) == (3, False)
    assert [failure["at"][:19] for failure in step["failures"]] == [at(0), at(1)]
    assert [failure["error"]["message"] for failure in step["failures"]] == ["attempt 1", "attempt 2"]


def test_the_states_between_the_steps_follow_from_the_first_one_and_the_patches() -> None:
    run = run_graph(loop(), {"value": 3, "goal": 40})
    history = run.host.call(get_history, {"id": run.id})

    patched = [step["patch"] for step in history["steps"] if "patch" in step]
    assert len(patched) < len(history["steps"]) + history["steps_not_shown"], "the run has continued as new"
    state = history["state"]
    assert state["value"] == patched[0]["value"] - 1
    for patch in patched:
        state = {**state, **patch}
    assert state == run.view["state"]
