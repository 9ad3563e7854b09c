"""What a run in a test says of itself, and what a mistake in a test is told."""

from datetime import timedelta
from typing import Any

import pytest
from shapes import Counter, conversation, increment, line

from azure_functions_durable_graph import ManifestBuilder, RetryPolicy
from azure_functions_durable_graph.errors import RegistrationError
from azure_functions_durable_graph.testing import GraphHost, GraphRun, run_graph


def retried() -> Any:
    builder = ManifestBuilder("retried", Counter).set_entrypoint("a")
    builder.add_node("a", increment, next_node="b", retry=RetryPolicy(max_attempts=3))
    return builder.add_node("b", increment, terminal=True).build()


def test_a_run_shows_how_it_stands() -> None:
    host = GraphHost(conversation(), line("a"), retried())
    asking = host.start("conversation", {}, run_id="one")
    host.fail("a", ValueError("no fuse"), graph="line")
    host.fail("a", TimeoutError("slow"), graph="retried")

    assert repr(asking) == "<GraphRun id='one' waiting at listen for answer>"
    assert repr(host.start("line", {}, run_id="two")) == "<GraphRun id='two' failed at a: ValueError: no fuse>"
    assert repr(host.start("retried", {}, run_id="three")) == "<GraphRun id='three' sleeping at a>"
    assert repr(asking.send("answer", {"text": "stop"})) == "<GraphRun id='one' completed>"
    assert repr(GraphRun(host, "nobody")) == "<GraphRun id='nobody' unavailable>"
    assert repr(GraphRun(None, "x")) == "<GraphRun id='x' unavailable>"  # type: ignore[arg-type]


def test_showing_a_run_lets_nothing_go_on() -> None:
    run = run_graph(conversation(), {})
    before = run.host.activities_run
    run.host.deploy(line("a"))

    assert "waiting at listen" in repr(run)
    assert run.host.activities_run == before


MISTAKES: dict[str, tuple[Any, type[Exception], str]] = {
    "a builder": (
        lambda: run_graph(ManifestBuilder("g", Counter), {}),  # type: ignore[arg-type]
        RegistrationError,
        r"run_graph takes a GraphRegistration, not ManifestBuilder: call build\(\) on it",
    ),
    "a builder in a host": (
        lambda: GraphHost(ManifestBuilder("g", Counter)),  # type: ignore[arg-type]
        RegistrationError,
        r"GraphHost takes a GraphRegistration, not ManifestBuilder: call build\(\) on it",
    ),
    "nothing": (
        lambda: run_graph(None, {}),  # type: ignore[arg-type]
        RegistrationError,
        r"not NoneType: pass what ManifestBuilder\.build\(\) returns",
    ),
    "no input": (
        lambda: run_graph(line("a"), None),  # type: ignore[arg-type]
        TypeError,
        "the input of a run is a dict of the state's fields, .* not NoneType",
    ),
    "a state as input": (
        lambda: run_graph(line("a"), Counter()),  # type: ignore[arg-type]
        TypeError,
        "the input of a run is a dict of the state's fields, .* not Counter",
    ),
    "an input that is not JSON": (
        lambda: run_graph(line("a"), {"value": object()}),
        TypeError,
        "what is sent to a run must be JSON, and this is not",
    ),
    "a number of seconds": (
        lambda: run_graph(line("a"), {}).advance(30),  # type: ignore[arg-type]
        TypeError,
        r"advance takes a timedelta, as in advance\(timedelta\(seconds=30\)\), not 30",
    ),
    "time that goes back": (
        lambda: run_graph(line("a"), {}).advance(timedelta(seconds=-1)),
        ValueError,
        "time does not go back",
    ),
    "a moment in seconds": (
        lambda: run_graph(line("a"), {}).send_at(5, "answer"),  # type: ignore[arg-type]
        TypeError,
        "at takes a timedelta",
    ),
}


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_in_a_test_is_told_in_a_sentence(case: str) -> None:
    mistake, kind, text = MISTAKES[case]

    with pytest.raises(kind, match=text):
        mistake()
