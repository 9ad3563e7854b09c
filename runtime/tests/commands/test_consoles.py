"""Commands end as they should on any console: what it cannot show is replaced, and never an error."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from apps import command_line, write_app
from processes import COMMAND_LINE, serving

import azure_functions_durable_graph

ENCODINGS = ["cp1252", "cp437", "ascii"]
HERE = [
    "serve",
    "lock",
    "record",
    "cost",
    "new-graph",
    "verify",
    "update-runtime",
    "apps",
    "new-app",
    "new-lib",
    "package",
]
STEER = ["cancel", "suspend", "resume", "delete", "retry", "restart"]
SERVED = ["runs", "show", "start", "send", *STEER, "graphs", "diagram"]
COMMANDS = [*HERE, *SERVED]

on_any_console = pytest.mark.parametrize("encoding", ENCODINGS)


def ended(encoding: str, code: int, *words: str | Path, cwd: Path | None = None) -> str:
    """Run a command with its output piped; what it printed."""
    answer = command_line(*words, cwd=cwd, PYTHONIOENCODING=encoding)
    assert "Traceback" not in answer.stderr, answer.stderr
    assert answer.returncode == code, answer.stdout + answer.stderr
    return answer.stdout + answer.stderr


@on_any_console
def test_every_command_shows_its_help(encoding: str) -> None:
    listed = ended(encoding, 0, "--help")

    for command in COMMANDS:
        assert re.search(rf"^  {command}\b", listed, re.MULTILINE)
        assert f"usage: python -m azure_functions_durable_graph {command}" in ended(encoding, 0, command, "--help")


@on_any_console
def test_the_help_of_the_whole_shows_what_each_command_takes(encoding: str) -> None:
    listed = ended(encoding, 0, "--help")

    assert re.search(r"^  show \[--watch\] .* RUN$", listed, re.MULTILINE)
    assert "[--limit N]" in listed
    assert max(map(len, listed.splitlines())) <= 100


def test_the_version_is_that_of_the_runtime() -> None:
    assert ended("ascii", 0, "--version") == f"{azure_functions_durable_graph.__version__}\n"


@on_any_console
def test_every_console_shows_what_runs_contain(encoding: str, tmp_path: Path) -> None:
    pytest.importorskip("rich", reason="it is in requirements-dev.txt")
    with serving(write_app(tmp_path)) as (_, url):
        started = ended(encoding, 0, "start", "review", "--input", json.dumps({"name": "größer →"}), "--url", url)
        run = started.strip()
        assert "n_begin" in ended(encoding, 0, "diagram", "review", "--url", url)
        for words in (("runs",), ("show", run), ("graphs",)):
            assert "review" in ended(encoding, 0, *words, "--url", url)
        assert "größer →" in json.loads(ended(encoding, 0, "show", run, "--json", "--url", url))["input"]["name"]
        ended(encoding, 0, "send", run, "approval", '{"approved": true}', "--url", url)
        assert "completed" in ended(encoding, 0, "show", run, "--watch", "--url", url)


def test_every_command_is_in_the_list_above() -> None:
    (names,) = [line for line in ended("ascii", 2, "no-such-command").splitlines() if "choose from" in line]

    assert [name.strip("' )") for name in names.split("choose from")[1].split(",")] == COMMANDS


@on_any_console
def test_the_exit_code_of_lock_is_that_of_the_comparison(encoding: str, tmp_path: Path) -> None:
    folder = write_app(tmp_path)
    assert "wrote graphs.lock.json" in ended(encoding, 0, "lock", folder)

    write_app(folder, ("approved: bool = False", 'approved: bool = False\n    größe: str = "→"'))
    assert "safe: state.gr" in ended(encoding, 3, "lock", folder, "--check")
    assert "safe: state.gr" in ended(encoding, 0, "lock", folder)
    ended(encoding, 0, "lock", folder, "--check")


@on_any_console
def test_an_error_is_one_sentence_and_code_1(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "function_app.py").write_text("raise ValueError('→ größer ✗')", encoding="utf-8")
    wrong: list[tuple[str, ...]] = [
        ("serve", "--port", "70000"),
        ("serve",),
        ("lock",),
        ("record", "→"),
        ("record", "run-1", "--url", "http://127.0.0.1:9"),
        ("new-graph", "größer→"),
        ("package",),
        ("apps",),
        ("new-app", "größer→"),
        ("new-lib", "größer→"),
        ("verify",),
        ("update-runtime", "--template", "→"),
        ("update-runtime",),
        ("runs", "--url", "→"),
        ("show", "→", "--url", "http://127.0.0.1:9"),
        ("start", "größer", "--url", "http://127.0.0.1:9", "--input", "→"),
        ("graphs", "--url", "http://127.0.0.1:9"),
    ]

    for words in wrong:
        *_, last = ended(encoding, 1, *words, cwd=tmp_path).splitlines()
        assert last.startswith("error: "), words


@pytest.mark.parametrize("command", ["serve", "lock"])
def test_without_the_requirements_a_command_says_what_to_install(command: str, tmp_path: Path) -> None:
    """The interpreter is given no site-packages, as in a venv that has only nox."""
    package = Path(next(path for path in sys.path if (Path(path) / "azure_functions_durable_graph").is_dir()))
    (tmp_path / "function_app.py").touch()

    answer = subprocess.run(
        [sys.executable, "-S", *COMMAND_LINE, command],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(package)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert answer.returncode == 1
    assert "is not installed; run this command as a nox session" in answer.stderr
    assert "Traceback" not in answer.stderr
