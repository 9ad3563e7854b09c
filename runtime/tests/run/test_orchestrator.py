"""A run, seen at the protocol: the real SDK replays it from its history at every step."""

import itertools
import json
from datetime import timedelta
from typing import Any

import pytest
from shapes import Counter, conversation, increment, line, loop
from watching import record

from azure_functions_durable_graph import ManifestBuilder, RouteDecision
from azure_functions_durable_graph.host.engine.messages import RaiseEvent
from azure_functions_durable_graph.run.limits import HISTORY_BUDGET, TRAIL_LIMIT
from azure_functions_durable_graph.testing import GraphHost, Problem, run_graph


def host_with(*graphs: Any) -> Any:
    host = GraphHost(*graphs)
    return host, record(host)


# --- costs --------------------------------------------------------------------------------------------------------


def test_three_nodes_cost_three_activities() -> None:
    host, seen = host_with(line("a", "b", "c"))

    run = host.start("line", {})

    assert run.status == "completed"
    assert seen.nodes == ["a", "b", "c"]
    assert [name for name, _, _ in seen.episodes] == ["durable_graph_run"] * 4


def test_an_event_costs_no_activity_of_its_own() -> None:
    host, seen = host_with(conversation())

    host.start("conversation", {}).send("answer", {"text": "more"}).send("answer", {"text": "stop"})

    assert seen.nodes == ["listen", "listen", "listen"]
    assert [call.get("event") for call in seen.activities] == [
        None,
        {"name": "answer", "payload": {"text": "more"}},
        {"name": "answer", "payload": {"text": "stop"}},
    ]


def test_routes_static_edges_and_terminal_nodes_are_free() -> None:
    host, seen = host_with(loop())

    host.start("loop", {"goal": 4})

    assert len(seen.activities) == 4


def test_only_the_changed_fields_are_in_the_history() -> None:
    host, seen = host_with(line("a", "b"))

    host.start("line", {"said": ["x" * 5000]})
    _, context, _ = seen.episodes[-1]
    results = [event["Result"] for event in json.loads(context)["history"] if event["EventType"] == 5]

    assert [json.loads(result)["patch"] for result in results] == [{"value": 1}, {"value": 2}]
    assert all(len(result) < 100 for result in results)


# --- replay -------------------------------------------------------------------------------------------------------


def test_a_longer_history_only_appends_actions() -> None:
    host, seen = host_with(line("a", "b", "c", "d"))

    host.start("line", {})
    actions = [[str(action) for action in outcome.actions] for _, _, outcome in seen.episodes]

    assert all(later[: len(earlier)] == earlier for earlier, later in itertools.pairwise(actions))


def test_the_plan_travels_in_the_input_so_that_the_orchestrator_needs_no_registry() -> None:
    host, _ = host_with(conversation())
    run = host.start("conversation", {})

    host.deploy()  # no graphs at all
    seen = record(host)
    run.send("answer", {"text": "stop"})

    assert seen.episodes[0][2].error is None
    assert run.status == "parked"


def test_the_custom_status_is_set_again_on_every_replay() -> None:
    host, seen = host_with(conversation())

    host.start("conversation", {}).send("answer", {"text": "more"})

    assert [status["node"] for status in seen.statuses] == ["listen"] * len(seen.episodes)
    assert "waits" in seen.statuses[-1]


def test_each_wait_has_an_address_of_its_own() -> None:
    host, seen = host_with(conversation())

    host.start("conversation", {}).send("answer", {"text": "more"}).send("answer", {"text": "stop"})
    addresses = {wait["address"] for status in seen.statuses for wait in status.get("waits", ())}

    assert addresses == {"answer.0", "answer.1"}


# --- bounded history ----------------------------------------------------------------------------------------------


def test_a_long_run_continues_as_new_and_its_history_stays_bounded() -> None:
    host, seen = host_with(loop())

    run = host.start("loop", {"goal": 200})

    assert run.status == "completed"
    assert run.state.value == 200
    assert len(seen.activities) == 200
    lengths = [len(json.loads(context)["history"]) for _, context, _ in seen.episodes]
    assert max(lengths) <= 4 * HISTORY_BUDGET + 4


def test_the_path_of_a_long_run_can_still_be_shown() -> None:
    run = run_graph(loop(), {"goal": 3 * HISTORY_BUDGET + 5})

    assert run.path == ["count"] * len(run.path)
    assert run.steps[-1]["step"] == 3 * HISTORY_BUDGET + 4
    assert [step["step"] for step in run.steps] == list(range(run.steps[0]["step"], 3 * HISTORY_BUDGET + 5))


def test_the_trail_that_a_run_carries_is_bounded() -> None:
    host, seen = host_with(loop())

    host.start("loop", {"goal": 4 * TRAIL_LIMIT})
    inputs = [json.loads(json.loads(context)["input"]) for _, context, _ in seen.episodes]

    assert max(len(given["trail"]) for given in inputs) == TRAIL_LIMIT


def test_a_run_continues_as_new_only_while_no_wait_is_open() -> None:
    host, seen = host_with(conversation())
    run = host.start("conversation", {})

    for number in range(2 * HISTORY_BUDGET):
        run.send("answer", {"text": str(number)})
    run.send("answer", {"text": "stop"})

    assert run.status == "completed"
    assert run.state.said == [*map(str, range(2 * HISTORY_BUDGET)), "stop"]
    continued = [outcome for _, _, outcome in seen.episodes if outcome.done and outcome.actions[-1].kind == 4]
    assert len(continued) >= 2


# --- events -------------------------------------------------------------------------------------------------------


def test_a_second_answer_to_one_wait_is_discarded_and_never_answers_the_next() -> None:
    host, _ = host_with(conversation())
    run = host.start("conversation", {})
    for text in ("first", "second"):  # both at the same instant, under the address of the one open wait
        host._host.send(RaiseEvent(run.id, "answer.0", json.dumps(json.dumps({"payload": {"text": text}}))))

    assert run.status == "waiting"
    assert run.state.said == ["first"]
    assert [event["outcome"] for event in run.events] == ["applied", "discarded"]

    run.send("answer", {"text": "stop"})
    assert run.state.said == ["first", "stop"]


def test_an_event_that_was_raised_past_the_api_is_taken_as_it_is() -> None:
    host, _ = host_with(conversation())
    run = host.start("conversation", {})

    host._host.send(RaiseEvent(run.id, "answer.0", json.dumps({"text": "stop"})))

    assert run.status == "completed"
    assert run.state.said == ["stop"]


def test_events_under_other_names_disturb_nothing() -> None:
    host, _ = host_with(conversation())
    run = host.start("conversation", {})

    host._host.send(RaiseEvent(run.id, "answer", '"{not json"'))
    run.send("answer", {"text": "stop"})

    assert run.state.said == ["stop"]


def test_an_event_for_a_run_that_is_over_is_refused() -> None:
    run = run_graph(line("a"), {})

    with pytest.raises(Problem, match="410 run-finished"):
        run.send("answer", {})


# --- versions -----------------------------------------------------------------------------------------------------


def test_a_run_whose_version_is_gone_parks_and_comes_back_with_the_event_it_had_taken() -> None:
    host, _ = host_with(conversation())
    run = host.start("conversation", {})
    host.deploy(line("a"))

    run.send("answer", {"text": "stop"})
    assert run.status == "parked"
    assert conversation().graph_hash in run.view["parked"]

    run.advance(timedelta(hours=6))  # long enough for the park to continue as new several times
    assert run.status == "parked"

    host.deploy(conversation())
    run.advance(timedelta(minutes=10))
    assert run.status == "completed"
    assert run.state.said == ["stop"]


def test_a_run_stays_on_its_version_while_new_runs_take_the_newest() -> None:
    old, new = line("a", "b"), line("a", "c", version="2")
    host = GraphHost(old)
    first = host.start("line", {})
    host.deploy(old, new)
    second = host.start("line", {})

    assert (first.path, second.path) == (["a", "b"], ["a", "c"])
    assert (first.view["version"], second.view["version"]) == ("1", "2")


# --- ends ---------------------------------------------------------------------------------------------------------


def test_a_failing_node_fails_the_run_with_its_name_type_and_message() -> None:
    def explode(state: Any) -> None:
        raise ValueError("no fuse")

    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, next_node="b").add_node("b", explode, terminal=True)
    run = run_graph(builder.build(), {})

    assert run.status == "failed"
    assert run.error is not None
    assert {key: run.error[key] for key in ("type", "message", "node", "step")} == {
        "type": "ValueError",
        "message": "no fuse",
        "node": "b",
        "step": 1,
    }
    assert run.path == ["a", "b"]
    assert run.state.value == 1


def test_a_run_that_never_ends_fails_at_max_steps() -> None:
    run = run_graph(loop(max_steps=45), {"goal": 1000})

    assert run.status == "failed"
    assert run.error is not None
    assert run.error["type"] == "MaxStepsExceeded"
    assert run.state.value == 45


def test_a_run_of_exactly_max_steps_completes() -> None:
    assert run_graph(loop(max_steps=45), {"goal": 45}).status == "completed"


def test_a_cancelled_run_stops_where_it_is() -> None:
    run = run_graph(conversation(), {}).cancel("no longer needed")

    assert run.status == "cancelled"
    assert run.view["reason"] == "no longer needed"
    with pytest.raises(Problem, match="410 run-finished"):
        run.send("answer", {"text": "stop"})
    with pytest.raises(Problem, match="410 run-finished"):
        run.cancel()


def test_a_note_is_shown_with_the_run() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=lambda state: RouteDecision.complete(note="enough"))
    run = run_graph(builder.build(), {})

    assert run.view["note"] == "enough"


def test_a_huge_note_does_not_break_the_custom_status() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=lambda state: RouteDecision.complete(note="ü" * 20_000))

    assert run_graph(builder.build(), {}).status == "completed"
