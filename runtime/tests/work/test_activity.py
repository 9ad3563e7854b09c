"""The node activity: one node, dict in, dict out; what user code raises becomes a value."""

import asyncio
import logging
from datetime import datetime, timezone
from functools import partial
from typing import Any

import pytest
from pydantic import BaseModel
from shapes import Counter, conversation, increment, line

from azure_functions_durable_graph import ManifestBuilder, RouteDecision
from azure_functions_durable_graph.work.activity import run_node
from azure_functions_durable_graph.work.boundary import MESSAGE_LIMIT
from azure_functions_durable_graph.work.registry import Registry


def graph(handler: Any, *, route: Any = None, model: Any = Counter, targets: Any = None, next_node: Any = None) -> Any:
    builder = ManifestBuilder("g", model).set_entrypoint("a")
    builder.add_node("a", handler, route=route, targets=targets, terminal=route is None and next_node is None)
    builder.add_event_handler("go", lambda state, payload: {"said": [payload["text"]]})
    return builder.build()


def visit(registration: Any, state: Any = None, **call: Any) -> Any:
    """Run the entrypoint's activity."""
    registry = Registry()
    registry.add(registration)
    start = registration.state_model().model_dump(mode="json") if state is None else state
    node: Any = {
        "run_id": "r",
        "graph": registration.graph_name,
        "hash": registration.graph_hash,
        "node": registration.manifest.entrypoint,
        "step": 3,
        "state": start,
        **call,
    }
    return asyncio.run(run_node(registry, node))


def test_only_changed_fields_come_back() -> None:
    assert visit(line("a")) == {"node": "a", "step": 3, "patch": {"value": 1}}


def test_a_node_without_news_returns_an_empty_patch() -> None:
    assert visit(graph(lambda state: None))["patch"] == {}


def test_async_handlers_and_routes_are_awaited() -> None:
    async def handler(state: Any) -> Any:
        await asyncio.sleep(0)
        return {"value": 5}

    async def route(state: Any) -> Any:
        return "__complete__"

    result = visit(graph(handler, route=route))

    assert result["patch"] == {"value": 5}
    assert result["decision"] == {"action": "complete"}


def test_a_callable_that_returns_an_awaitable_is_awaited() -> None:
    async def later(state: Any) -> Any:
        return {"value": 6}

    assert visit(graph(partial(later)))["patch"] == {"value": 6}


def test_the_route_sees_the_merged_state() -> None:
    result = visit(graph(increment, route=lambda state: "__complete__" if state.value == 1 else "a"))

    assert result["decision"] == {"action": "complete"}


def test_the_event_is_applied_before_the_node_in_the_same_activity() -> None:
    seen = []

    def handler(state: Any) -> Any:
        seen.append(list(state.said))
        return {"value": 1}

    result = visit(graph(handler), event={"name": "go", "payload": {"text": "hi"}})

    assert seen == [["hi"]]
    assert result["patch"] == {"said": ["hi"], "value": 1}
    assert result["event"] == "go"


def test_a_version_that_is_not_deployed_is_reported_as_missing() -> None:
    assert visit(line("a"), hash="f" * 64) == {"node": "a", "step": 3, "missing": True}


class Declined(RuntimeError):  # noqa: N818 - users name their errors as they like
    """The card was declined."""


def test_what_a_handler_raises_becomes_a_record_with_names(caplog: pytest.LogCaptureFixture) -> None:
    def handler(state: Any) -> None:
        raise Declined("no money")

    with caplog.at_level(logging.ERROR):
        result = visit(graph(handler))

    (frame,) = result["error"].pop("frames")
    assert frame.endswith(': raise Declined("no money")')
    assert result["error"] == {
        "type": "Declined",
        "bases": ["RuntimeError", "Exception"],
        "message": "no money",
        "where": "handler",
    }
    assert "patch" not in result
    assert "node failed: run_id=r graph=g version=1 node=a step=3 attempt=1 seconds=0.0" in caplog.text
    assert " where=handler error=Declined: no money\n" in caplog.text


BAD: dict[str, Any] = {
    "a return that is no update": (lambda: graph(lambda state: 7), "handler", "node 'a' returned int"),
    "a misspelt field": (lambda: graph(lambda state: {"vaule": 1}), "handler", "did you mean 'value'?"),
    "a bad value": (lambda: graph(lambda state: {"value": "many"}), "handler", "value: Input should be a valid int"),
    "a decision that is none": (lambda: graph(increment, route=lambda state: 7), "route", "not int"),
    "an unknown node": (lambda: graph(increment, route=lambda state: "nowhere"), "route", "unknown node 'nowhere'"),
    "an event nobody handles": (
        lambda: graph(
            increment, route=lambda state: {"action": "wait_for_event", "event_name": "x", "resume_node": "a"}
        ),
        "route",
        "waits for the event 'x', which has no handler",
    ),
    "an undeclared target": (
        lambda: graph(increment, route=lambda state: "a", targets=["__complete__"]),
        "route",
        "which its targets do not declare",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_a_wrong_answer_of_user_code_names_the_node_and_the_cure(case: Any) -> None:
    make, where, text = BAD[case]

    error = visit(make())["error"]

    assert error["where"] == where
    assert text in error["message"]


def test_a_failing_event_handler_is_named() -> None:
    error = visit(conversation(), event={"name": "answer", "payload": {"txt": 1}})["error"]

    assert error["where"] == "event handler 'answer'"
    assert error["type"] == "KeyError"


def test_validation_errors_do_not_repeat_the_value_which_may_be_secret() -> None:
    assert "s3cret" not in visit(graph(lambda state: {"value": "s3cret"}))["error"]["message"]


def test_a_huge_error_text_is_cut() -> None:
    def handler(state: Any) -> None:
        raise ValueError("x" * 10_000)

    message = visit(graph(handler))["error"]["message"]

    assert len(message) == MESSAGE_LIMIT
    assert message.endswith("…")


def test_a_state_that_the_codec_would_resolve_to_a_class_does_not_leave_the_activity() -> None:
    class Free(BaseModel):
        data: dict[str, Any] = {}

    error = visit(graph(lambda state: {"data": {"__class__": "os"}}, model=Free))["error"]

    assert error["type"] == "PayloadError"
    assert "'__class__' is reserved" in error["message"]


def test_changes_made_in_place_are_not_kept_and_a_warning_says_so(caplog: pytest.LogCaptureFixture) -> None:
    def handler(state: Any) -> None:
        state.said.append("lost")

    result = visit(graph(handler))

    assert result["patch"] == {}
    assert "node 'a' changed said in place and did not return it" in caplog.text
    assert caplog.messages[0].endswith(
        "only what is returned is kept: run_id=r graph=g version=1 node=a step=3 attempt=1"
    )


def test_handlers_cannot_reach_into_each_others_state() -> None:
    def route(state: Any) -> Any:
        state.value = 99
        return RouteDecision.complete()

    assert visit(graph(increment, route=route))["patch"] == {"value": 1}


def test_a_patch_is_plain_json() -> None:
    class Dated(BaseModel):
        at: datetime | None = None

    result = visit(graph(lambda state: {"at": datetime(2026, 1, 1, tzinfo=timezone.utc)}, model=Dated))

    assert result["patch"] == {"at": "2026-01-01T00:00:00Z"}
