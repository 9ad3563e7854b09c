"""What runs cost is counted from what passes between them and the engine: while they run, and from recordings alike."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel
from shapes import line, loop

from azure_functions_durable_graph import DurableGraphApp, GraphRegistration, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.history.recording import recorded_run
from azure_functions_durable_graph.host.harness.counting_host import CountingHost
from azure_functions_durable_graph.host.harness.tally import KINDS, Tally
from azure_functions_durable_graph.host.replay import replay
from azure_functions_durable_graph.run.limits import HISTORY_BUDGET


class Work(BaseModel):
    items: list[int] = [1, 2, 3, 4]
    done: list[int] = []
    text: str = ""


def nothing(state: BaseModel) -> None:
    return None


def builder(entrypoint: str, name: str = "g", **options: Any) -> ManifestBuilder:
    return ManifestBuilder(name, Work, **options).set_entrypoint(entrypoint)


def task(name: str = "g") -> ManifestBuilder:
    return builder("a", name).add_node("a", nothing, terminal=True)


def shared() -> ManifestBuilder:
    chain = builder("a", durability="wait").add_node("a", nothing, next_node="b").add_node("b", nothing, next_node="c")
    return chain.add_node("c", nothing, terminal=True)


def one_without_checkpoint() -> ManifestBuilder:
    chain = builder("a").add_node("a", nothing, next_node="b", checkpoint=False).add_node("b", nothing, next_node="c")
    return chain.add_node("c", nothing, terminal=True)


def asking(timeout: timedelta | None = None) -> ManifestBuilder:
    wait = RouteDecision.wait_for_event(
        event_name="go", resume_node="b", timeout=timeout, timeout_node="b" if timeout else None
    )
    graph = builder("a").add_node("a", nothing, route=lambda state: wait, targets=["b"])
    graph.add_node("b", nothing, terminal=True)
    return graph.add_event_handler("go", lambda state, payload: None)


def pause() -> ManifestBuilder:
    graph = builder("w").add_wait("w", duration=timedelta(days=7), next_node="a")
    return graph.add_node("a", nothing, terminal=True)


def parallel() -> ManifestBuilder:
    graph = builder("p").add_parallel("p", branches=["x", "y"], next_node="end")
    graph.add_node("x", nothing, next_node="z").add_node("z", nothing).add_node("y", nothing)
    return graph.add_node("end", nothing, terminal=True)


def each() -> ManifestBuilder:
    return builder("m").add_map("m", lambda state, item: item, over="items", into="done")


def subgraph() -> ManifestBuilder:
    return builder("s").add_subgraph("s", graph="child", input={"items": "items"}, output={"done": "done"})


CASES: dict[str, tuple[ManifestBuilder, dict[str, int]]] = {
    "a task": (task(), {"activity": 1}),
    "tasks that share an activity": (shared(), {"activity": 1}),
    "a task without a checkpoint": (one_without_checkpoint(), {"activity": 2}),
    "an answer": (asking(), {"activity": 2, "event": 1}),
    "an answer in time": (asking(timedelta(days=1)), {"activity": 2, "event": 1, "cancelled timer": 1}),
    "a pause of a week, in hops of three days": (pause(), {"activity": 1, "timer": 3}),
    "a branch of one task, and one of two": (parallel(), {"activity": 4, "child": 1}),
    "a map": (each(), {"activity": 4}),
    "a subgraph": (subgraph(), {"activity": 2, "child": 1}),
}


def counted(*graphs: GraphRegistration, state: dict[str, Any] | None = None) -> CountingHost:
    host = CountingHost(*graphs)
    run = host.start("g", state or {}, run_id="r")
    if run.waits:
        run.send("go")
    while run.status != "completed" and host.pass_to_next_timer():
        pass
    assert run.status == "completed"
    return host


@pytest.mark.parametrize("case", CASES)
def test_a_run_is_counted_as_what_it_makes_the_engine_do(case: str) -> None:
    graph, expected = CASES[case]
    with counted(graph.build(), task("child").build()) as host:
        assert host.tally.counts() == Counter({**dict.fromkeys(KINDS, 0), "start": 1, **expected})
        assert len(host.tally.activities) == host.activities_run == expected["activity"]


def test_generations_after_the_first_are_counted() -> None:
    nodes = 3 * HISTORY_BUDGET
    with CountingHost(loop()) as host:
        host.start("loop", {"goal": nodes})

        counts = host.tally.counts()
        assert (counts["start"], counts["activity"]) == (1, nodes)
        assert counts["generation"] == pytest.approx(nodes / HISTORY_BUDGET, abs=1)


@pytest.mark.parametrize("case", CASES)
def test_a_recording_counts_as_much_as_the_run_did(case: str) -> None:
    graphs = [CASES[case][0].build(), task("child").build()]
    runtime = DurableGraphApp()
    for graph in graphs:
        runtime.register_registration(graph)
    again = Tally()
    with counted(*graphs) as host:
        for run_id in host.run_ids():
            query = {"showHistory": "true", "showHistoryOutput": "true", "showInput": "true"}
            answer: dict[str, Any] = host._management.handle("GET", f"instances/{run_id}", query, b"").body
            replay(recorded_run(answer), runtime.registry, partial(again.called, child=run_id != "r"))

        assert again.counts() == host.tally.counts()
        assert len(again.waited) == host.activities_run


def test_small_states_need_no_blobs() -> None:
    with counted(line("a", "b", graph_name="g")) as host:
        assert not any(host.tally.blobs.values())


def test_a_large_state_is_a_blob_wherever_it_crosses() -> None:
    text = "x" * 100_000
    graph = builder("a").add_node("a", lambda state: {"text": state.text + "!"}, next_node="b")
    with counted(graph.add_node("b", nothing, terminal=True).build(), state={"text": text}) as host:
        # the start, two calls and one result are large messages; the second result is small
        assert host.tally.blobs["message"] == 4
        # the input and the first result are kept, and read with the history: by the second call one, by the third both
        assert host.tally.blobs["row"] == 2
        assert host.tally.blobs["read"] == 1 + 2
