"""The examples of the guide and of both READMEs pass what a generated project's `nox -s lint` runs."""

from __future__ import annotations

import ast
import re
import shutil
import sys
import textwrap
from pathlib import Path
from typing import Any

import pytest
from guide.blocks import BLOCKS
from guide_situations import COMMON, SITUATIONS
from projects import ROOT

README = (ROOT / "{{cookiecutter.project_slug}}" / "README.md").read_text(encoding="utf-8")


def readme_examples() -> dict[str, str]:
    """The indented blocks of Python in a generated project's README."""
    blocks = re.findall(r"^(?: {4}.*\n|\n)+", README, re.MULTILINE)
    python = [
        textwrap.dedent(block).strip() + "\n" for block in blocks if re.search(r"^    (from|import) ", block, re.M)
    ]
    return {f"README {number}": block for number, block in enumerate(python, start=1)}


def front_page_examples() -> dict[str, str]:
    """The fenced blocks of Python in this repository's README."""
    blocks = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / "README.md").read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL
    )
    return {f"Front page {number}": block for number, block in enumerate(blocks, start=1)}


GUIDE_EXAMPLES = {name: block.text for name, block in BLOCKS.items() if block.language == "python"}
EXAMPLES = {**GUIDE_EXAMPLES, **front_page_examples(), **readme_examples()}


def names_of(situation: str) -> list[str]:
    """The names that a situation defines."""
    found: set[str] = set()
    for node in ast.parse(COMMON + situation).body:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
        elif isinstance(node, ast.Assign):
            found |= {target.id for target in node.targets if isinstance(target, ast.Name)}
        elif isinstance(node, ast.ImportFrom):
            found |= {alias.name for alias in node.names}
    return sorted(found)


@pytest.fixture(scope="module")
def examples(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a generated project's settings, today's runtime, and each example as a module."""
    folder = tmp_path_factory.mktemp("examples")
    shutil.copy(project / "pyproject.toml", folder)
    shutil.copytree(
        ROOT / "runtime" / "azure_functions_durable_graph",
        folder / "azure_functions_durable_graph",
        ignore=shutil.ignore_patterns("__pycache__"),
    )
    for name, text in EXAMPLES.items():
        (folder / module_of(name)).write_text(text, encoding="utf-8")
        (folder / f"in_{module_of(name)}").write_text(f"{COMMON}{SITUATIONS.get(name, '')}\n{text}", encoding="utf-8")
    return folder


def module_of(name: str) -> str:
    return re.sub(r"\W+", "_", name).lower() + ".py"


def test_every_example_has_its_situation() -> None:
    assert "README 1" in EXAMPLES
    assert set(SITUATIONS) == {name for name in EXAMPLES if not name.startswith("README")}


def test_mypy_finds_nothing_in_the_examples(examples: Path, run: Any) -> None:
    modules = [f"in_{module_of(name)}" for name in EXAMPLES]

    answer = run(sys.executable, "-m", "mypy", *modules, cwd=examples, check=False)

    assert answer.stdout.startswith("Success"), answer.stdout + answer.stderr


@pytest.mark.parametrize("name", EXAMPLES)
def test_ruff_finds_nothing_in_the_example(examples: Path, run: Any, name: str) -> None:
    given = f"builtins = {names_of(SITUATIONS.get(name, ''))!r}"

    for command in (["check", "--config", given], ["format", "--diff"]):
        answer = run(sys.executable, "-m", "ruff", *command, "--no-cache", module_of(name), cwd=examples, check=False)
        assert answer.returncode == 0, answer.stdout + answer.stderr
