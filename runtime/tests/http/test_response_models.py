"""The models of responses read what an app of this release or a newer one sends."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest
from pydantic import ValidationError

from azure_functions_durable_graph.http.responses import Run, RunRow, Step

ROW = {"id": "r", "graph": "g", "version": "1", "graph_hash": "h", "status": "waiting", "node": "a", "step": 1}
MORNING = datetime(2026, 1, 31, 8, tzinfo=timezone.utc)


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("2026-01-31T08:00:00Z", MORNING),
        ("2026-01-31T09:00:00.1234567+01:00", MORNING.replace(microsecond=123456)),
        (MORNING, MORNING),
        ("yesterday", None),
        (None, None),
    ],
)
def test_a_time_is_a_moment_or_unknown(given: Any, read: datetime | None) -> None:
    assert RunRow.model_validate({**ROW, "started_at": given}).started_at == read


def test_keys_of_a_newer_app_are_kept() -> None:
    assert RunRow.model_validate({**ROW, "mood": "good"}).model_dump()["mood"] == "good"


def test_what_was_read_does_not_change() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        Run.model_validate(ROW).status = "failed"


@pytest.mark.parametrize(
    ("status", "finished"),
    [("completed", True), ("failed", True), ("cancelled", True), ("waiting", False), ("suspended", False)],
)
def test_a_run_knows_whether_it_is_over(status: str, finished: bool) -> None:
    assert RunRow.model_validate({**ROW, "status": status}).finished is finished


@pytest.mark.parametrize(
    ("known", "over"),
    [
        ({}, False),  # it is at work, or its end is not known yet
        ({"attempts": 1, "error": {"type": "E"}}, False),  # it may be tried again
        ({"to": ["b"]}, True),
        ({"waits_for": ["go"]}, True),
        ({"error": {"type": "E"}, "to": ["mend"]}, True),
        ({"branch": True, "patch": {}}, True),
        ({"branch": True, "error": {"type": "E"}}, False),
    ],
)
def test_a_step_has_led_on_once_its_end_is_sure(known: dict[str, Any], over: bool) -> None:
    assert Step.model_validate({"step": 0, "node": "a", "kind": "task", **known}).has_led_on is over
