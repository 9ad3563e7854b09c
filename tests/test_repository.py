"""What the repository says about itself is true."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from nox.project import load_toml
from projects import ROOT, repository_files

GENERATED = ROOT / "{{cookiecutter.project_slug}}"


def text_of(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_ci_runs_exactly_the_test_command_of_the_readme() -> None:
    commands = ["pip install nox", "nox -s test"]

    assert "To run every test:\n\n" + "".join(f"    {command}\n" for command in commands) in text_of("README.md")
    assert [line for line in text_of(".ci/run").splitlines() if line and not line.startswith("#")] == [
        "set -eu",
        'cd "$(dirname "$0")/.."',
        *commands,
    ]


def test_ci_runs_the_runtime_and_the_commands_on_every_system() -> None:
    jobs = yaml.safe_load(text_of(".github/workflows/ci.yml"))["jobs"]
    commands = {name: [step["run"] for step in job["steps"] if "run" in step] for name, job in jobs.items()}

    assert commands["systems"][-1] == "nox -s test -- runtime/tests tests/test_user_path.py"
    assert {"windows-latest", "macos-latest"} <= set(jobs["systems"]["strategy"]["matrix"]["system"])
    assert "nox -s demo" in commands["demo"]  # it serves an app and talks to it
    assert {"windows-latest", "macos-latest"} <= set(jobs["demo"]["strategy"]["matrix"]["system"])
    assert set(jobs["pass"]["needs"]) == set(jobs) - {"pass"}


def test_every_supported_python_is_tested_and_offered() -> None:
    supported = re.findall(r"Python :: (3\.\d+)", text_of("runtime/pyproject.toml"))
    listed = subprocess.run(
        [sys.executable, "-m", "nox", "--list"], cwd=ROOT, capture_output=True, text=True, check=True
    )

    assert (
        yaml.safe_load(text_of(".github/workflows/ci.yml"))["jobs"]["test"]["strategy"]["matrix"]["python"] == supported
    )
    assert sorted(json.loads(text_of("cookiecutter.json"))["python_version"]) == sorted(supported)
    assert re.findall(r"(?m)^- pythons-(3\.\d+) -> ", listed.stdout) == supported


def test_the_lowest_versions_are_those_that_the_runtime_and_generated_projects_allow() -> None:
    declared = load_toml(ROOT / "runtime" / "pyproject.toml")["project"]["dependencies"]

    assert load_toml(ROOT / "pyproject.toml")["dependency-groups"]["runtime"] == declared
    assert f"dependencies = {json.dumps(declared)}" in (GENERATED / "pyproject.toml").read_text(encoding="utf-8")


def test_badges_lead_to_what_they_show() -> None:
    name = load_toml(ROOT / "runtime" / "pyproject.toml")["project"]["name"]
    template = json.loads(text_of("cookiecutter.json"))["template_url"]
    badges = re.findall(r"(?m)^\[!\[(.+?)\]\((\S+?)\)\]\((\S+?)\)$", text_of("README.md"))

    assert [badge for badge, _, _ in badges] == ["CI", "PyPI", "Python", "Licence: MIT"]
    assert badges[0][1:] == (f"{template}/actions/workflows/ci.yml/badge.svg", f"{template}/actions/workflows/ci.yml")
    assert badges[1][2] == f"https://pypi.org/project/{name}/"
    assert all(name in image for _, image, _ in badges[1:3])


def test_every_session_explains_itself() -> None:
    listed = subprocess.run(
        [sys.executable, "-m", "nox", "--list"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout

    sessions = dict(re.findall(r"^[*-] (\S+)(?: -> (.*))?$", listed, re.M))
    assert set(sessions) >= {"test", "lint", "sync", "demo", "mutants"}
    assert all(sessions.values()), sessions


@pytest.mark.parametrize("path", sorted((ROOT / ".github").glob("workflows/*.yml")), ids=lambda path: str(path.name))
def test_every_action_is_pinned_to_a_commit_with_its_version(path: Path) -> None:
    for line in path.read_text(encoding="utf-8").splitlines():
        if "uses:" in line:
            assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$", line), line


def test_the_changelog_tells_of_this_version() -> None:
    version = re.search(r'__version__ = "(.*)"', text_of("runtime/azure_functions_durable_graph/__init__.py"))

    assert version is not None
    assert f"## {version[1]}" in text_of("CHANGELOG.md")


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", "{{cookiecutter.project_slug}}/README.md", "docs/usage.md"]
)
def test_commands_in_the_readmes_work_in_every_shell(name: str) -> None:
    """PowerShell 5.1 knows no `&&` and no line that ends with a backslash; Windows resolves localhost to ::1 first."""
    text = text_of(name)

    assert "&&" not in text
    assert "localhost" not in text
    assert not re.search(r"\\$", text, re.MULTILINE)
    assert text.count("curl -X POST") == text.count("Invoke-RestMethod -Method Post")


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "{{cookiecutter.project_slug}}/README.md"])
def test_nox_can_be_had_where_pip_is_refused(name: str) -> None:
    """Debian's and Homebrew's Pythons refuse `pip install` (PEP 668)."""
    text = text_of(name)

    assert "pip install nox\n" in text
    assert "`pipx install nox`" in text
    assert "`uvx nox" in text


@pytest.mark.parametrize(
    "name", ["README.md", "CONTRIBUTING.md", *(f"docs/{p.name}" for p in (ROOT / "docs").glob("*.md"))]
)
def test_links_and_files_named_in_the_documents_exist(name: Any) -> None:
    text = text_of(name)

    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", text):
        if not target.startswith("http"):
            assert (ROOT / name).parent.joinpath(target).exists(), f"{name} links to {target}"
    for path in re.findall(r"`((?:runtime|tests|docs|hooks|benchmarks)/[\w./-]+)`", text):
        written = f"Write `{path}`" in text  # by the reader, as the document says
        assert written or (ROOT / path).exists() or (GENERATED / path).exists(), f"{name} names {path}"
    sessions = set(
        re.findall(r"^def (\w+)\(session", text_of("noxfile.py") + GENERATED.joinpath("noxfile.py").read_text(), re.M)
    )
    for words in re.findall(r"nox -s ([\w -]+)", text):
        for word in words.split(" -- ")[0].split():
            assert word.replace("-", "_") in sessions, f"{name} names the session {word}"


def test_no_file_names_a_path_of_somebodys_machine() -> None:
    for name in repository_files():
        if not name.endswith((".png", ".gz")):
            found = re.search(r"(?<![\w.$}~-])/(?:home|Users|root|work|farm)/\w+", text_of(name))
            assert found is None, name


def test_tests_of_one_group_run_in_one_process(tmp_path: Path) -> None:
    """They share environments that take minutes to install; pytest-xdist ignores groups if pytest is too new for it."""
    (tmp_path / "test_grouped.py").write_text(
        "import os, pathlib, pytest\n\n"
        "@pytest.mark.xdist_group('one')\n"
        "@pytest.mark.parametrize('number', range(6))\n"
        "def test_it(number):\n"
        "    pathlib.Path(f'{number}.txt').write_text(os.environ['PYTEST_XDIST_WORKER'])\n"
    )
    words = [sys.executable, "-m", "pytest", "-q", "-n", "2", "--dist", "loadgroup", "-p", "no:cacheprovider"]

    subprocess.run(words, cwd=tmp_path, capture_output=True, check=True)

    assert len({path.read_text() for path in tmp_path.glob("*.txt")}) == 1, "install pytest as pyproject.toml says"
