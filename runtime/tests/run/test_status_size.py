"""The custom status stays below Azure's 16 KB, and never leaves out what an answer's sender has to be told."""

import json
from typing import Any

import pytest
from shapes import Counter, conversation

from azure_functions_durable_graph import GraphRegistration, ManifestBuilder, RouteDecision
from azure_functions_durable_graph.run.status import SURE_ANSWERS, run_status
from azure_functions_durable_graph.testing import GraphHost, Problem


def test_the_largest_status_that_a_run_can_have_fits_and_names_its_last_answers() -> None:
    name = "n" * 60
    run: Any = {"plan": {"graph": name, "version": "v" * 100, "hash": "h" * 64}, "node": name, "step": 10**6}
    run |= {"started_at": "2030-01-01T00:00:00.000+00:00", "tags": {f"{n:030}": "t" * 60 for n in range(10)}}
    run["taken"] = [[step, "a" * 24] for step in range(1000)]
    wait = {"event": name, "address": f"{name}.1000000", "resume_node": name, "deadline": "2030-01-01T00:00:00+00:00"}

    status = run_status(run, waits=[wait] * 20, note="x" * 9000, prompt={"text": "p" * 1900})

    assert len(json.dumps(status, separators=(",", ":")).encode("utf-16-le")) <= 16 * 1024
    assert status["taken"] == run["taken"][-SURE_ANSWERS:]
    assert len(status["waits"]) == 20


def talkative() -> GraphRegistration:
    """A graph that runs a conversation as a subgraph, then asks for the same event itself."""
    builder = ManifestBuilder("outer", Counter).set_entrypoint("talk")
    builder.add_subgraph("talk", graph="conversation", next_node="ask")
    decision = RouteDecision.wait_for_event(event_name="answer", resume_node="end")
    builder.add_node("ask", lambda state: None, route=lambda state: decision, targets=["end"])
    builder.add_node("end", lambda state: None, terminal=True)
    return builder.add_event_handler("answer", lambda state, payload: {"said": [payload["text"]]}).build()


def test_what_a_child_has_taken_is_known_to_its_parent_before_that_asks_and_after_it_is_over() -> None:
    run = GraphHost(talkative(), conversation()).start("outer", {})
    for number in range(60):
        run.send("answer", {"text": str(number)}, key=str(number))
    run.send("answer", {"text": "stop"}, key="stop")

    assert run.waits == ["answer"]
    assert {run.post("answer", {"text": str(n)}, key=str(n))["outcome"] for n in range(60)} == {"applied"}
    assert run.send("answer", {"text": "mine"}, key="mine").state.said == ["mine"]
    assert {run.post("answer", {"text": str(n)}, key=str(n))["outcome"] for n in range(60)} == {"applied"}


def test_a_run_that_ends_with_its_child_knows_what_that_has_taken() -> None:
    builder = ManifestBuilder("outer", Counter).set_entrypoint("talk")
    run = GraphHost(builder.add_subgraph("talk", graph="conversation").build(), conversation()).start("outer", {})
    texts = [*map(str, range(60)), "stop"]
    for text in texts:
        run.send("answer", {"text": text}, key=text)

    assert run.status == "completed"
    assert {run.post("answer", {"text": text}, key=text)["outcome"] for text in texts} == {"applied"}
    with pytest.raises(Problem, match="run-finished"):
        run.send("answer", {"text": "late"}, key="late")
