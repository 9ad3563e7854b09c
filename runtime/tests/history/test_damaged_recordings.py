"""A recording that was damaged, and an answer that is not about a run, are one sentence."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

import pytest
from mutations import mutations
from shapes import conversation

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.errors import HistoryError
from azure_functions_durable_graph.history.recording import RecordedRun, recorded_run
from azure_functions_durable_graph.testing import GraphHost, replay_recording


@pytest.fixture(scope="module")
def answer() -> dict[str, Any]:
    """What the management API says of a run that has ended."""
    run = GraphHost(conversation()).start("conversation", {}).send("answer", {"text": "stop"})
    query = {"showHistory": "true", "showHistoryOutput": "true"}
    body: dict[str, Any] = run.host._management.handle("GET", f"instances/{run.id}", query, b"").body
    return body


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_recording_replays_or_is_one_sentence(tmp_path: Path, answer: dict[str, Any], seed: int) -> None:
    runtime = DurableGraphApp()
    runtime.register_registration(conversation())
    path = tmp_path / "run.json"
    for data in mutations(recorded_run(answer).to_text(), 132, seed):
        path.write_bytes(data)
        with contextlib.suppress(HistoryError):
            replay_recording(path, runtime)


@pytest.mark.parametrize("seed", range(3))
def test_a_damaged_answer_is_recorded_or_is_one_sentence(answer: dict[str, Any], seed: int) -> None:
    for data in mutations(json.dumps(answer, indent=1), 132, seed):
        try:
            status = json.loads(data)
        except (ValueError, RecursionError):
            continue  # said by the command, see test_record.py
        if isinstance(status, dict):
            with contextlib.suppress(HistoryError):
                RecordedRun.from_text(recorded_run(status).to_text(), "run.json")


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('"step": 0', '"step": "0"', r"input.step must be a int, not str|events\[0\].result.step must be a int"),
        ('"events": [', '"events": [7,', r"events\[0\] is not one of activity, event, timer, child"),
        ('"kind": "event"', '"kind": "evnt"', r"events\[\d\] is not one of"),
        ('"plan": {', '"plane": {', "input.plan must be a dict, not nothing"),
    ],
)
def test_the_place_is_named(answer: dict[str, Any], old: str, new: str, place: str) -> None:
    text = recorded_run(answer).to_text()
    assert old in text

    with pytest.raises(HistoryError, match=f"^run.json is not a recording of a run: ({place})"):
        RecordedRun.from_text(text.replace(old, new, 1), "run.json")


def test_a_folder_or_nothing_in_its_place_is_said(tmp_path: Path) -> None:
    with pytest.raises(HistoryError, match="it cannot be read"):
        replay_recording(tmp_path, DurableGraphApp())
    with pytest.raises(HistoryError, match=r"nothing\.json does not exist"):
        replay_recording(tmp_path / "nothing.json", DurableGraphApp())
