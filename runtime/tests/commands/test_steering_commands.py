"""The commands that begin, answer, steer, repeat and delete runs."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from api_commands_run import Commands, commands_of_an_app, done, refused
from contract import Ticket


@pytest.fixture(scope="module")
def command() -> Iterator[Commands]:
    with commands_of_an_app() as found:
        yield found


# start, send, cancel


def test_start_prints_the_id_of_the_run(command: Commands) -> None:
    run_id = done(command("start", "approvals", "--input", '{"ticket_id": "T-1"}', "--tag", "team=red", "--id", "one"))

    assert run_id == "one"
    assert command.client.get("one").tags == {"team": "red"}


def test_start_under_the_same_key_prints_the_same_id(command: Commands) -> None:
    words = ("start", "line", "--idempotency-key", "k")

    assert done(command(*words)) == done(command(*words))


def test_an_input_is_read_from_a_file_or_from_a_pipe(
    command: Commands, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "order.json"
    file.write_text('\ufeff{"value": 7}', encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"value": 8}'))

    assert command.client.get(done(command("start", "line", "--input", f"@{file}"))).input == {"value": 7}
    assert command.client.get(done(command("start", "line", "--input", "-"))).input == {"value": 8}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--input", "{"), "--input is not JSON"),
        (("--input", "[1]"), "the input is a JSON object"),
        (("--input", "@missing.json"), "--input: missing.json cannot be read: No such file or directory"),
        (("--input", '{"vale": 1}'), "422 invalid: input.vale: unknown key; did you mean 'value'?"),
        (("--tag", "red"), "--tag 'red': write KEY=VALUE"),
        (("--tag", "a=1", "--tag", "a=2"), "with a different key each time"),
        (("--id", "a b"), "422 invalid"),
        (("--id", "x", "--idempotency-key", "y"), "send the key or instance_id, not both"),
    ],
)
def test_a_start_that_means_nothing_is_one_sentence(command: Commands, words: tuple[str, ...], text: str) -> None:
    assert text in refused(command("start", "line", *words))


def test_send_says_what_became_of_the_answer(command: Commands) -> None:
    run_id = command.waiting()

    told = done(command("send", run_id, "approval", '{"approved": true}', "--wait-id", "approval.0"))

    assert told == "approval was applied at step 0, and the run continues at apply"
    assert "410 run-finished" in refused(command("send", run_id, "approval", '{"approved": true}'))


def test_an_answer_to_a_suspended_run_is_pending(command: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = command.waiting()
    command.client.suspend(run_id)
    command.client.wait(run_id, until="idle")

    answer = json.loads(done(command("send", run_id, "approval", '{"approved": true}', "--json")))

    assert answer["outcome"] == "pending"


def test_cancel_ends_a_run_with_its_reason(command: Commands) -> None:
    run_id = command.waiting()

    assert done(command("cancel", run_id, "--reason", "a mistake")) == f"{run_id} is being cancelled"

    assert command.client.wait(run_id).reason == "a mistake"


def test_suspend_and_resume_hold_a_run(command: Commands) -> None:
    run_id = command.waiting()

    assert done(command("suspend", run_id, "--reason", "lunch")) == f"{run_id} is being suspended"
    assert command.client.wait(run_id, until="idle").status == "suspended"
    assert done(command("resume", run_id)) == f"{run_id} is being resumed"
    assert command.client.wait(run_id, until="idle").status == "waiting"


def test_delete_removes_a_finished_run(command: Commands) -> None:
    assert "cancel it first" in refused(command("delete", command.waiting()))

    run_id = done(command("start", "line", "--watch")).splitlines()[0]
    assert done(command("delete", run_id)) == f"{run_id} was deleted"
    assert "404 run-not-found" in refused(command("show", run_id))


def test_retry_and_restart_print_the_id_of_the_new_run(command: Commands) -> None:
    failed = command.client.wait(command.client.start("broken", Ticket(ticket_id="T")))
    passed = command.client.wait(command.client.start("line"))
    again = done(command("retry", failed.id, "--idempotency-key", "k"))
    assert again == done(command("retry", failed.id, "--idempotency-key", "k"))
    assert command.client.get(again).origin == {"run": failed.id, "verb": "retry", "node": "a", "step": 0}
    edited = done(command("restart", passed.id, "--node", "c", "--state", '{"value": 40}'))
    assert command.client.wait(edited).output["value"] == 41
    assert command.client.wait(done(command("restart", passed.id))).output["value"] == 3
    assert "the state is a JSON object" in refused(command("restart", passed.id, "--node", "c", "--state", "[]"))
