"""Shared by the tests of the template: where it is, how a project is generated, and what it contains."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent


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
