"""A project's sessions run on what Azure will run: the locked requirements, and its Python."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from projects import CHOICES


@pytest.fixture
def here(run: Any) -> Callable[..., Any]:
    """Run sessions of a project with this environment's tools, without installing anything."""
    path = f"PATH={Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def sessions(project: Path, *words: str, check: bool = True) -> Any:
        nox = ["env", path, sys.executable, "-m", "nox", "--no-venv", "--no-install", "-s"]
        return run(*nox, *words, cwd=project, check=check)

    return sessions


@pytest.mark.parametrize("slug", ["durable-graphs", "aaa", "zzz"])
def test_the_locked_requirements_are_those_of_pyproject_whatever_the_project_is_called(
    generate: Any, run: Any, tmp_path: Path, slug: str
) -> None:
    made = generate(tmp_path, project_slug=slug)
    uv = [sys.executable, "-m", "uv", "--offline", "--no-cache"]

    run(*uv, "lock", "--check", cwd=made)
    for name, options in {
        "requirements.txt": ["--no-default-groups"],
        "requirements-dev.txt": ["--all-groups"],
    }.items():
        words = ["export", "--frozen", "--no-header", "--no-emit-workspace", "--all-packages", "--quiet", *options]
        exported = run(*uv, *words, cwd=made).stdout.splitlines()
        written = (made / name).read_text().splitlines()
        assert sorted(written[1:]) == sorted(exported)
        assert written[0].startswith("# Written by `nox -s requirements` from uv.lock.")
        assert all("==" in line or line.lstrip().startswith(("#", "--hash=")) for line in written), (
            "pinned, with hashes"
        )


def test_what_is_pinned_is_for_every_python_of_the_prompt(project: Path) -> None:
    lines = (project / "requirements.txt").read_text().splitlines()
    pinned = [line.removesuffix(" \\") for line in lines if line.startswith("azure-functions==")]

    assert [re.sub(r"==(\d+)\S*", r"==\1", line) for line in pinned] == [
        "azure-functions==1 ; python_full_version < '3.13'",
        "azure-functions==2 ; python_full_version >= '3.13'",
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        ("pyproject.toml", '"pydantic>=2.11,<3"', '"pydantic>=2.12,<3"', "uv.lock"),
        ("pyproject.toml", '"pydantic>=2.11,<3"', '"pydantic>=2.11,<3", "no-such-package-anywhere"', "uv.lock"),
        ("uv.lock", 'specifier = ">=2.11,<3"', 'specifier = ">=2.11,<4"', "uv.lock"),
        ("requirements.txt", "pydantic==2", "pydantic==1", "requirements.txt"),
        ("requirements.txt", "--hash=sha256:0", "--hash=sha256:1", "requirements.txt"),
        ("requirements-dev.txt", "mypy==", "mypyy==", "requirements-dev.txt"),
    ],
)
def test_requirements_that_are_out_of_date_stop_lint_with_a_sentence(
    generate: Any, here: Any, tmp_path: Path, file: str, old: str, new: str, stale: str
) -> None:
    made = generate(tmp_path)
    text = (made / file).read_text()
    assert old in text
    (made / file).write_text(text.replace(old, new))

    stopped = here(made, "lint", check=False)

    assert stopped.returncode != 0
    assert f"{stale} is out of date; run `nox -s requirements` and commit" in stopped.stderr


def test_a_setting_of_uv_that_makes_it_disagree_with_the_lock_is_named(
    generate: Any, here: Any, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], tmp_path: Path
) -> None:
    monkeypatch.setitem(environment, "UV_EXCLUDE_NEWER", "2020-01-01")

    stopped = here(generate(tmp_path), "lint", check=False)

    assert "uv.lock is out of date" in stopped.stderr
    assert re.search(r"or the settings of uv in the environment \(.*\bUV_EXCLUDE_NEWER\b", stopped.stderr)


@pytest.mark.parametrize("wish", ["FORCE_COLOR", "CLICOLOR_FORCE"])
def test_a_wish_for_colours_is_none_for_the_list_of_requirements(
    generate: Any, here: Any, monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], tmp_path: Path, wish: str
) -> None:
    made = generate(tmp_path)
    written = made / "requirements-dev.txt"
    written.write_text(written.read_text().replace("mypy==", "mypyy=="))
    monkeypatch.setitem(environment, wish, "1")

    stopped = here(made, "lint", check=False)

    assert "requirements-dev.txt is out of date" in stopped.stderr
    assert "requirements.txt is out of date" not in stopped.stderr, "which was compared before, and is what uv says"


def test_a_session_says_when_it_does_not_run_on_the_python_of_azure(generate: Any, here: Any, tmp_path: Path) -> None:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    other = next(python for python in CHOICES["python_version"] if python != version)
    (tmp_path / "here").mkdir()
    (tmp_path / "other").mkdir()

    said = here(generate(tmp_path / "other", python_version=other), "lock", check=False).stderr
    silent = here(generate(tmp_path / "here", python_version=version), "lock", check=False).stderr

    assert f"This runs on Python {version}, but Azure will run {other} (.python-version)" in said
    assert f"Install Python {other}, or uv, which fetches it." in said
    assert "Azure will run" not in silent


@pytest.mark.parametrize(
    ("programs", "downloads", "expected"),
    [
        ([], "automatic", None),
        (["python3.9"], "automatic", "3.9"),
        (["uv"], "automatic", "3.9"),
        (["uv"], "never", None),
        (["broken python3.9"], "automatic", None),
    ],
    ids=["nothing", "installed", "uv fetches it", "uv may not", "a name without a program, as pyenv has them"],
)
def test_the_sessions_run_on_the_python_of_azure_where_it_can_be_had(
    generate: Any, run: Any, tmp_path: Path, programs: list[str], downloads: str, expected: str | None
) -> None:
    (tmp_path / "made").mkdir()
    made = generate(tmp_path / "made")
    (made / ".python-version").write_text("3.9\n")
    path = tmp_path / "path"
    path.mkdir()
    for program in programs:
        name = program.split()[-1]
        only = 'test "$2" = install' if name == "uv" else "true"
        (path / name).write_text(f"#!/bin/sh\n{'false' if program.startswith('broken') else only}\n")
        (path / name).chmod(0o755)
    code = "import noxfile; print(noxfile.python())"

    answer = run(
        "/usr/bin/env", f"PATH={path}", f"UV_PYTHON_DOWNLOADS={downloads}", sys.executable, "-c", code, cwd=made
    )

    assert answer.stdout.strip() == str(expected)


def test_the_checks_before_a_push_are_those_of_lint(project: Path) -> None:
    (repository,) = yaml.safe_load((project / ".pre-commit-config.yaml").read_text())["repos"]

    assert repository["repo"] == "local", "no second list of versions"
    assert [hook["entry"] for hook in repository["hooks"]] == ["nox -s lint"]
