"""A node that fails is retried, then continues where `on_error` leads, or fails the run with a structured error."""

import asyncio
import threading
from datetime import timedelta
from typing import Any

import pytest
from failing import Declined, Failing, graph
from shapes import Counter, increment
from watching import record

from azure_functions_durable_graph import ManifestBuilder, NodeContext, RetryPolicy
from azure_functions_durable_graph.graph.policies import error_target, may_retry, pause_after
from azure_functions_durable_graph.testing import GraphHost, GraphRun, run_graph

FAST = RetryPolicy(max_attempts=3, first_interval=timedelta(seconds=10), backoff=3.0)


def run_through(run: GraphRun) -> GraphRun:
    return run.advance(timedelta(days=1))


def test_a_node_is_tried_again_until_it_succeeds() -> None:
    handler = Failing(2)
    run = run_graph(graph(handler, retry=FAST), {})

    assert (run.status, handler.calls) == ("sleeping", 1)
    run.advance(timedelta(seconds=10))
    assert handler.calls == 2
    run.advance(timedelta(seconds=29))
    assert handler.calls == 2
    run.advance(timedelta(seconds=1))
    assert (run.status, handler.calls, run.state.value) == ("completed", 3, 1)


def test_the_status_says_what_is_tried_again_and_the_history_counts_the_attempts() -> None:
    run = run_graph(graph(Failing(1), retry=FAST), {})

    assert run.view["retry"] == {"attempt": 1, "error": "Declined", "pause": 10.0}
    assert run_through(run).steps[0]["attempts"] == 2


def test_after_the_last_attempt_the_run_fails_with_node_type_and_attempts() -> None:
    run = run_through(run_graph(graph(Failing(9), retry=FAST), {}))

    assert run.status == "failed"
    assert run.error is not None
    assert (run.error["node"], run.error["type"], run.error["attempts"], run.error["message"]) == (
        "work",
        "Declined",
        3,
        "attempt 3",
    )


@pytest.mark.parametrize(
    ("policy", "attempts"),
    [
        (RetryPolicy(max_attempts=3), 3),
        (RetryPolicy(max_attempts=3, retry_on=(Declined,)), 3),
        (RetryPolicy(max_attempts=3, retry_on=("RuntimeError",)), 3),
        (RetryPolicy(max_attempts=3, retry_on=(ValueError,)), 1),
        (RetryPolicy(max_attempts=3, give_up_on=("Declined",)), 1),
        (RetryPolicy(max_attempts=3, give_up_on=(RuntimeError,)), 1),
        (RetryPolicy(max_attempts=1), 1),
    ],
)
def test_the_type_of_the_error_or_a_base_class_decides(policy: RetryPolicy, attempts: int) -> None:
    handler = Failing(99)

    run_through(run_graph(graph(handler, retry=policy), {}))

    assert handler.calls == attempts


def test_the_pauses_grow_up_to_the_longest() -> None:
    policy = RetryPolicy(first_interval=timedelta(seconds=1), backoff=4, max_interval=timedelta(seconds=30)).to_dict()

    assert [pause_after(policy, attempt) for attempt in (1, 2, 3, 4, 5000)] == [1, 4, 16, 30, 30]


def test_a_pause_without_bound_is_a_year_at_most() -> None:
    policy = RetryPolicy(backoff=10).to_dict()

    assert pause_after(policy, 5000) == timedelta(days=3650).total_seconds()


@pytest.mark.parametrize(
    "settings",
    [{"max_attempts": 0}, {"max_attempts": 1.5}, {"backoff": 0.5}, {"first_interval": timedelta(seconds=-1)}],
)
def test_a_policy_that_makes_no_sense_is_refused(settings: Any) -> None:
    with pytest.raises(ValueError, match=r"^(max_attempts|backoff|first_interval) is .*; use "):
        RetryPolicy(**settings)


def test_more_attempts_than_the_history_holds_still_count() -> None:
    """The run continues as new between its attempts, and carries their number."""
    handler = Failing(99)
    policy = RetryPolicy(max_attempts=60, first_interval=timedelta(seconds=1), backoff=1.0)

    run = run_through(run_graph(graph(handler, retry=policy), {}))

    assert (run.status, handler.calls) == ("failed", 60)


# --- error edges --------------------------------------------------------------------------------------------------


def test_on_error_leads_to_a_node_that_knows_what_happened() -> None:
    seen: list[Any] = []

    def mend(state: Counter, context: NodeContext) -> dict[str, Any]:
        seen.append(context.error)
        return {"value": 100}

    builder = ManifestBuilder("g", Counter).set_entrypoint("work")
    builder.add_node("work", Failing(9), terminal=True, retry=RetryPolicy(max_attempts=2), on_error="mend")
    builder.add_node("mend", mend, next_node="end").add_node("end", increment, terminal=True)
    run = run_through(run_graph(builder.build(), {}))

    assert (run.status, run.path, run.state.value) == ("completed", ["work", "mend", "end"], 101)
    (error,) = seen
    assert (error["type"], error["message"], error["node"], error["attempts"]) == ("Declined", "attempt 2", "work", 2)


@pytest.mark.parametrize(
    ("table", "path"),
    [
        ("refund", ["work", "refund"]),
        ({"Declined": "refund", "*": "alert"}, ["work", "refund"]),
        ({Declined: "refund"}, ["work", "refund"]),
        ({RuntimeError: "refund"}, ["work", "refund"]),
        ({"ValueError": "refund", "*": "alert"}, ["work", "alert"]),
    ],
)
def test_the_table_is_read_by_type_then_base_class_then_star(table: Any, path: list[str]) -> None:
    assert run_graph(graph(Failing(9), on_error=table), {}).path == path


def test_an_error_that_the_table_does_not_name_fails_the_run() -> None:
    run = run_graph(graph(Failing(9), on_error={"ValueError": "refund"}), {})

    assert (run.status, run.path) == ("failed", ["work"])


def test_a_failing_error_node_fails_the_run_with_its_own_error() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("work")
    builder.add_node("work", Failing(9), terminal=True, on_error="mend")
    builder.add_node("mend", Failing(9, ValueError), terminal=True)

    run = run_graph(builder.build(), {})

    assert run.error is not None
    assert (run.error["node"], run.error["type"]) == ("mend", "ValueError")


def test_the_nearest_base_class_wins() -> None:
    record = {"type": "A", "bases": ["B", "C"]}

    assert error_target({"C": "c", "B": "b", "*": "x"}, record) == "b"
    assert error_target({"D": "d"}, record) is None
    assert not may_retry(None, record, 1)


def test_base_exception_stands_for_every_error() -> None:
    left, permanent = {"type": "SystemExit", "bases": []}, {"type": "TypeError", "bases": [], "permanent": True}
    policy = RetryPolicy(retry_on=(BaseException,)).to_dict()

    assert error_target({"BaseException": "b", "*": "x"}, left) == "b"
    assert may_retry(policy, left, 1)
    assert not may_retry(policy, permanent, 1)
    assert not may_retry(RetryPolicy(give_up_on=(BaseException,)).to_dict(), {"type": "A", "bases": ["Exception"]}, 1)


# --- time-outs ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["sync", "async"])
def test_a_node_that_takes_too_long_fails_with_a_timeout(kind: str) -> None:
    forever = threading.Event()

    def blocks(state: Counter) -> None:
        forever.wait(10)

    async def hangs(state: Counter) -> None:
        await asyncio.Event().wait()

    handler = blocks if kind == "sync" else hangs
    run = run_graph(graph(handler, timeout=timedelta(milliseconds=20), on_error={"TimeoutError": "refund"}), {})
    forever.set()

    assert run.path == ["work", "refund"]
    assert run.steps[0]["error"]["type"] == "NodeTimeout"


def test_a_node_in_time_is_not_disturbed() -> None:
    assert run_graph(graph(increment, timeout=timedelta(seconds=30)), {}).status == "completed"


# --- the context --------------------------------------------------------------------------------------------------


def test_the_context_tells_a_handler_where_it_runs() -> None:
    seen: list[NodeContext] = []

    def first(state: Counter, context: NodeContext) -> None:
        seen.append(context)
        if context.attempt == 1:
            raise Declined

    async def second(state: Counter, context: Any) -> None:
        seen.append(context)

    builder = ManifestBuilder("g", Counter, version="7").set_entrypoint("a")
    builder.add_node("a", first, next_node="b", retry=RetryPolicy()).add_node("b", second, terminal=True)
    host = GraphHost(builder.build())
    run = run_through(host.start("g", {}, run_id="r", metadata={"by": "me"}))

    assert run.status == "completed"
    assert [(c.node, c.step, c.attempt) for c in seen] == [("a", 0, 1), ("a", 0, 2), ("b", 1, 1)]
    assert [c.idempotency_key for c in seen] == ["r:0", "r:0", "r:1"]
    assert (seen[0].run_id, seen[0].graph, seen[0].version, dict(seen[0].metadata)) == ("r", "g", "7", {"by": "me"})
    assert seen[0].graph_hash == run.view["graph_hash"]
    assert seen[0].error is None


def test_routes_and_event_handlers_may_take_the_context_too() -> None:
    def route(state: Counter, context: NodeContext) -> Any:
        if state.said:
            return "__complete__"
        return {"action": "wait_for_event", "event_name": "go", "resume_node": "a"}

    def hear(state: Counter, payload: Any, context: NodeContext) -> dict[str, Any]:
        return {"said": [f"{payload} at {context.step}"]}

    builder = ManifestBuilder("g", Counter).set_entrypoint("a").add_node("a", increment, route=route)
    run = run_graph(builder.add_event_handler("go", hear).build(), {}).send("go", "hi")

    assert run.state.said == ["hi at 1"]


@pytest.mark.parametrize(
    "handler",
    [
        lambda state, flag=True: {"value": 5 if flag is True else 0},
        lambda *state: {"value": 5 if len(state) == 1 else 0},
    ],
    ids=["a default of its own", "any number of arguments"],
)
def test_other_parameters_are_left_alone(handler: Any) -> None:
    assert run_graph(graph(handler), {}).state.value == 5


def test_a_retry_costs_one_activity_each() -> None:
    host = GraphHost(graph(Failing(2), retry=FAST))
    seen = record(host)

    run_through(host.start("g", {}))

    assert [call.get("attempt", 1) for call in seen.activities] == [1, 2, 3]
