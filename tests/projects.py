"""Shared by the tests of the template: where it is, how a project is generated, and what it contains."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent

SETTINGS: dict[str, Any] = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))

CHOICES: dict[str, list[Any]] = {
    name: value if isinstance(value, list) else [value, not value]
    for name, value in SETTINGS.items()
    if not name.startswith("_") and isinstance(value, (list, bool))
}
"""The prompts that are answered with one of several values, the suggested one first."""

TEXTS = [name for name in SETTINGS if not name.startswith("_") and name not in CHOICES]
"""The prompts that are answered with a text."""


def every_value() -> list[dict[str, Any]]:
    """As few answers as possible that contain each value once; the first are the suggested ones."""
    rows = max(map(len, CHOICES.values()))
    return [{name: values[row % len(values)] for name, values in CHOICES.items()} for row in range(rows)]


def every_pair() -> Iterator[dict[str, Any]]:
    """Answers that contain every pair of values of two prompts: each adds as many new pairs as it can."""
    missing = {
        frozenset({(one, first), (other, second)})
        for one, other in itertools.combinations(CHOICES, 2)
        for first in CHOICES[one]
        for second in CHOICES[other]
    }
    while missing:
        seed = dict(min(missing, key=lambda pair: sorted(map(str, pair))))
        for name, values in CHOICES.items():
            if name not in seed:
                seed[name] = max(values, key=lambda value: len(missing & _pairs({**seed, name: value})))
        missing -= _pairs(seed)
        yield {name: seed[name] for name in CHOICES}


def _pairs(answers: dict[str, Any]) -> set[frozenset[tuple[str, Any]]]:
    return {frozenset(pair) for pair in itertools.combinations(answers.items(), 2)}


def rendered(output: Path, template: Path, config: str, **answers: object) -> Path:
    """Generate a project in this process and without hooks, which is fast; gives its folder."""
    from cookiecutter.main import cookiecutter as generate  # type: ignore[import-untyped]

    made = generate(
        str(template),
        no_input=True,
        output_dir=str(output),
        extra_context=answers,
        accept_hooks=False,
        config_file=config,
    )
    return Path(made)


def cookiecutter(output: Path, *options: str, source: str | Path, **answers: object) -> list[str]:
    """The command line that generates a project."""
    words = [sys.executable, "-m", "cookiecutter", "--no-input", "--output-dir", str(output), *options, str(source)]
    return [*words, *(f"{name}={value}" for name, value in answers.items())]


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file of a project by its path, except those of git and of tools."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not {".git", "__pycache__", ".nox"} & set(path.relative_to(folder).parts)
    }


def repository_files() -> list[str]:
    """Every file of this repository that git tracks or would track."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
