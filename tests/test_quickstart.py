"""docs/quickstart.md is followed to the letter: its files are written, its commands run, their output compared."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from pipeline import programs, served
from projects import ROOT

pytestmark = pytest.mark.xdist_group("generated")

GUIDE = (ROOT / "docs" / "quickstart.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"(?:Write `(?P<file>[\w/.]+)`[^`]*?)?```(?P<language>\w+)\n(?P<text>.*?)^```$", re.M | re.S)


@dataclass(frozen=True)
class Command:
    """A command, and the output that the guide shows for it."""

    words: str
    output: str

    def matches(self, output: str) -> bool:
        """Whether this is the output: `…` on a line of its own is any number of lines, elsewhere a part of one."""
        pattern = "".join(
            r"(?:.*\n)*?" if line == "…" else re.escape(line).replace("…", ".*?") + "\n"
            for line in self.output.splitlines()
        )
        return re.fullmatch(pattern, output.strip("\n") + "\n" if output.strip() else "") is not None


def commands_of(text: str) -> Iterator[Command]:
    for part in re.split(r"^\$ ", text, flags=re.M)[1:]:
        words, _, output = part.partition("\n")
        yield Command(words, output)


class Reader:
    """Somebody who does what the guide says: where they are, what they serve, and what they have run."""

    def __init__(self, folder: Path, replaced: dict[str, str], environment: dict[str, str]) -> None:
        self.folder, self.replaced, self.environment = folder, replaced, environment
        self.done: list[str] = []

    def write(self, file: str, text: str) -> None:
        (self.folder / file).write_text(text, encoding="utf-8")

    def run(self, command: Command) -> None:
        self.done.append(command.words)
        if command.words.startswith("cd "):
            self.folder /= command.words.split()[1]
        elif not command.words.startswith("pip install "):  # the tests have installed it
            self._execute(command)

    def _execute(self, command: Command) -> None:
        words = command.words
        for old, new in self.replaced.items():
            words = words.replace(old, new)
        answer = subprocess.run(
            ["bash", "-c", words],
            cwd=self.folder,
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert answer.returncode == 0, answer.stdout + answer.stderr
        assert command.matches(answer.stdout), f"{command.words}\n{answer.stdout}"


def test_the_guide_can_be_followed_to_the_letter(
    template: Path, environment: dict[str, str], environments: Path, tmp_path: Path
) -> None:
    path = f"{programs(tmp_path / 'programs')}{os.pathsep}{os.environ['PATH']}"
    replaced = {
        "cookiecutter --no-input gh:org/durable-graph-template": f"python -m cookiecutter --no-input '{template}'",
        "nox -s": f"nox --envdir '{environments}' -s",
        "curl ": "curl --silent --show-error ",
    }
    (tmp_path / "work").mkdir()
    reader = Reader(tmp_path / "work", replaced, {**environment, "PATH": path})
    with ExitStack() as stack:
        for block in BLOCK.finditer(GUIDE):
            if block["file"]:
                reader.write(block["file"], block["text"])
            elif block["text"].startswith("$ nox -s serve"):
                replaced["http://127.0.0.1:7071"] = stack.enter_context(served(reader.folder))
            else:
                for command in commands_of(block["text"]):
                    reader.run(command)

    assert len(reader.done) == GUIDE.count("\n$ ") - 1, "every command but `serve`, which keeps running"

    assert "The new graph is a draft and changes freely." in GUIDE
    graph = reader.folder / "graphs" / "expense.py"
    reader.write("graphs/expense.py", graph.read_text().replace("employee: str", "employee: int"))
    reader.run(Command("nox -s lock", "…\nexpense, version 1: new\n…\n"))


def test_a_line_of_an_ellipsis_is_any_number_of_lines() -> None:
    shown = Command("x", "a\n…\nd: … e\n")

    assert shown.matches("a\nb\nc\nd: 1 e\n")
    assert shown.matches("a\nd: 1 e\n")
    assert not shown.matches("a\nb\n")
    assert not shown.matches("b\na\nd: 1 e\n")


def test_every_block_is_followed() -> None:
    assert len(list(BLOCK.finditer(GUIDE))) == GUIDE.count("```") / 2
    assert [block["file"] for block in BLOCK.finditer(GUIDE) if block["language"] == "python"] == [
        "graphs/expense.py",
        "tests/test_expense.py",
    ]
