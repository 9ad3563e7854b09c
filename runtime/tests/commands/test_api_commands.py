"""The commands that ask a served app: what they print for people, for pipes and for programs."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from contract import Ticket, approvals, broken
from processes import environment, free_port
from served import served
from shapes import line

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.client import GraphClient
from azure_functions_durable_graph.commands.cli import main

pytest.importorskip("rich", reason="it is in requirements-dev.txt")

Command = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    runtime = DurableGraphApp()
    for graph in (approvals(), broken(), line("a", "b", "c")):
        runtime.register_registration(graph)
    with served(runtime.function_app) as (found, _):
        yield found


@pytest.fixture
def command(url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Command:
    """Run one command against the app: its exit code, what it printed, and its error."""
    monkeypatch.chdir(tmp_path)

    def run(*words: str) -> tuple[int, str, str]:
        code = main([*words, "--url", url])
        told = capsys.readouterr()
        return code, told.out, told.err

    return run


def done(answer: tuple[int, str, str]) -> str:
    code, out, err = answer
    assert (code, err) == (0, ""), err
    return out.rstrip("\n")


def refused(answer: tuple[int, str, str]) -> str:
    code, _, err = answer
    assert (code, err[:7]) == (1, "error: ")
    return err


def waiting(url: str, **options: Any) -> str:
    with GraphClient(url) as client:
        return client.wait(client.start("approvals", Ticket(ticket_id="T"), **options), until="idle").id


# start, send, cancel


def test_start_prints_the_id_of_the_run(command: Command, url: str) -> None:
    run_id = done(command("start", "approvals", "--input", '{"ticket_id": "T-1"}', "--tag", "team=red", "--id", "one"))

    assert run_id == "one"
    with GraphClient(url) as client:
        assert client.get("one").tags == {"team": "red"}


def test_start_under_the_same_key_prints_the_same_id(command: Command) -> None:
    words = ("start", "line", "--idempotency-key", "k")

    assert done(command(*words)) == done(command(*words))


def test_an_input_is_read_from_a_file_or_from_a_pipe(
    command: Command, url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "order.json").write_text('\ufeff{"value": 7}', encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", io.StringIO('{"value": 8}'))

    with GraphClient(url) as client:
        assert client.get(done(command("start", "line", "--input", "@order.json"))).input == {"value": 7}
        assert client.get(done(command("start", "line", "--input", "-"))).input == {"value": 8}


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("--input", "{"), "--input is not JSON"),
        (("--input", "[1]"), "the input is a JSON object"),
        (("--input", "@missing.json"), "--input: missing.json cannot be read: No such file or directory"),
        (("--input", '{"vale": 1}'), "422 invalid: input.vale: unknown key; did you mean 'value'?"),
        (("--tag", "red"), "--tag 'red': write KEY=VALUE"),
        (("--tag", "a=1", "--tag", "a=2"), "with another key each time"),
        (("--id", "a b"), "422 invalid"),
        (("--id", "x", "--idempotency-key", "y"), "send it, or instance_id, not both"),
    ],
)
def test_a_start_that_means_nothing_is_one_sentence(command: Command, words: tuple[str, ...], text: str) -> None:
    assert text in refused(command("start", "line", *words))


def test_send_says_what_became_of_the_answer(command: Command, url: str) -> None:
    run_id = waiting(url)

    told = done(command("send", run_id, "approval", '{"approved": true}', "--wait-id", "approval.0"))

    assert told == "approval was applied at step 0, and the run continues at apply"
    assert "410 run-finished" in refused(command("send", run_id, "approval", '{"approved": true}'))


def test_an_answer_to_a_suspended_run_is_pending(command: Command, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    run_id = waiting(url)
    with GraphClient(url) as client:
        client.suspend(run_id)
        client.wait(run_id, until="idle")

    answer = json.loads(done(command("send", run_id, "approval", '{"approved": true}', "--json")))

    assert answer["outcome"] == "pending"


def test_cancel_ends_a_run_with_its_reason(command: Command, url: str) -> None:
    run_id = waiting(url)

    assert done(command("cancel", run_id, "--reason", "a mistake")) == f"{run_id} is being cancelled"

    with GraphClient(url) as client:
        assert client.wait(run_id).reason == "a mistake"


# show


def test_show_tells_how_a_run_stands_and_its_steps(command: Command, url: str) -> None:
    run_id = waiting(url, tags={"team": "red"})

    told = done(command("show", run_id))

    assert re.search(rf"^run +{run_id}$", told, re.MULTILINE)
    assert re.search(r"^status +waiting$", told, re.MULTILINE)
    assert re.search(r"^tags +team=red$", told, re.MULTILINE)
    assert re.search(r"^waits for +approval \(wait approval\.0\)$", told, re.MULTILINE)
    assert re.search(r"^0 +ask +task .* waits for approval$", told, re.MULTILINE)


def test_show_tells_how_a_run_was_answered_and_ended(command: Command, url: str) -> None:
    run_id = waiting(url)
    done(command("send", run_id, "approval", '{"approved": true}'))
    with GraphClient(url) as client:
        client.wait(run_id)

    told = done(command("show", run_id))

    assert re.search(r"^0 +ask .* approval -> apply$", told, re.MULTILINE)
    assert re.search(r'^1 +apply .* {"approved": true} +end$', told, re.MULTILINE)


def test_show_watch_ends_with_the_run(command: Command) -> None:
    told = done(command("start", "line", "--watch")).splitlines()

    run_id = told[0]
    steps = [text for text in told if re.match(r" +\d", text)]
    assert [text.split()[1] for text in steps] == ["a", "b", "c"]
    assert steps[0].endswith('{"value": 1} -> b')
    assert told[-1] == f"{run_id} completed"


def test_show_watch_fails_with_a_run_that_fails(command: Command) -> None:
    run_id = done(command("start", "broken", "--input", '{"ticket_id": "T"}'))

    code, out, err = command("show", run_id, "--watch")

    assert code == 1
    assert "-> ValueError: no fuse" in out
    assert err == f"error: the run {run_id} failed: ValueError: no fuse\n"


def test_show_watch_as_json_is_one_step_a_line(command: Command) -> None:
    run_id = done(command("start", "line"))

    steps = [json.loads(text) for text in done(command("show", run_id, "--watch", "--json")).splitlines()]

    assert [step["node"] for step in steps] == ["a", "b", "c"]


def test_show_as_json_is_what_the_app_has_answered(command: Command, url: str) -> None:
    run_id = waiting(url)

    assert json.loads(done(command("show", run_id, "--json")))["waits"][0]["event"] == "approval"


# runs, graphs, diagram


def test_runs_lists_what_matches_over_pages(command: Command, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("azure_functions_durable_graph.commands.runs.PAGE", 2)
    mine = {waiting(url, tags={"list": "five"}) for _ in range(5)}
    words = ("runs", "--tag", "list=five", "--status", "waiting", "--graph", "approvals", "--since", "2h")

    listed = [json.loads(text)["id"] for text in done(command(*words, "--json")).splitlines()]
    assert set(listed) == mine
    table = done(command(*words, "--limit", "3")).splitlines()
    assert table[0].split() == ["run", "graph", "version", "status", "node", "step", "started", "about"]
    assert {row.split()[0] for row in table[1:4]} < mine
    assert table[4] == "(3 runs are shown, and there are more: --limit N)"
    assert done(command(*words, "--until", "2026-01-31T08:00:00Z")) == "no runs"


def test_runs_shows_why_a_run_failed(command: Command, url: str) -> None:
    command("start", "broken", "--input", '{"ticket_id": "T"}', "--watch")

    assert re.search(r" failed +a +0 .* ValueError: no fuse$", done(command("runs", "--graph", "broken")), re.MULTILINE)


def test_a_list_for_which_nothing_can_match_is_one_sentence(command: Command) -> None:
    assert "--since must be a time such as" in refused(command("runs", "--since", "yesterday"))
    assert "there is no graph 'lime'" in refused(command("runs", "--graph", "lime"))


def test_graphs_lists_them(command: Command) -> None:
    table = done(command("graphs")).splitlines()

    assert [row.split()[0] for row in table] == ["graph", "approvals", "broken", "line"]
    assert json.loads(done(command("graphs", "--json")).splitlines()[2])["nodes"] == ["a", "b", "c"]


def test_diagram_prints_or_writes_the_picture(command: Command, tmp_path: Path) -> None:
    assert done(command("diagram", "line")).startswith("flowchart TD")
    assert done(command("diagram", "line", "--format", "svg", "--output", "line.svg")) == "line.svg is written"
    assert (tmp_path / "line.svg").read_text(encoding="utf-8").startswith("<svg")
    assert "cannot be written" in refused(command("diagram", "line", "--output", "no/folder/x"))


# what every command shares


def test_what_runs_contain_cannot_steer_a_terminal(command: Command, url: str) -> None:
    with GraphClient(url) as client:
        ticket = Ticket(ticket_id="T\x1b[31m\r[bold]red[/bold]\x07")
        run_id = client.wait(client.start("broken", ticket, tags={"t": "[red]x"}), timeout=30).id
        again = client.wait(client.restart(run_id, node="a", state={"ticket_id": "\x1b]0;title\x07"}), timeout=30)

    for words in (("show", run_id), ("show", again.id), ("runs",), ("show", run_id, "--watch")):
        _, out, err = command(*words)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", out + err)
    assert "t=[red]x" in done(command("runs"))


@pytest.mark.parametrize("spelling", ["{}", "{}/", "{}/api", "{}/api/"])
def test_every_spelling_of_the_url_is_the_app(url: str, spelling: str, capsys: Any, tmp_path: Path) -> None:
    assert main(["graphs", "--url", spelling.format(url)]) == 0
    output = str(tmp_path / "histories")
    assert main(["record", waiting(url), "--url", spelling.format(url), "--output", output]) == 0


def test_the_route_prefix_is_that_of_host_json_here(url: str, capsys: Any, monkeypatch: Any, tmp_path: Path) -> None:
    (tmp_path / "host.json").write_text('{"extensions": {"http": {"routePrefix": "v9"}}}')
    monkeypatch.chdir(tmp_path)

    assert main(["graphs", "--url", url]) == 1

    assert f"there is no API of durable graphs at {url}/v9/graphs" in capsys.readouterr().err


def test_an_app_that_is_not_served_is_one_sentence(capsys: Any) -> None:
    port = free_port()

    assert main(["runs", "--url", f"http://127.0.0.1:{port}"]) == 1

    assert capsys.readouterr().err.startswith(f"error: http://127.0.0.1:{port}/api cannot be reached (")


def test_the_key_comes_from_the_option_or_the_environment(url: str, monkeypatch: Any, capsys: Any) -> None:
    keys: list[dict[str, str]] = []

    def graphs(client: GraphClient) -> tuple[Any, ...]:
        keys.append(client._door._headers)
        return ()

    monkeypatch.setattr(GraphClient, "graphs", graphs)
    monkeypatch.setenv("FUNCTIONS_KEY", "env")

    main(["graphs", "--url", url])
    main(["graphs", "--url", url, "--key", "option"])

    assert [key["x-functions-key"] for key in keys] == ["env", "option"]


def test_a_terminal_gets_colours_and_a_pipe_none(command: Command, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    waiting(url)
    assert "\x1b[" not in done(command("runs"))

    monkeypatch.setattr(sys.stdout, "isatty", lambda: True, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[33mwaiting" in command("runs")[1]


@pytest.mark.parametrize(("module", "words"), [("httpx", ["graphs", "--json"]), ("rich", ["graphs"])])
def test_a_missing_package_is_one_sentence(url: str, module: str, words: list[str]) -> None:
    code = f"import sys; sys.modules[{module!r}] = None\nfrom azure_functions_durable_graph.commands.cli import main\n"
    code += f"sys.exit(main({[*words, '--url', url]!r}))"

    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False
    )

    assert answer.returncode == 1
    assert answer.stderr.startswith(f"error: {module}")
    assert "or install requirements-dev.txt first" in answer.stderr


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe is another error there")
def test_a_reader_that_has_seen_enough_is_not_an_error_with_a_traceback(url: str) -> None:
    words = [sys.executable, "-m", "azure_functions_durable_graph", "graphs", "--url", url]
    with subprocess.Popen(
        words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
