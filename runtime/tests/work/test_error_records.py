"""An error leaves the activity as plain text, and the log shows the user's frames without values."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from pydantic import BaseModel

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.testing import run_graph
from azure_functions_durable_graph.work.boundary import MESSAGE_LIMIT, error_record


class State(BaseModel):
    """A state."""

    value: int = 0
    seen: str = ""


class Unprintable(Exception):  # noqa: N818
    """Cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("no text")


def test_a_huge_message_is_cut() -> None:
    message = error_record(ValueError("x" * 5_000_000), "handler")["message"]

    assert (len(message), message[-1]) == (MESSAGE_LIMIT, "…")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="notes are new in Python 3.11")
def test_notes_follow_the_text_as_in_a_traceback() -> None:
    error: Any = ValueError("row 7 is not valid")
    error.add_note("in the file orders.csv")

    assert error_record(error, "handler")["message"] == "row 7 is not valid\nin the file orders.csv"


@pytest.mark.parametrize("notes", [None, "text", [1, "a note"]])
def test_odd_notes_hide_no_error(notes: Any) -> None:
    error: Any = ValueError("text")
    error.__notes__ = notes

    assert error_record(error, "handler")["message"].splitlines()[0] == "text"


def test_an_error_without_a_text_says_so() -> None:
    assert error_record(Unprintable(), "handler")["message"] == "(its text cannot be read: __str__ raised RuntimeError)"


def test_a_text_that_json_cannot_hold_is_replaced() -> None:
    assert error_record(ValueError("a\ud800b"), "handler")["message"] == "a?b"


@pytest.mark.skipif(sys.version_info < (3, 11), reason="ExceptionGroup is new in Python 3.11")
def test_a_group_of_exceptions_lists_its_members() -> None:
    group = ExceptionGroup("two", [ValueError("a"), KeyError("b")])  # type: ignore[name-defined,unused-ignore]  # noqa: F821

    record = error_record(group, "handler")

    assert (record["type"], [member["type"] for member in record["errors"]]) == (
        "ExceptionGroup",
        ["ValueError", "KeyError"],
    )


def test_the_log_begins_at_the_users_frame_and_shows_no_values(caplog: pytest.LogCaptureFixture) -> None:
    def handler(state: State) -> Any:
        return State.model_validate({"value": state.seen})

    graph = ManifestBuilder("g", State).set_entrypoint("a").add_node("a", handler, terminal=True).build()
    run_graph(graph, {"seen": "a secret"})

    (record,) = [entry for entry in caplog.records if entry.name.endswith("work.activity")]
    text = record.getMessage()
    assert "a secret" not in text
    assert "ValidationError: State is not valid:\nvalue: Input should be a valid integer" in text
    assert text.split("\n")[3].strip().startswith('File "') or 'test_error_records.py", line' in text
    assert "calling.py" not in text


def test_a_record_shows_the_users_lines_and_the_runs_status_leaves_them_out() -> None:
    def deeper(depth: int) -> None:
        if not depth:
            raise KeyError("a price")
        deeper(depth - 1)

    def handler(state: State) -> None:
        deeper(6)

    graph = ManifestBuilder("g", State).set_entrypoint("a").add_node("a", handler, terminal=True).build()
    run = run_graph(graph, {"seen": "a secret"})

    (step,) = run.steps
    *above, last = step["error"]["frames"]
    assert last.endswith(': raise KeyError("a price")')
    assert len(above) == 3
    assert all("deeper(depth - 1)" in frame for frame in above)
    assert run.error is not None
    assert "frames" not in run.error
