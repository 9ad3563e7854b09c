"""How a run stands, by what the engine and its custom status say: no runtime status and no status without a row."""

from dataclasses import replace
from typing import Any, cast, get_args

import pytest

from azure_functions_durable_graph.graph.names import Status
from azure_functions_durable_graph.history.record import FINISHED, LIVE, STATUSES, RunRecord
from azure_functions_durable_graph.run.messages import OpenWait, RunInput

WAIT: OpenWait = {"event": "go", "address": "go.0", "resume_node": "a"}
EVERYTHING = {"waits": [WAIT], "parked": "why", "sleeps_until": "2030", "retry": {"attempt": 1}}

STANDING: list[tuple[str, dict[str, Any], Status]] = [
    # runtime status, custom status, status
    ("Pending", {}, "pending"),
    ("Pending", EVERYTHING, "pending"),
    ("Running", {}, "running"),
    ("Running", {"note": "at work", "fan_out": {"done": 1, "of": 2}}, "running"),
    ("Running", {"waits": [WAIT]}, "waiting"),
    ("Running", {"parked": "not deployed"}, "parked"),
    ("Running", {"sleeps_until": "2030"}, "sleeping"),
    ("Running", {"retry": {"attempt": 1}}, "sleeping"),
    ("Running", EVERYTHING, "waiting"),
    ("Running", {"parked": "why", "sleeps_until": "2030"}, "parked"),
    ("ContinuedAsNew", {}, "running"),
    ("ContinuedAsNew", {"waits": [WAIT]}, "waiting"),
    ("ContinuedAsNew", {"parked": "why"}, "parked"),
    ("ContinuedAsNew", {"sleeps_until": "2030"}, "sleeping"),
    ("Suspended", {}, "suspended"),
    ("Suspended", EVERYTHING, "suspended"),
    ("Completed", {}, "completed"),
    ("Completed", EVERYTHING, "completed"),
    ("Completed", {"error": {"type": "E"}}, "failed"),  # a child reports failure as a value
    ("Failed", {}, "failed"),
    ("Failed", {"error": {"type": "E"}}, "failed"),
    ("Terminated", EVERYTHING, "cancelled"),
    ("Canceled", {}, "cancelled"),
]

IDLE: dict[Status, bool] = {
    "pending": False,
    "running": False,
    "waiting": True,
    "sleeping": True,
    "parked": True,
    "suspended": True,
    "completed": True,
    "failed": True,
    "cancelled": True,
}
"""Whether a run in this status goes on only with help from outside or with time."""


def record(runtime_status: str, custom_status: dict[str, Any]) -> RunRecord:
    run = cast(RunInput, {"plan": {"graph": "g"}})
    return RunRecord(
        id="r",
        runtime_status=runtime_status,
        run=run,
        custom_status=custom_status,
        output=None,
        created_at=None,
        updated_at=None,
    )


@pytest.mark.parametrize(("runtime_status", "custom_status", "status"), STANDING)
def test_a_run_stands_as_engine_and_custom_status_say(runtime_status: str, custom_status: Any, status: Status) -> None:
    found = record(runtime_status, custom_status)

    assert found.status == status
    assert found.finished is (status in ("completed", "failed", "cancelled"))
    assert found.is_idle is IDLE[status]
    assert found.waits == ([] if found.finished else custom_status.get("waits", []))


def test_every_status_of_the_engine_and_of_a_run_has_a_row() -> None:
    assert {runtime_status for runtime_status, _, _ in STANDING} == {*FINISHED, *LIVE}
    assert {status for _, _, status in STANDING} == set(get_args(Status)) == set(STATUSES) == set(IDLE)


@pytest.mark.parametrize("status", STATUSES)
def test_a_status_is_looked_for_where_such_runs_are(status: Status) -> None:
    assert STATUSES[status] == {runtime_status for runtime_status, _, found in STANDING if found == status}


def test_a_runtime_status_that_nobody_knows_is_a_run_at_work() -> None:
    assert record("Unheard", {}).status == "running"


def test_the_waits_of_children_count_as_the_runs_own() -> None:
    child = record("Running", {"waits": [WAIT]})
    parent = record("Running", {"children": [{"id": "c", "node": "n"}]})

    assert parent.children == ["c"]
    with_child = replace(parent, open_children=(child,))
    assert (with_child.status, with_child.waits) == ("waiting", [WAIT])
    assert replace(parent, runtime_status="Completed").children == []
