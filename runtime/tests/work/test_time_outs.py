"""A node's timeout counts from the moment at which its first handler starts, over all that the node calls."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

from shapes import Counter

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder
from azure_functions_durable_graph.work.activity import Lent, run_node
from azure_functions_durable_graph.work.registry import Registry


class Loop(asyncio.SelectorEventLoop):
    """A loop whose clock stands still, but for what a test adds."""

    seconds = 0.0

    def time(self) -> float:
        return self.seconds


async def some_turns() -> None:
    """Let happen what is due."""
    for _ in range(9):
        await asyncio.sleep(0)


def graph(handler: Any, route: Any = None, *, event: Any = None) -> GraphRegistration:
    """One node with a timeout of a minute."""
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", handler, route=route, targets=["a", "__complete__"] if route else None, terminal=not route,
                     timeout=timedelta(minutes=1))  # fmt: skip
    return builder.add_event_handler("e", event).build() if event else builder.build()


def run(registration: GraphRegistration, *, queue: float = 0, **call: Any) -> dict[str, Any]:
    """Run the node on a loop of its own; each call waits for `queue` seconds until it gets a thread."""
    loop, registry = Loop(), Registry()
    registry.add(registration)

    async def in_thread(code: Any, *arguments: Any) -> Any:
        loop.seconds += queue
        await some_turns()
        return code(*arguments)

    wanted: Any = {"run_id": "r", "graph": "g", "node": "a", "step": 0, "state": {}, **call}
    wanted["hash"] = registration.graph_hash
    try:
        return dict(loop.run_until_complete(run_node(registry, wanted, Lent(in_thread))))
    finally:
        loop.close()


def awaiting(seconds: float, answer: Any = None) -> Any:
    """An async handler that takes so long."""

    async def handler(state: Counter) -> Any:
        asyncio.get_running_loop().seconds += seconds  # type: ignore[attr-defined]
        await some_turns()
        return answer

    return handler


def error_of(result: dict[str, Any]) -> tuple[str, str]:
    return result["error"]["type"], result["error"]["where"]


def test_a_handler_within_its_time_is_not_disturbed() -> None:
    assert run(graph(awaiting(59, {"value": 1})))["patch"] == {"value": 1}


def test_a_route_has_what_the_handler_has_left() -> None:
    async def route(state: Counter) -> str:
        return await awaiting(30, "__complete__")(state)  # type: ignore[no-any-return]

    assert "decision" in run(graph(awaiting(29), route))
    assert error_of(run(graph(awaiting(31), route))) == ("NodeTimeout", "route")


def test_an_event_handler_and_the_nodes_own_share_the_time() -> None:
    async def hear(state: Counter, payload: Any) -> None:
        await awaiting(31)(state)

    event = {"name": "e", "payload": {}}

    assert error_of(run(graph(awaiting(30), event=hear), event=event)) == ("NodeTimeout", "handler")
    assert "patch" in run(graph(awaiting(28), event=hear), event=event)


def test_waiting_for_a_thread_is_not_the_nodes_time() -> None:
    assert run(graph(lambda state: {"value": 1}), queue=600)["patch"] == {"value": 1}


def test_a_handler_that_is_late_is_cancelled_and_told_by_name() -> None:
    ends: list[str] = []

    async def hangs(state: Counter) -> None:
        asyncio.get_running_loop().seconds += 61  # type: ignore[attr-defined]
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            ends.append("cancelled")
            raise

    result = run(graph(hangs))

    assert result["error"]["message"] == "node 'a' took longer than 60 s"
    assert error_of(result) == ("NodeTimeout", "handler")
    assert ends == ["cancelled"]


def blocking(seconds: float) -> None:
    """Block the loop for so long."""
    loop: Any = asyncio.get_running_loop()
    loop.seconds += seconds


def test_an_async_handler_that_blocks_the_loop_beyond_its_time_fails_as_one_that_waits_does() -> None:
    async def handler(state: Counter) -> dict[str, Any]:
        blocking(61)
        return {"value": 1}

    result = run(graph(handler))

    assert (result["error"]["type"], "patch" in result) == ("NodeTimeout", False)


def test_a_handler_that_ended_in_time_counts_although_another_kept_the_loop_from_noticing() -> None:
    async def handler(state: Counter) -> dict[str, Any]:
        asyncio.get_running_loop().call_soon(blocking, 61)
        return {"value": 1}

    assert run(graph(handler))["patch"] == {"value": 1}
