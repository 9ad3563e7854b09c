"""A committed copy of the template, and ways to generate projects from it. One copy serves a whole worker."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from projects import ROOT, cookiecutter, repository_files

Generate = Callable[..., Path]


@pytest.fixture(scope="session")
def environment(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """An environment without the user's settings of cookiecutter and git."""
    home = tmp_path_factory.mktemp("home")
    config = home / "cookiecutter.yaml"
    config.write_text(f"cookiecutters_dir: '{home / 'templates'}'\nreplay_dir: '{home / 'replay'}'\n")
    identity = {
        f"GIT_{role}_{what}": f"{what.lower()}@example.com"
        for role in ("AUTHOR", "COMMITTER")
        for what in ("NAME", "EMAIL")
    }
    return {
        **os.environ,
        **identity,
        "COOKIECUTTER_CONFIG": str(config),
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_NOSYSTEM": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
        "UV_PYTHON_DOWNLOADS": "never",  # a Python that is missing here is not what a test is about
    }


@pytest.fixture(scope="session")
def run(environment: dict[str, str]) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Run a command; with `check` a failure shows everything that it printed."""

    def command(*words: str | Path, cwd: Path | None = None, check: bool = True) -> subprocess.CompletedProcess[str]:
        answer = subprocess.run(
            [str(word) for word in words],
            cwd=cwd,
            env=environment,
            capture_output=True,
            text=True,
            timeout=600,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        if check and answer.returncode:
            pytest.fail(f"{words} ended with {answer.returncode}\n{answer.stdout}\n{answer.stderr}")
        return answer

    return command


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, run: Callable[..., object]) -> Path:
    """The template as a clone would have it: what git tracks or would track, committed."""
    folder = tmp_path_factory.mktemp("source") / "durable-graph-template"
    for name in repository_files():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, folder / name)
    run("git", "init", "--quiet", "--initial-branch", "main", cwd=folder)
    run("git", "add", "--all", cwd=folder)
    run("git", "commit", "--quiet", "--message", "The template", cwd=folder)
    return folder


@pytest.fixture(scope="session")
def generate(template: Path, run: Callable[..., subprocess.CompletedProcess[str]]) -> Generate:
    """Generate a project with cookiecutter; returns its folder. Answers are keyword arguments."""

    def project(
        output: Path, *options: str, source: str | Path = template, cwd: Path | None = None, **answers: object
    ) -> Path:
        run(*cookiecutter(output, *options, source=source, **answers), cwd=cwd)
        (folder,) = output.iterdir()
        return folder

    return project


@pytest.fixture(scope="session")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the nox sessions of all projects keep their environments: each is installed once."""
    return tmp_path_factory.mktemp("environments")


@pytest.fixture(scope="session")
def project(generate: Generate, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project generated with the default answers. Do not change it."""
    return generate(tmp_path_factory.mktemp("suggested"))
