"""How commands find the app that they ask, and how they fail."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from api_commands_run import Commands, commands_of_an_app, done
from contract import Ticket
from processes import environment, free_port

from azure_functions_durable_graph.client import GraphClient
from azure_functions_durable_graph.commands.cli import main

pytest.importorskip("rich", reason="it is in requirements-dev.txt")


@pytest.fixture(scope="module")
def command() -> Iterator[Commands]:
    with commands_of_an_app() as found:
        yield found


# what every command shares


def test_what_runs_contain_cannot_steer_a_terminal(command: Commands) -> None:
    with GraphClient(command.url) as client:
        ticket = Ticket(ticket_id="T\x1b[31m\r[bold]red[/bold]\x07")
        run_id = client.wait(client.start("broken", ticket, tags={"t": "[red]x"}), timeout=30).id
        again = client.wait(client.restart(run_id, node="a", state={"ticket_id": "\x1b]0;title\x07"}), timeout=30)

    for words in (("show", run_id), ("show", again.id), ("runs",), ("show", run_id, "--watch")):
        _, out, err = command(*words)
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", out + err)
    assert "t=[red]x" in done(command("runs"))


@pytest.mark.parametrize("spelling", ["{}", "{}/", "{}/api", "{}/api/"])
def test_every_spelling_of_the_url_is_the_app(command: Commands, spelling: str, capsys: Any, tmp_path: Path) -> None:
    assert main(["graphs", "--url", spelling.format(command.url)]) == 0
    output = str(tmp_path / "histories")
    assert main(["record", command.waiting(), "--url", spelling.format(command.url), "--output", output]) == 0


def test_the_environment_names_another_app_for_all_commands(command: Commands, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.setenv("DURABLE_GRAPH_URL", command.url)

    assert main(["graphs"]) == 0
    assert "approvals" in capsys.readouterr().out


def test_the_route_prefix_is_that_of_host_json_here(
    command: Commands, capsys: Any, monkeypatch: Any, tmp_path: Path
) -> None:
    (tmp_path / "host.json").write_text('{"extensions": {"http": {"routePrefix": "v9"}}}')
    monkeypatch.chdir(tmp_path)

    assert main(["graphs", "--url", command.url]) == 1

    assert f"there is no durable graph API at {command.url}/v9/graphs" in capsys.readouterr().err


def test_an_app_that_is_not_served_is_one_sentence(capsys: Any) -> None:
    port = free_port()

    assert main(["runs", "--url", f"http://127.0.0.1:{port}"]) == 1

    assert capsys.readouterr().err.startswith(f"error: http://127.0.0.1:{port}/api cannot be reached (")


def test_the_key_comes_from_the_option_or_the_environment(command: Commands, monkeypatch: Any, capsys: Any) -> None:
    keys: list[dict[str, str]] = []

    def graphs(client: GraphClient) -> tuple[Any, ...]:
        keys.append(client._door._headers)
        return ()

    monkeypatch.setattr(GraphClient, "graphs", graphs)
    monkeypatch.setenv("FUNCTIONS_KEY", "env")

    main(["graphs", "--url", command.url])
    main(["graphs", "--url", command.url, "--key", "option"])

    assert [key["x-functions-key"] for key in keys] == ["env", "option"]


def test_a_terminal_gets_colours_and_a_pipe_none(command: Commands, monkeypatch: pytest.MonkeyPatch) -> None:
    command.waiting()
    assert "\x1b[" not in done(command("runs"))

    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert "\x1b[33mwaiting" in command("runs", terminal=True)[1]


@pytest.mark.parametrize(("module", "words"), [("httpx", ["graphs", "--json"]), ("rich", ["graphs"])])
def test_a_missing_package_is_one_sentence(command: Commands, module: str, words: list[str]) -> None:
    code = f"import sys; sys.modules[{module!r}] = None\nfrom azure_functions_durable_graph.commands.cli import main\n"
    code += f"sys.exit(main({[*words, '--url', command.url]!r}))"

    answer = subprocess.run(
        [sys.executable, "-c", code], env=environment(), capture_output=True, text=True, check=False
    )

    assert answer.returncode == 1
    assert answer.stderr.startswith(f"error: {module}")
    assert "or install requirements-dev.txt first" in answer.stderr


@pytest.mark.skipif(os.name == "nt", reason="a closed pipe is another error there")
def test_a_reader_that_has_seen_enough_is_not_an_error_with_a_traceback(command: Commands) -> None:
    words = [sys.executable, "-m", "azure_functions_durable_graph", "graphs", "--url", command.url]
    with subprocess.Popen(
        words, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""
