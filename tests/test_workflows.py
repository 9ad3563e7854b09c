"""The generated pipeline: every `run:` step of `ci.yml` and `deploy.yml` is executed in a generated project.

What needs an outside service is replaced at the command's edge: `pip-audit` (asks a vulnerability service) by a program
that notes how it was called. `tests/test_deployment.py` executes the steps of `deploy-to.yml`.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import test_deployment
from pipeline import WORKFLOWS, Runner, commands, programs, workflow
from systems import needs_bash

pytestmark = [pytest.mark.xdist_group("generated"), needs_bash]

STEPS = [
    pytest.param(step, id=f"{path.name} {job}: {step['run'][:50]}")
    for path in sorted(WORKFLOWS.glob("*.yml"))
    if path.name != "deploy-to.yml"
    for job in workflow(path.name)["jobs"]
    for step in commands(path.name, job)
]

VALUES = {
    "BASE": "HEAD",
    "APP": "durable-graphs",
    "PART": "durable-graphs",
    "CHANGES": "success",
    "RESULTS": "success success skipped success",
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


@pytest.fixture
def runner(checkout: Path, environments: Path, tmp_path: Path) -> Runner:
    return Runner(checkout, programs(tmp_path / "programs"), tmp_path, f"--envdir '{environments}'")


@pytest.mark.parametrize("step", STEPS)
def test_the_step_runs(step: dict[str, Any], runner: Runner, tmp_path: Path) -> None:
    if "audit" in step["run"]:
        runner.environment |= stub_of_pip_audit(tmp_path)

    answer = runner.run(step, **{name: value for name, value in VALUES.items() if name in step["env"]})

    assert answer.returncode == 0, answer.stdout + answer.stderr
    if "environments" in step.get("id", ""):
        assert json.loads(runner.outputs["steps.environments.outputs.list"]) == ["production"]


def stub_of_pip_audit(folder: Path) -> dict[str, str]:
    """A package called pip-audit, so that the session's own install and call are real; returns where it is found."""
    package = folder / "stub"
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
    wheels = folder / "wheels"
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", str(wheels), str(package)]
    subprocess.run(words, check=True, capture_output=True)
    places = {"NO_INDEX": "1", "FIND_LINKS": str(wheels)}
    return {f"{tool}_{name}": value for tool in ("PIP", "UV") for name, value in places.items()}


def test_every_step_with_a_command_is_executed_here_or_in_the_tests_of_a_deployment() -> None:
    text = "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS.glob("*.yml"))

    executed = len(STEPS) + len(test_deployment.GATE) + len(test_deployment.DEPLOY)
    assert executed == len(re.findall(r"^ +(?:- )?run: ", text, re.MULTILINE))


def test_a_failed_job_fails_the_one_required_check() -> None:
    (step,) = commands("ci.yml", "pass")

    def ended(changes: str, results: str) -> int:
        environment = {**os.environ, "CHANGES": changes, "RESULTS": results}
        return subprocess.run(["bash", "-e", "-c", step["run"]], env=environment, check=False).returncode

    assert ended("success", "success success failure") != 0
    assert ended("success", "success success cancelled") != 0
    assert ended("success", "success success skipped") == 0, "nothing that it checks has changed"
    assert ended("skipped", "skipped success skipped") != 0, "then it is not known what has changed"


def test_the_required_check_needs_every_other_job() -> None:
    jobs = workflow("ci.yml")["jobs"]

    assert set(jobs["pass"]["needs"]) == set(jobs) - {"pass"}


@pytest.mark.parametrize("path", sorted(WORKFLOWS.glob("*.yml")), ids=lambda path: str(path.name))
def test_a_workflow_asks_for_the_least_and_is_rendered_verbatim(project: Path, path: Path) -> None:
    loaded = workflow(path.name)
    assert loaded["permissions"] == {}
    assert all("timeout-minutes" in job or job["uses"].startswith("./") for job in loaded["jobs"].values())
    assert (project / ".github" / "workflows" / path.name).read_bytes() == path.read_bytes()
    for line in path.read_text().splitlines():
        if "uses:" in line and "uses: ./" not in line:
            assert re.search(r"uses: [\w./-]+@[0-9a-f]{40} # v\d+(\.\d+)*$", line), line


def test_only_the_job_that_deploys_can_get_a_token() -> None:
    tokens = {
        f"{path.name} {name}"
        for path in WORKFLOWS.glob("*.yml")
        for name, job in workflow(path.name)["jobs"].items()
        if "id-token" in job.get("permissions", {})
    }

    assert tokens == {"deploy.yml staging", "deploy.yml production", "deploy-to.yml deploy"}
    assert all("secrets." not in path.read_text() for path in WORKFLOWS.glob("*.yml"))


def test_production_waits_for_staging_and_each_is_deployed_to_its_own_environment() -> None:
    jobs = workflow("deploy.yml")["jobs"]

    assert jobs["production"]["needs"] == ["package", "staging"]
    for name in ("staging", "production"):
        assert jobs[name]["uses"] == "./.github/workflows/deploy-to.yml"
        assert jobs[name]["with"]["environment"] == name
    assert workflow("deploy-to.yml")["jobs"]["deploy"]["environment"] == "${{ inputs.environment }}"
    assert workflow("deploy-to.yml")["jobs"]["deploy"]["needs"] == "graphs"
