"""The testing door that users write their tests with."""

import asyncio
from datetime import timedelta
from typing import Any

import azure.functions as func
import httpx
import pytest
from fan_out_graphs import Doc, Work, docs, scoring
from pydantic import BaseModel
from shapes import Counter, conversation, increment, line

from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder, NodeContext, RetryPolicy, RouteDecision
from azure_functions_durable_graph.errors import RegistrationError
from azure_functions_durable_graph.hosting import AppHost
from azure_functions_durable_graph.testing import GraphHost, Problem, run_graph


def test_a_run_goes_as_far_as_it_can() -> None:
    run = run_graph(line("a", "b"), {"goal": 9})

    assert (run.status, run.path, run.state) == ("completed", ["a", "b"], Counter(value=2, goal=9))


def test_a_bad_input_raises_what_the_route_would_answer() -> None:
    with pytest.raises(Problem, match=r"422 invalid: .*input\.value"):
        run_graph(line("a"), {"value": "many"})


def test_an_unknown_graph_raises() -> None:
    with pytest.raises(Problem, match="404 graph-not-found"):
        GraphHost(line("a")).start("lines", {})


def test_inside_a_running_loop_it_works_the_same_way() -> None:
    """A plain function: the loop of an async test is neither needed nor disturbed."""

    async def async_test() -> Any:
        return run_graph(line("a"), {}).status

    assert asyncio.run(async_test()) == "completed"


def test_async_handlers_run_too() -> None:
    async def handler(state: Any) -> Any:
        await asyncio.sleep(0)
        return {"value": 3}

    builder = ManifestBuilder("g", Counter).set_entrypoint("a").add_node("a", handler, terminal=True)

    assert run_graph(builder.build(), {}).state.value == 3


def test_several_graphs_and_runs_share_a_host() -> None:
    host = GraphHost(line("a"), conversation())

    first = host.start("conversation", {}, run_id="one")
    second = host.start("conversation", {}, run_id="two", metadata={"by": "me"})
    first.send("answer", {"text": "stop"})

    assert (first.status, second.status) == ("completed", "waiting")
    assert second.view["metadata"] == {"by": "me"}
    assert host.activities_run == 3


def test_a_payload_may_be_a_model() -> None:
    class Payload(BaseModel):
        text: str

    run = run_graph(conversation(), {}).send("answer", Payload(text="stop"))

    assert run.state.said == ["stop"]


def test_time_passes_only_when_it_is_told_to() -> None:
    run = run_graph(conversation(), {})
    before = run.host.clock.now()

    run.advance(timedelta(days=365))

    assert run.host.clock.now() - before == timedelta(days=365)
    assert run.waits == ["answer"]


def test_deployments_happen_in_the_middle_of_a_run() -> None:
    host = GraphHost(conversation())
    run = host.start("conversation", {})

    host.deploy(line("a"))
    with pytest.raises(RegistrationError, match="no graph 'conversation'"):
        _ = run.state

    host.deploy(conversation())
    assert run.state.said == []


def test_a_decision_taken_in_a_test_graph_is_followed() -> None:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=lambda state: {"action": "next", "next_node": "b"})
    builder.add_node("b", increment, route=lambda state: None, next_node="c")
    builder.add_node("c", increment, route=lambda state: RouteDecision.complete())

    assert run_graph(builder.build(), {}).path == ["a", "b", "c"]


def test_only_registrations_can_be_registered() -> None:
    with pytest.raises(RegistrationError, match="expected a GraphRegistration"):
        DurableGraphApp().register_registration(ManifestBuilder("g", Counter))  # type: ignore[arg-type]
    with pytest.raises(RegistrationError, match="takes a package"):
        DurableGraphApp().register_package(asyncio.tasks)


# --- faults, plans, traces ----------------------------------------------------------------------------------------


def retried() -> Any:
    builder = ManifestBuilder("retried", Counter).set_entrypoint("a")
    builder.add_node("a", increment, next_node="b", retry=RetryPolicy(max_attempts=3))
    return builder.add_node("b", increment, terminal=True).build()


def test_items_of_a_map_fail_by_their_index_and_the_history_names_them() -> None:
    def measure_at_once(state: Work, doc: Doc) -> int:
        return doc.size

    async def measure(state: Work, doc: Doc) -> int:
        return doc.size

    for handler in (measure_at_once, measure):
        graph = scoring(handler, min_successful=1, retry=RetryPolicy(max_attempts=2))
        once, twice = [ValueError("once")], [ValueError("one"), ValueError("two")]

        run = run_graph(graph, docs(3), fail={"score": {0: once, 2: twice}}).advance(timedelta(hours=1))

        assert run.state.sizes == [0, 1]
        failures = run.steps[0]["item_failures"]
        assert [(one["item"], one["error"]["message"]) for one in failures] == [
            (0, "once"),
            (2, "one"),
            (2, "two"),
        ]


def test_the_attempts_that_a_test_names_fail() -> None:
    run = run_graph(retried(), {}, fail={"a": [TimeoutError("slow"), TimeoutError("slower")]})
    assert run.status == "sleeping"

    run.advance(timedelta(minutes=5))

    assert (run.status, run.attempts, run.state.value) == ("completed", {"a": 3, "b": 1}, 2)


def test_a_call_that_is_let_pass_passes() -> None:
    host = GraphHost(retried())
    host.fail("b", None, ValueError("the second run only"))

    assert host.start("retried", {}).status == "completed"
    second = host.start("retried", {})
    assert (second.status, second.error and second.error["message"]) == ("failed", "the second run only")


def test_an_async_handler_fails_on_order_too() -> None:
    async def handler(state: Any, context: NodeContext) -> Any:
        return {"value": context.attempt}

    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    graph = builder.add_node("a", handler, terminal=True, retry=RetryPolicy(max_attempts=2)).build()
    run = run_graph(graph, {}, fail={"a": [ValueError("once")]}).advance(timedelta(minutes=1))

    assert run.state.value == 2


def test_failing_a_node_that_nobody_has_is_refused_with_a_sentence() -> None:
    host = GraphHost(line("a"), line("a", graph_name="other"))

    with pytest.raises(RegistrationError, match=r"fail\('x'\): no graph has such a node"):
        host.fail("x", ValueError())
    with pytest.raises(RegistrationError, match="line, other has such a node; say which with graph="):
        host.fail("a", ValueError())
    host.fail("a", ValueError("here"), graph="other")
    assert host.start("line", {}).status == "completed"
    assert host.start("other", {}).status == "failed"


def test_an_event_comes_at_its_moment() -> None:
    def ask(state: Any) -> RouteDecision:
        return RouteDecision.wait_for_event(
            event_name="answer", resume_node="end", timeout=timedelta(days=3), timeout_node="late"
        )

    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", increment, route=ask, targets=["end", "late"]).add_node("end", increment, terminal=True)
    builder.add_node("late", increment, terminal=True)
    graph = builder.add_event_handler("answer", lambda state, payload: {"said": ["yes"]}).build()

    in_time = run_graph(graph, {}).send_at(timedelta(days=2), "answer").advance(timedelta(days=5))
    assert (in_time.path, in_time.decisions) == (["a", "end"], [("a", ["end", "late"])])

    late = run_graph(graph, {}).send_at(timedelta(days=4), "answer")
    with pytest.raises(Problem, match="410"):
        late.advance(timedelta(days=5))
    assert late.path == ["a", "late"]


def test_a_host_is_a_context_manager_in_both_kinds_of_tests() -> None:
    async def async_test() -> str:
        async with GraphHost(line("a")) as host:
            return host.start("line", {}).status

    with GraphHost(line("a")) as host:
        assert host.start("line", {}).status == "completed"
    assert asyncio.run(async_test()) == "completed"


# --- a whole app --------------------------------------------------------------------------------------------------


def whole_app() -> Any:
    """A graph beside a hand-written orchestrator and function."""
    runtime = DurableGraphApp(auth_level=func.AuthLevel.ANONYMOUS)
    builder = ManifestBuilder("patient", Counter).set_entrypoint("w")
    builder.add_wait("w", duration=timedelta(days=30), next_node="end")
    runtime.register_registration(builder.add_node("end", increment, terminal=True).build())
    app = runtime.function_app

    @app.orchestration_trigger(context_name="context")  # type: ignore[untyped-decorator]
    def sleeper(context: Any) -> Any:
        yield context.create_timer(context.current_utc_datetime + timedelta(days=2))
        return "awake"

    @app.route(route="sleep", methods=["POST"])
    @app.durable_client_input(client_name="client")  # type: ignore[untyped-decorator]
    async def sleep(req: func.HttpRequest, client: Any) -> func.HttpResponse:
        return func.HttpResponse(await client.start_new("sleeper", "one"))

    return app


def test_a_whole_app_is_served_with_a_clock_that_jumps() -> None:
    app = whole_app()
    with AppHost(app) as host, httpx.Client(base_url=host.url) as client:
        run = client.post("/api/graphs/patient/runs", json={"input": {}}).headers["location"]
        assert client.post("/api/sleep").text == "one"
        host.wait_until_idle()
        assert client.get(run).json()["status"] == "sleeping"

        host.advance(timedelta(days=31))

        assert client.get(run).json()["output"]["value"] == 1
        one = client.get("/runtime/webhooks/durabletask/instances/one").json()
        assert (one["output"], one["lastUpdatedTime"][:10]) == ("awake", "2030-01-03")

    with AppHost(app) as again, httpx.Client(base_url=again.url) as client:
        assert client.get("/api/graphs").json()["graphs"][0]["graph"] == "patient"
