"""What an event or earlier branches brought is applied before nodes that need the whole state, and before the end.

No task is at hand there that could do it on the way, so it costs an activity of its own, which can fail, or find its
version missing, like any other.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import pytest
from deploying import deploy_after
from missing import answer_missing
from pydantic import BaseModel
from watching import record

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, NodeContext
from azure_functions_durable_graph.testing import GraphHost, GraphRun


def reduce_strictly(old: list[str], new: list[str]) -> list[str]:
    if "bad" in new:
        raise ValueError("no bad words")
    return old + new


class State(BaseModel):
    """A state."""

    items: list[str] = ["i"]
    found: list[str] = []
    heard: str = ""
    words: Annotated[list[str], reduce_strictly] = []
    total: Annotated[int, operator.add] = 0
    seen: list[str] = []


def look(state: State) -> dict[str, Any]:
    return {"seen": [*state.seen, f"{state.heard}/{','.join(state.words)}"]}


def remember(state: State, context: NodeContext) -> dict[str, Any]:
    assert context.error is not None
    error = context.error
    return {"seen": [f"{error['node']}: {error['where']}: {error['message']}; heard {state.heard!r}, {state.words}"]}


def parallel(builder: ManifestBuilder, **options: Any) -> None:
    builder.add_parallel("it", branches=["look", "idle"], **options)
    builder.add_node("look", look).add_node("idle", lambda state: None)


def mapped(builder: ManifestBuilder, **options: Any) -> None:
    builder.add_map(
        "it", lambda state, item: f"{state.heard}/{','.join(state.words)}", over="items", into="seen", **options
    )


def wait(builder: ManifestBuilder, **options: Any) -> None:
    builder.add_wait("it", duration=timedelta(minutes=1), next_node=options["next_node"])


KINDS: dict[str, Callable[..., None]] = {"parallel": parallel, "map": mapped, "wait": wait}
"""The kinds that start from a state to which nothing is left to be applied."""


def hear(state: State, payload: dict[str, Any]) -> dict[str, Any]:
    if payload.get("text") == "bad":
        raise ValueError("no bad words")
    return {"heard": payload["text"]}


def after_event(kind: str, max_steps: int = 1000) -> GraphRegistration:
    """An event that comes right before a node of this kind."""
    builder = ManifestBuilder("g", State, max_steps=max_steps).set_entrypoint("ask")
    route = {"action": "wait_for_event", "event_name": "say", "resume_node": "it"}
    builder.add_node("ask", lambda state: None, route=lambda state: route, targets=["it"])
    builder.add_event_handler("say", hear)
    return finished(builder, kind)


def after_branches(kind: str, word: str = "good") -> GraphRegistration:
    """Branches that write one field with a reducer, right before a node of this kind."""
    builder = ManifestBuilder("g", State).set_entrypoint("two")
    builder.add_parallel("two", branches=["a", "b"], next_node="it")
    builder.add_node("a", lambda state: {"words": [word]}).add_node("b", lambda state: {"words": ["b"], "total": 2})
    return finished(builder, kind)


def finished(builder: ManifestBuilder, kind: str) -> GraphRegistration:
    KINDS[kind](builder, next_node="end", on_error="mend")
    if kind != "wait":
        builder.add_node("mend", remember, terminal=True)
    return builder.add_node("end", lambda state: None, terminal=True).build()


def minutes(run: GraphRun, count: int = 60) -> GraphRun:
    return run.advance(timedelta(minutes=count))


# --- applied ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_is_applied_once_before_a_node_that_needs_the_whole_state(kind: str) -> None:
    host = GraphHost(after_event(kind))
    calls = record(host).activities

    run = minutes(host.start("g", {}).send("say", {"text": "hello"}))

    assert (run.status, run.state.heard) == ("completed", "hello")
    assert run.state.seen == ([] if kind == "wait" else ["hello/"])
    assert [call["node"] for call in calls if "event" in call] == ["it"]


@pytest.mark.parametrize("kind", KINDS)
def test_what_branches_wrote_is_reduced_once_before_a_node_that_needs_the_whole_state(kind: str) -> None:
    run = minutes(GraphHost(after_branches(kind)).start("g", {"words": ["zero"]}))

    assert (run.status, run.state.words, run.state.total) == ("completed", ["zero", "good", "b"], 2)
    assert run.state.seen == ([] if kind == "wait" else ["/zero,good,b"])


def test_what_branches_wrote_is_reduced_before_the_end() -> None:
    builder = ManifestBuilder("g", State).set_entrypoint("two").add_parallel("two", branches=["a", "b"])
    builder.add_node("a", lambda state: {"words": ["a"]}).add_node("b", lambda state: {"words": ["b"], "heard": "b"})
    host = GraphHost(builder.build())

    run = host.start("g", {})

    assert (run.status, run.path, run.state.words, run.state.heard) == ("completed", ["a", "b", "two"], ["a", "b"], "b")
    assert run.view["output"]["words"] == ["a", "b"]
    assert host.activities_run == 3


def test_a_parallel_without_such_fields_ends_without_an_activity_more() -> None:
    builder = ManifestBuilder("g", State).set_entrypoint("two").add_parallel("two", branches=["a", "b"])
    builder.add_node("a", lambda state: {"heard": "a"}).add_node("b", lambda state: None)
    host = GraphHost(builder.build())

    run = host.start("g", {})

    assert (run.status, run.state.heard, host.activities_run) == ("completed", "a", 2)


# --- failing ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["parallel", "map"])
def test_an_event_handler_that_raises_fails_the_node_at_which_the_run_resumes(kind: str) -> None:
    run = GraphHost(after_event(kind)).start("g", {}).send("say", {"text": "bad"})

    assert run.status == "completed"
    assert run.state.seen == ["it: event handler 'say': no bad words; heard '', []"]
    assert run.path[-1] == "mend"


def test_an_event_handler_that_raises_before_a_wait_fails_the_run() -> None:
    run = GraphHost(after_event("wait")).start("g", {}).send("say", {"text": "bad"})

    assert run.error is not None
    assert (run.status, run.error["node"], run.error["where"]) == ("failed", "it", "event handler 'say'")


@pytest.mark.parametrize("kind", KINDS)
def test_a_reducer_that_raises_fails_the_parallel_whose_branches_wrote(kind: str) -> None:
    run = GraphHost(after_branches(kind, "bad")).start("g", {})

    assert run.error is not None
    assert (run.status, run.error["node"], run.error["where"]) == ("failed", "two", "reducer of field 'words'")


def test_a_reducer_that_raises_at_the_end_leads_to_on_error() -> None:
    builder = ManifestBuilder("g", State).set_entrypoint("it")
    builder.add_parallel("it", branches=["a", "b"], on_error="mend").add_node("mend", remember, terminal=True)
    builder.add_node("a", lambda state: {"words": ["bad"]}).add_node("b", lambda state: None)

    run = GraphHost(builder.build()).start("g", {})

    assert run.state.seen == ["it: reducer of field 'words': no bad words; heard '', []"]


# --- parked -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("source", [after_event, after_branches], ids=["event", "branches"])
def test_a_run_parks_there_and_comes_back_with_what_is_to_be_applied(source: Any, kind: str) -> None:
    host = GraphHost(source(kind))
    asked = answer_missing(host, lambda call: bool(call.get("apply_only")), times=3)
    run = host.start("g", {})
    if source is after_event:
        run.send("say", {"text": "hello"})
    assert run.status == "parked"

    minutes(run)

    assert run.status == "completed"
    assert (run.state.heard, run.state.words) == (("hello", []) if source is after_event else ("", ["good", "b"]))
    assert len([call for call in asked if call.get("apply_only")]) == 4


def test_a_run_parks_at_the_end_and_comes_back() -> None:
    builder = ManifestBuilder("g", State).set_entrypoint("it").add_parallel("it", branches=["a", "b"])
    builder.add_node("a", lambda state: {"words": ["a"]}).add_node("b", lambda state: None)
    host = GraphHost(builder.build())
    asked = answer_missing(host, lambda call: bool(call.get("apply_only")), times=1)
    run = host.start("g", {})
    assert run.status == "parked"

    minutes(run)

    assert (run.status, run.state.words) == ("completed", ["a"])
    assert [call["node"] for call in asked] == ["a", "b", "it", "it"]


# --- adopted ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_plan_of_a_successor_is_adopted_where_the_event_is_applied(kind: str, tmp_path: Path) -> None:
    old, new = after_event(kind), after_event(kind, max_steps=2000)
    host = GraphHost(old)
    run = host.start("g", {})
    deploy_after(host, tmp_path, old, new)

    run.send("say", {"text": "hello"})

    assert run.view["graph_hash"] == new.graph_hash
    assert minutes(run).status == "completed"
