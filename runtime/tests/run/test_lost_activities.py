"""An activity can fail as a whole: its time is over, its worker is gone, its answer cannot be read. Nothing hangs."""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import timedelta
from typing import Annotated, Any

import pytest
from pydantic import BaseModel

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, NodeContext, RetryPolicy
from azure_functions_durable_graph.host.app.failures import ActivityFailed
from azure_functions_durable_graph.testing import GraphHost, GraphRun

RETRY = RetryPolicy(max_attempts=2, first_interval=timedelta(seconds=1))


class State(BaseModel):
    """A state."""

    items: list[int] = [1, 2, 3]
    found: list[int] = []
    one: int = 0
    two: int = 0
    notes: Annotated[list[str], operator.add] = []
    seen: str = ""


def remember(state: Any, context: NodeContext) -> dict[str, Any]:
    assert context.error is not None
    return {"seen": context.error["type"]}


def one(state: State) -> dict[str, Any]:
    return {"one": 1, "notes": ["one"]}


def two(state: State) -> dict[str, Any]:
    return {"two": 2, "notes": ["two"]}


def ten_times(state: State, item: int) -> int:
    return item * 10


def task(**policies: Any) -> ManifestBuilder:
    builder = ManifestBuilder("g", State).set_entrypoint("one")
    return builder.add_node("one", one, terminal=True, **policies)


def parallel(**policies: Any) -> ManifestBuilder:
    retry = {key: policies.pop(key) for key in ("retry",) if key in policies}
    builder = ManifestBuilder("g", State).set_entrypoint("p")
    builder.add_parallel("p", branches=["one", "two"], **policies)
    return builder.add_node("one", one, **retry).add_node("two", two, **retry)


def mapped(**policies: Any) -> ManifestBuilder:
    builder = ManifestBuilder("g", State).set_entrypoint("m")
    return builder.add_map("m", ten_times, over="items", into="found", **policies)


SHAPES = {"task": task, "parallel": parallel, "map": mapped}


def lose(host: GraphHost, lost: Callable[[dict[str, Any]], bool]) -> list[dict[str, Any]]:
    """Let the host's worker lose the activities that `lost` picks; gives those that were asked for."""
    import json

    worker: Any = host._host.worker
    run_activity, asked = worker.run_activity, []

    async def losing(name: str, input_: str) -> str:
        call = json.loads(input_)
        asked.append(call)
        if lost(call):
            raise ActivityFailed(name, TimeoutError("Timeout value of 00:05:00 was exceeded"))
        return str(await run_activity(name, input_))

    worker.run_activity = losing
    return asked


def first_attempts(call: dict[str, Any]) -> bool:
    return call.get("attempt", 1) == 1 and call["node"] != "mend" and not call.get("apply_only")


def started(graph: GraphRegistration, lost: Callable[[dict[str, Any]], bool]) -> GraphRun:
    host = GraphHost(graph)
    lose(host, lost)
    return host.start("g", {}).advance(timedelta(hours=1))


@pytest.mark.parametrize("shape", SHAPES)
def test_it_is_retried_like_any_failure(shape: str) -> None:
    run = started(SHAPES[shape](retry=RETRY).build(), first_attempts)

    assert run.status == "completed"
    assert (run.state.one, run.state.two, run.state.found) == {
        "task": (1, 0, []),
        "parallel": (1, 2, []),
        "map": (0, 0, [10, 20, 30]),
    }[shape]


@pytest.mark.parametrize("shape", SHAPES)
def test_it_leads_to_on_error_by_its_own_name(shape: str) -> None:
    builder = SHAPES[shape](on_error={"ActivityLost": "mend"}).add_node("mend", remember, terminal=True)

    run = started(builder.build(), first_attempts)

    assert (run.status, run.state.seen) == ("completed", "ActivityLost")


@pytest.mark.parametrize("shape", SHAPES)
def test_without_either_the_run_fails_and_says_what_was_lost(shape: str) -> None:
    run = started(SHAPES[shape]().build(), first_attempts)

    assert run.error is not None
    assert (run.status, run.error["type"]) == ("failed", "ActivityLost")
    assert "Timeout value of 00:05:00 was exceeded" in run.error["message"]


def test_one_lost_branch_hides_neither_the_other_nor_itself() -> None:
    run = started(parallel(retry=RETRY).build(), lambda call: call["node"] == "one" and call.get("attempt", 1) == 1)

    assert (run.status, run.state.one, run.state.two, run.state.notes) == ("completed", 1, 2, ["one", "two"])


@pytest.mark.parametrize("lost", [[0], [1], [2], [0, 1], [0, 2], [1, 2], [0, 1, 2]])
def test_whichever_items_are_lost_only_they_are_tried_again(lost: list[int]) -> None:
    host = GraphHost(mapped(retry=RETRY).build())
    asked = lose(host, lambda call: call.get("item") in lost and call.get("attempt", 1) == 1)

    run = host.start("g", {}).advance(timedelta(hours=1))

    assert (run.status, run.state.found) == ("completed", [10, 20, 30])
    assert [call["item"] for call in asked if call.get("attempt") == 2] == lost


def test_a_lost_merge_fails_the_node_that_it_belongs_to() -> None:
    builder = parallel(on_error="mend").add_node("mend", remember, terminal=True)

    run = started(builder.build(), lambda call: bool(call.get("apply_only")))

    assert (run.status, run.state.seen) == ("completed", "ActivityLost")


def test_while_a_branch_pauses_before_a_retry_the_run_is_shown_as_sleeping() -> None:
    host = GraphHost(parallel(retry=RETRY).build())
    lose(host, first_attempts)

    run = host.start("g", {})

    assert (run.status, run.view["retry"]) == ("sleeping", {"attempt": 1, "error": "ActivityLost", "pause": 1.0})
