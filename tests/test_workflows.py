"""The generated pipeline: every `run:` step of both workflows is executed in a generated project.

What needs Azure or an outside service is replaced by a stand-in: `pip-audit` (which asks a vulnerability service) by a
program that checks how it was called, and the deployed app by the local host.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from projects import ROOT
from systems import needs_bash

pytestmark = [pytest.mark.xdist_group("generated"), needs_bash]

WORKFLOWS = ROOT / "{{cookiecutter.project_slug}}" / ".github" / "workflows"


def steps() -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Every step with a command: its workflow, its job, and the step."""
    for path in sorted(WORKFLOWS.glob("*.yml")):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        for name, job in workflow["jobs"].items():
            for step in job["steps"]:
                if "run" in step:
                    yield path.name, name, {**step, "env": {**job.get("env", {}), **step.get("env", {})}}


STEPS = [pytest.param(*step, id=f"{step[0]} {step[1]}: {step[2]['run'][:50]}") for step in steps()]

VALUES = {
    "BASE": "HEAD",
    "RESULTS": "success success success success",
}
"""What GitHub would put in place of the expressions of a step's environment."""


@pytest.fixture(scope="module")
def checkout(generate: Any, run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated project as the runner would have it: committed."""
    folder: Path = generate(tmp_path_factory.mktemp("checkout"))
    run("git", "init", "--quiet", "--initial-branch", "main", cwd=folder)
    run("git", "add", "--all", cwd=folder)
    run("git", "commit", "--quiet", "--message", "The project", cwd=folder)
    return folder


@pytest.fixture(scope="module")
def commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Programs that come first on the path: nox and pip of this environment."""
    folder = tmp_path_factory.mktemp("commands")
    scripts = {
        "nox": f'exec "{sys.executable}" -m nox "$@"',
        "pip": f'exec "{sys.executable}" -m pip "$@"',
    }
    for name, text in scripts.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.parametrize(("workflow", "job", "step"), STEPS)
def test_the_step_runs(
    workflow: str, job: str, step: dict[str, Any], checkout: Path, commands: Path, environments: Path, tmp_path: Path
) -> None:
    environment = {
        **os.environ,
        **{name: VALUES.get(name, str(value)) for name, value in step["env"].items()},
        "PATH": f"{commands}{os.pathsep}{os.environ['PATH']}",
        "NOXENVDIR": "",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
    }
    command = step["run"].replace("nox ", f"nox --envdir {environments} ")
    with _edges(command, environment, checkout, tmp_path, environments) as stubbed:
        answer = subprocess.run(
            ["bash", "-e", "-o", "pipefail", "-c", command],
            cwd=checkout,
            env=stubbed,
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )

    assert answer.returncode == 0, answer.stdout + answer.stderr


class _edges:  # noqa: N801 - reads as a function
    """Stand-ins for what is outside: a served app for the smoke test, a program for pip-audit."""

    def __init__(
        self, command: str, environment: dict[str, str], project: Path, folder: Path, environments: Path
    ) -> None:
        self.command, self.environment, self.project = command, dict(environment), project
        self.folder, self.environments = folder, environments
        self.process: subprocess.Popen[str] | None = None

    def __enter__(self) -> dict[str, str]:
        if "APP_URL" in self.environment and "curl" in self.command:
            self.environment["APP_URL"] = self._serve()
        if "audit" in self.command:
            self._stub_audit()
        return self.environment

    def __exit__(self, *_: object) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.communicate()

    def _serve(self) -> str:
        words = [sys.executable, "-m", "azure_functions_durable_graph", "serve", "--port", "0", "--memory"]
        self.process = subprocess.Popen(
            words, cwd=self.project, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self.process.stdout is not None
        found = re.search(r"http://[\w.:]+", self.process.stdout.readline())
        assert found is not None
        return found.group()

    def _stub_audit(self) -> None:
        """A package called pip-audit, so that the session's own install and call are real."""
        package = self.folder / "stub"
        (package / "pip_audit_stub").mkdir(parents=True)
        (package / "pip_audit_stub" / "__init__.py").write_text(
            "import pathlib, sys\n"
            "def main():\n"
            "    assert sys.argv[1:3] == ['-r', 'requirements.txt'] and pathlib.Path('requirements.txt').exists()\n"
        )
        (package / "pyproject.toml").write_text(
            '[build-system]\nrequires = ["setuptools"]\nbuild-backend = "setuptools.build_meta"\n'
            '[project]\nname = "pip-audit"\nversion = "2.99"\n'
            '[project.scripts]\npip-audit = "pip_audit_stub:main"\n'
        )
        wheels = self.folder / "wheels"
        words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), str(package)]
        subprocess.run(words, check=True, capture_output=True)
        self.environment |= {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels)}


def test_every_step_with_a_command_is_executed_above() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS.glob("*.yml"))

    assert len(STEPS) == len(re.findall(r"^ +(?:- )?run: ", text, re.MULTILINE))


def test_a_failed_job_fails_the_one_required_check() -> None:
    (step,) = [step for name, job, step in steps() if (name, job) == ("ci.yml", "pass")]

    answer = subprocess.run(["bash", "-e", "-c", step["run"]], env={"RESULTS": "success failure"}, check=False)

    assert answer.returncode != 0


def test_the_required_check_needs_every_other_job() -> None:
    jobs = yaml.safe_load((WORKFLOWS / "ci.yml").read_text())["jobs"]

    assert set(jobs["pass"]["needs"]) == set(jobs) - {"pass"}


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: str(path.name))
def test_a_workflow_asks_for_the_least_and_is_rendered_verbatim(project: Path, path: Path) -> None:
    workflow = yaml.safe_load(path.read_text())
    assert workflow["permissions"] == {}
    assert all("timeout-minutes" in job for job in workflow["jobs"].values())
    assert (project / ".github" / "workflows" / path.name).read_bytes() == path.read_bytes()
    for line in path.read_text().splitlines():
        if "uses:" in line:
            assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$", line), line


def test_only_the_job_that_deploys_can_get_a_token() -> None:
    jobs = yaml.safe_load((WORKFLOWS / "deploy.yml").read_text())["jobs"]

    assert [name for name, job in jobs.items() if "id-token" in job["permissions"]] == ["deploy"]
    assert jobs["deploy"]["environment"] == "production"
    assert "secrets." not in (WORKFLOWS / "deploy.yml").read_text()
