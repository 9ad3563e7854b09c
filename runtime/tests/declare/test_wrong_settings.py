"""Settings that make no sense are told with a sentence: where it is, what is wrong, and how to fix it."""

from collections.abc import Callable
from datetime import timedelta
from enum import Enum
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from azure_functions_durable_graph import GraphBuildError, ManifestBuilder, RetryPolicy
from azure_functions_durable_graph.declare.mermaid import flowchart
from azure_functions_durable_graph.testing import run_graph


class Batch(BaseModel):
    """The state of the graphs here."""

    docs: list[str] = []
    sizes: list[int] = []
    note: str = ""


def nothing(state: Batch) -> None: ...
def measure(state: Batch, item: str) -> int:
    return len(item)


def faults_of(add: Callable[[Any], Any]) -> list[str]:
    """The faults of a graph with a good entrypoint, one more node, and an open route to it."""
    builder = ManifestBuilder("g", Batch).set_entrypoint("a")
    builder.add_node("a", nothing, route=lambda state: "b")
    add(builder)
    with pytest.raises(GraphBuildError) as caught:
        builder.build()
    return [str(fault) for fault in caught.value.faults]


def node(**settings: Any) -> Callable[[Any], Any]:
    return lambda builder: builder.add_node("b", nothing, **{"terminal": True, **settings})


def routed(**settings: Any) -> Callable[[Any], Any]:
    return lambda builder: builder.add_node("b", nothing, route=lambda state: "a", **settings)


def wait(duration: Any) -> Callable[[Any], Any]:
    return lambda builder: builder.add_wait("b", duration=duration)


def parallel(branches: Any) -> Callable[[Any], Any]:
    return lambda builder: builder.add_parallel("b", branches)


def a_map(over: Any = "docs", into: Any = "sizes", **settings: Any) -> Callable[[Any], Any]:
    return lambda builder: builder.add_map("b", measure, over=over, into=into, **settings)


def subgraph(**settings: Any) -> Callable[[Any], Any]:
    return lambda builder: builder.add_subgraph("b", **{"graph": "child", **settings})


@pytest.mark.parametrize(
    ("add", "text"),
    [
        (node(retry=3), "retry is 3. Pass a policy, such as RetryPolicy(max_attempts=3)."),
        (node(retry={"max_attempts": 3}), "retry is {'max_attempts': 3}. Pass a policy, such as"),
        (node(timeout=5), "timeout is 5. Use a timedelta, such as timedelta(seconds=5)."),
        (node(timeout="5"), "timeout is '5'. Use a timedelta, such as timedelta(minutes=5)."),
        (node(timeout=timedelta(0)), "timeout is 0 seconds. Use a positive duration."),
        (node(timeout=timedelta(seconds=-5)), "timeout is -5 seconds. Use a positive duration."),
        (node(timeout=timedelta(days=3651)), "timeout is 3651 days. At most 3650 days are supported."),
        (node(timeout=float("nan")), "timeout is nan. Use a timedelta, such as timedelta(minutes=5)."),
        (wait(5), "duration is 5. Use a timedelta, such as timedelta(seconds=5)."),
        (wait(None), "duration is None. Use a timedelta, such as timedelta(minutes=5)."),
        (wait(timedelta(0)), "duration is 0 seconds. Use a positive duration."),
        (wait(timedelta(days=3_000_000)), "duration is 3000000 days. At most 3650 days are supported."),
        (node(on_error=7), "on_error is 7. Pass the name of a node, or a table such as"),
        (node(on_error=ValueError), "on_error is <class 'ValueError'>. Pass the name of a node, or a table such as"),
        (node(on_error={3: "a"}), "on_error has the key 3. Use exception classes, their names, or '*' for any error."),
        (node(on_error={"*": nothing}), "Pass the name of a node, as a string."),
        (node(on_error={"*": "x"}), "on_error names the unknown node 'x'. Add that node, or use one of 'a', 'b'."),
        (node(terminal=False, next_node=nothing), "next_node is <function nothing at"),
        (node(terminal=False, next_node="c"), "next_node names the unknown node 'c'. Add that node, or use one of"),
        (routed(targets="a"), "targets is the string 'a'. Pass a list, such as targets=['a']."),
        (routed(targets=5), "targets is 5. Pass a list of names, such as targets=['a', 'b']."),
        (routed(targets=["a", 5]), "targets contains 5. Use names only, as strings."),
        (parallel("ab"), "branches is the string 'ab'. Pass a list, such as branches=['ab']."),
        (parallel(None), "branches is None. Pass a list of names, such as branches=['a', 'b']."),
        (parallel(["left", None]), "branches contains None. Use names only, as strings."),
        (a_map(over="dcs"), "over names 'dcs', which is not a field of Batch. Did you mean 'docs'? Otherwise, add"),
        (a_map(into="lengths"), "into names 'lengths', which is not a field of Batch. Add that field, or use one of"),
        (a_map(over=nothing), "over is <function nothing at"),
        (a_map(over="note"), "over names 'note', which is of type 'string', not a list. Name a field that is a"),
        (a_map(max_concurrency=True), "max_concurrency is True. Use a whole number of at least 1."),
        (a_map(item_type=int), "item_type is int, but its items are of type str. Pass item_type=str, or omit it."),
        (subgraph(input={"text": "nte"}), "input names 'nte', which is not a field of Batch. Did you mean 'note'?"),
        (subgraph(output={"nte": "text"}), "output names 'nte', which is not a field of Batch. Did you mean 'note'?"),
        (subgraph(input="note"), "input is 'note'. Pass a dict from field to field, such as input={'text': 'draft'}."),
        (subgraph(output=["note"]), "output is ['note']. Pass a dict from field to field, such as output="),
        (subgraph(graph=nothing), "graph is <function nothing at"),
        (subgraph(graph="a b"), "graph is 'a b', which is not a valid name. Use a letter, then letters, digits"),
    ],
)
def test_the_fault_says_what_is_wrong_and_how_to_fix_it(add: Callable[[Any], Any], text: str) -> None:
    found = faults_of(add)

    assert any(f"node 'b': {text}" in fault or text in fault for fault in found), found


def test_a_wait_may_last_ten_years() -> None:
    graph = ManifestBuilder("g", Batch).set_entrypoint("a").add_wait("a", duration=timedelta(days=3650)).build()

    assert graph.manifest.nodes["a"].seconds == 3650 * 86400


@pytest.mark.parametrize(
    ("settings", "text"),
    [
        ({"max_attempts": "3"}, "max_attempts is '3'; use a whole number of at least 1"),
        ({"max_attempts": True}, "max_attempts is True; use a whole number of at least 1"),
        ({"first_interval": 2}, r"first_interval is 2; use a timedelta, such as timedelta\(seconds=2\)"),
        ({"first_interval": None}, "first_interval is None; use a timedelta"),
        ({"first_interval": timedelta(seconds=-1)}, "first_interval is -1 seconds; use zero or a positive duration"),
        ({"max_interval": timedelta(days=9999)}, "max_interval is 9999 days; at most 3650 days are supported"),
        ({"backoff": float("nan")}, "backoff is nan; use a finite number of at least 1"),
        ({"backoff": float("inf")}, "backoff is inf; use a finite number of at least 1"),
        ({"backoff": "2"}, "backoff is '2'; use a finite number of at least 1"),
        ({"retry_on": 3}, r"retry_on is 3; use exception classes or their names, such as \(ConnectionError,\)"),
        (
            {"retry_on": (3,)},
            "retry_on contains something other than errors: 3 is not an exception class or the name of",
        ),
        (
            {"give_up_on": [int]},
            "give_up_on contains something other than errors: <class 'int'> is not an exception class",
        ),
    ],
)
def test_a_policy_that_makes_no_sense_is_a_value_error(settings: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        RetryPolicy(**settings)


@pytest.mark.parametrize("errors", [ConnectionError, "ConnectionError", (ConnectionError,), ["ConnectionError"]])
def test_a_policy_takes_one_error_or_several(errors: Any) -> None:
    policy = RetryPolicy(retry_on=errors, give_up_on=errors)

    assert policy.to_dict()["retry_on"] == policy.to_dict()["give_up_on"] == ["ConnectionError"]


class Step(str, Enum):
    """Names of nodes and events, as an enum."""

    ASK = "ask"
    END = "end"
    GO = "go"


def test_a_str_enum_is_its_value_wherever_a_name_stands() -> None:
    builder = ManifestBuilder("g", Batch).set_entrypoint(Step.ASK)
    decide = {"action": "wait_for_any", "events": {Step.GO: Step.END}, "timeout": 5, "timeout_node": Step.END}
    builder.add_node(Step.ASK, nothing, route=lambda state: decide, targets=[Step.END, Step.ASK], on_error=Step.END)
    builder.add_node(Step.END, nothing, terminal=True)
    graph = builder.add_event_handler(Step.GO, lambda state, payload: None).build()

    assert "Step" not in flowchart(graph.manifest)
    assert {type(name) for name in graph.manifest.nodes} == {str}
    run = run_graph(graph, {})
    assert run.waits == ["go"]
    assert run.send("go").path == ["ask", "end"]


class Plain(Enum):
    """An enum that is no string."""

    A = "a"


def test_another_enum_is_no_name() -> None:
    found = faults_of(lambda builder: builder.add_node(Plain.A, nothing, terminal=True))

    assert any("node <Plain.A: 'a'>: has a name that is not a string" in fault for fault in found)


class Open(BaseModel):
    """A state that takes any field."""

    model_config = ConfigDict(extra="allow")


def test_a_model_that_takes_any_field_may_be_asked_for_any() -> None:
    builder = ManifestBuilder("g", Open).set_entrypoint("a")
    builder.add_map("a", lambda state, item: item, over="docs", into="sizes").build()
