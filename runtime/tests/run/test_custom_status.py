"""The custom status stays below Azure's 16 KB whatever a run has to say; what it cannot say is told elsewhere."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from approvals import asking
from reviews import YES, parent, review
from shapes import Counter, conversation
from watching import Recording, record

from azure_functions_durable_graph import ManifestBuilder, RouteDecision
from azure_functions_durable_graph.host.engine.messages import RaiseEvent
from azure_functions_durable_graph.run.status import LIMIT_BYTES, TEXT_LIMIT, run_status
from azure_functions_durable_graph.testing import GraphHost, GraphRun

LONGEST_NAME = 60


def sizes(seen: Recording) -> list[int]:
    """Bytes of UTF-16 of each custom status, as Azure counts them."""
    return [2 * len(json.dumps(status, ensure_ascii=False)) for status in seen.statuses]


def finished(note: str) -> tuple[GraphRun, Recording]:
    builder = ManifestBuilder("g", Counter).set_entrypoint("a")
    builder.add_node("a", lambda state: None, route=lambda state: RouteDecision.complete(note=note))
    host = GraphHost(builder.build())
    seen = record(host)
    return host.start("g", {}), seen


def failing(branches: int, message: str) -> tuple[GraphRun, Recording]:
    def fail(state: Counter) -> None:
        raise ValueError(message)

    names = [f"b{number}" for number in range(branches)]
    builder = ManifestBuilder("g", Counter).set_entrypoint("p").add_parallel("p", branches=names)
    for name in names:
        builder.add_node(name, fail)
    host = GraphHost(builder.build())
    seen = record(host)
    return host.start("g", {}), seen


@pytest.mark.parametrize("length", [10, 1000, TEXT_LIMIT + 1, 5000])
def test_a_note_that_fits_is_shown_whole(length: int) -> None:
    run, seen = finished("n" * length)

    assert run.view["note"] == "n" * length
    assert max(sizes(seen)) <= LIMIT_BYTES


@pytest.mark.parametrize("text", ["n", "ü", "😀"])
def test_a_note_that_does_not_fit_is_cut(text: str) -> None:
    run, seen = finished(text * 20_000)

    assert run.view["note"] == text * TEXT_LIMIT + "…"
    assert max(sizes(seen)) <= LIMIT_BYTES


def test_errors_that_do_not_fit_are_cut_one_by_one() -> None:
    run, seen = failing(4, "m" * 1800)

    assert run.error is not None
    assert [len(error["message"]) for error in run.error["errors"]] == [TEXT_LIMIT + 1] * 4
    assert max(sizes(seen)) <= LIMIT_BYTES


def test_of_many_errors_that_do_not_fit_what_they_add_up_to_is_shown() -> None:
    run, seen = failing(20, "m" * 1800)

    assert run.status == "failed"
    assert run.error is not None
    assert {key: run.error[key] for key in ("type", "node", "step", "attempts")} == {
        "type": "ValueError",
        "node": "p",
        "step": 0,
        "attempts": 1,
    }
    assert "errors" not in run.error
    assert run.steps[-1]["error"]["type"] == "ValueError"
    assert max(sizes(seen)) <= LIMIT_BYTES


def test_an_error_that_is_too_large_by_itself_keeps_its_keys() -> None:
    long = {"type": "T" * 9000, "message": "m" * 9000, "where": "w" * 9000, "bases": ["B" * 9000] * 30}

    error = status_of(error={**long, "node": "n", "step": 3, "attempts": 2})["error"]

    assert {**error, **dict.fromkeys(long)} == {**dict.fromkeys(long), "node": "n", "step": 3, "attempts": 2}
    assert error["type"].startswith("TTT")
    assert error["message"].startswith("mmm")


@pytest.mark.parametrize(("timeout", "shown"), [(None, True), (timedelta(days=1), False)], ids=["plain", "deadlines"])
def test_open_waits_are_shown_whole_and_a_note_beside_them_where_it_fits(timeout: Any, shown: bool) -> None:
    events = {f"e{number}".ljust(LONGEST_NAME, "x"): f"n{number}".ljust(LONGEST_NAME, "y") for number in range(20)}
    late = None if timeout is None else next(iter(events.values()))
    host = GraphHost(asking(RouteDecision.wait_for_any(events, timeout=timeout, timeout_node=late, note="n" * 20_000)))
    seen = record(host)

    run = host.start("g", {})

    assert sorted(run.waits) == sorted(events)
    assert ("note" in run.view) is shown
    assert max(sizes(seen)) <= LIMIT_BYTES
    assert run.send(run.waits[7], "x").status == "completed"


def status_of(**details: Any) -> dict[str, Any]:
    plan = {"graph": "g", "version": "1", "hash": "h" * 64}
    run: Any = {
        "plan": plan,
        "node": "n",
        "step": 3,
        "started_at": "2030-01-01T00:00:00",
        "taken": details.pop("taken", []),
    }
    return dict(run_status(run, **details))


def test_a_status_says_which_graph_and_where() -> None:
    assert status_of(note=None, waits=[]) == {
        "graph": "g",
        "version": "1",
        "hash": "h" * 64,
        "node": "n",
        "step": 3,
        "started_at": "2030-01-01T00:00:00",
    }


def test_answers_give_way_before_waits_do_and_the_newest_stays() -> None:
    waits = [{"event": "e" * LONGEST_NAME, "address": "a" * LONGEST_NAME, "resume_node": "r"} for _ in range(20)]
    taken = [[number, f"{number}".rjust(200, "k")] for number in range(40)]

    status = status_of(waits=waits, taken=taken)

    shown = status["taken"]
    assert status["waits"] == waits
    assert shown == taken[-len(shown) :]
    assert 0 < len(shown) < len(taken)


def test_a_status_at_the_limit_is_left_as_it_is() -> None:
    empty = 2 * len(json.dumps(status_of(note="x"), ensure_ascii=False)) - 2
    fits = "n" * ((LIMIT_BYTES - empty) // 2)

    assert status_of(note=fits)["note"] == fits
    assert status_of(note=fits + "n")["note"] == "n" * TEXT_LIMIT + "…"


# --- whose answers were taken -------------------------------------------------------------------------------------


def raise_answer(run: GraphRun, address: str, event_id: str, payload: Any) -> None:
    """Raise an event as the API does: an envelope with the id by which its sender knows it again."""
    run.host._host.send(RaiseEvent(run.id, address, json.dumps(json.dumps({"id": event_id, "payload": payload}))))


def test_the_status_tells_whose_answer_each_wait_has_taken() -> None:
    host = GraphHost(conversation())
    seen = record(host)
    run = host.start("conversation", {})

    for step, event_id in enumerate(["first", "second"]):
        raise_answer(run, f"answer.{step}", event_id, {"text": event_id})
        assert run.status == "waiting"

    assert seen.statuses[-1]["taken"] == [[0, "first"], [1, "second"]]


def test_a_parent_knows_whose_answers_its_children_have_taken() -> None:
    host = GraphHost(parent(), review())
    seen = record(host)
    run = host.start("article", {})
    (child,) = run.view["children"]

    raise_answer(GraphRun(host, child["id"]), "verdict.0", "hers", YES)

    assert run.status == "completed"
    assert seen.statuses[-1]["taken"] == [[1, "hers"]]
