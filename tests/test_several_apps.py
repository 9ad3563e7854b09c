"""One repository, several apps, as docs/monorepo.md tells it: generate, add an app and a library, use it in both."""

from __future__ import annotations

import json
import os
import re
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from pipeline import Runner, commands, programs
from projects import ROOT, files_of
from systems import needs_bash
from test_deployment import COMPARE, FETCH, PRODUCTION

from azure_functions_durable_graph.commands.new_app import app_files
from azure_functions_durable_graph.commands.workspace import App

pytestmark = pytest.mark.xdist_group("generated")

FIRST, SECOND, LIBRARY = "durable-graphs", "billing", "pricing"

ONLY_THIS_APP = """
import json, sys
sys.path[:] = [path for path in sys.path if path not in ("", {root!r})]
sys.path.insert(0, {staged!r})
import function_app
import pricing
graphs = [graph.graph_name for graph in function_app.runtime.registry.defaults()]
names = [function.get_function_name() for function in function_app.app.get_functions()]
print(json.dumps([graphs, pricing.__file__, "durable_graph_run" in names]))
"""


@pytest.fixture(scope="module")
def nox(run: Any, environments: Path) -> Callable[..., Any]:
    def sessions(project: Path, *words: str, check: bool = True) -> Any:
        return run(sys.executable, "-m", "nox", "--envdir", environments, "-s", *words, cwd=project, check=check)

    return sessions


@pytest.fixture(scope="module")
def git(run: Any) -> Callable[..., str]:
    def command(project: Path, *words: str) -> str:
        return str(run("git", *words, cwd=project).stdout).strip()

    return command


def commit(git: Callable[..., str], project: Path, message: str) -> str:
    git(project, "add", "--all")
    git(project, "commit", "--quiet", "--message", message)
    return git(project, "rev-parse", "HEAD")


def use_the_library(graph: Path) -> None:
    text = graph.read_text()
    used = text.replace(
        "\nfrom azure_functions_durable_graph", "\nimport pricing\nfrom azure_functions_durable_graph", 1
    )
    graph.write_text(used.replace("\nbuilder =", '\nassert pricing.example(" a ") == "a"\nbuilder =', 1))


@pytest.fixture(scope="module")
def grown(
    generate: Any, run: Any, nox: Callable[..., Any], git: Callable[..., str], tmp_path_factory: pytest.TempPathFactory
) -> Path:
    """The path of a user, up to a repository with two apps that use one library."""
    project: Path = generate(tmp_path_factory.mktemp("several"))
    git(project, "init", "--quiet", "--initial-branch", "main")
    commit(git, project, "The project")
    git(project, "tag", "one-app")

    assert "the move, and nothing else, is staged in git" in nox(project, "new-app", "--", SECOND).stdout
    git(project, "commit", "--quiet", "--message", "The app moves")
    git(project, "tag", "moved")
    commit(git, project, "A second app")
    git(project, "tag", "two-apps")
    nox(project, "new-graph", "--", "invoice", "--app", SECOND)
    nox(project, "new-lib", "--", LIBRARY)
    use_the_library(project / "apps" / SECOND / "graphs" / "invoice.py")
    use_the_library(project / "apps" / FIRST / "graphs" / "order_flow.py")
    nox(project, "lock")
    commit(git, project, "A library")
    return project


def test_both_apps_and_the_library_pass_their_tests_and_checks(grown: Path, nox: Callable[..., Any]) -> None:
    told = nox(grown, "test", "lint").stderr

    assert "Session test was successful" in told
    assert "Session lint was successful" in told
    assert [told.count(f"cd {grown / part}\n") for part in (f"apps/{FIRST}", f"apps/{SECOND}", f"libs/{LIBRARY}")] == [
        2,
        2,
        2,
    ], "pytest and mypy have been in each"


def test_the_history_shows_the_growth_as_a_move(grown: Path, git: Callable[..., str]) -> None:
    moved = git(grown, "diff", "--name-status", "--find-renames", "one-app", "moved").splitlines()
    added = git(grown, "diff", "--name-status", "moved", "two-apps").splitlines()

    assert all(re.fullmatch(rf"R100\t(.+)\tapps/{FIRST}/\1", line) for line in moved)
    assert {line.split("\t")[1] for line in moved} >= {"function_app.py", "graphs.lock.json", "tests/test_app.py"}
    assert {line for line in added if line[0] != "A"} == {"M\tazure.yaml", "M\tinfra/main.parameters.json"}


def test_each_app_is_staged_with_what_it_imports_and_loads_by_itself(
    grown: Path, run: Any, nox: Callable[..., Any], tmp_path: Path
) -> None:
    nox(grown, "package")

    for app, graph in {FIRST: "order_flow", SECOND: "invoice"}.items():
        staged = tmp_path / app
        shutil.copytree(grown / "dist" / app, staged)
        assert sorted(path.name for path in staged.iterdir()) == [
            "azure_functions_durable_graph",
            "function_app.py",
            "graphs",
            "graphs.lock.json",
            "host.json",
            "pricing",
            "requirements.txt",
        ]
        code = ONLY_THIS_APP.format(staged=str(staged), root=str(ROOT / "runtime"))
        graphs, library, loaded = json.loads(run(sys.executable, "-c", code, cwd=staged).stdout)
        assert graph in graphs
        assert Path(library).is_relative_to(staged)
        assert loaded
        assert (staged / "requirements.txt").read_text().splitlines()[1:] == [
            line for line in (grown / "requirements.txt").read_text().splitlines()[1:] if "#" not in line
        ], "neither has dependencies of its own"


def test_a_changed_library_is_a_change_of_both_apps_and_a_changed_app_of_itself(grown: Path, run: Any) -> None:
    def changed(file: Path) -> Any:
        text = file.read_text()
        file.write_text(f"{text}\nX = 1\n")
        words = [sys.executable, "-m", "azure_functions_durable_graph", "apps", "--json", "--since", "HEAD"]
        found = json.loads(run(*words, cwd=grown).stdout)
        file.write_text(text)
        return found

    library = grown / "libs" / LIBRARY / "src" / LIBRARY / "__init__.py"
    assert changed(library) == {"apps": [SECOND, FIRST], "libs": [LIBRARY]}
    assert changed(grown / "apps" / SECOND / "graphs" / "invoice.py") == {"apps": [SECOND], "libs": []}
    assert changed(grown / "azure_functions_durable_graph" / "errors.py")["apps"] == [SECOND, FIRST]


def test_the_sessions_know_the_apps(grown: Path, nox: Callable[..., Any]) -> None:
    one = nox(grown, "test", "--", SECOND, "-q")
    wrong = nox(grown, "new-graph", "--", "another", check=False)

    assert f"cd {grown}/apps/{SECOND}" in one.stderr
    assert f"cd {grown}/apps/{FIRST}" not in one.stderr
    assert "this project has several apps; name one with --app (billing, durable-graphs)" in wrong.stderr + wrong.stdout


def test_the_demo_still_runs_where_its_app_has_gone(grown: Path, run: Any) -> None:
    path = f"PYTHONPATH={os.pathsep.join([str(grown), str(grown / 'libs' / LIBRARY / 'src')])}"
    demo = grown / "apps" / FIRST / "demo.py"

    answer = run("env", path, sys.executable, demo, "--python", sys.executable, cwd=grown)

    assert "All 6 runs ended as they should." in answer.stdout


def test_the_infrastructure_and_azd_list_both(grown: Path) -> None:
    parameters = json.loads((grown / "infra" / "main.parameters.json").read_text())["parameters"]
    services = yaml.safe_load((grown / "azure.yaml").read_text())["services"]

    assert parameters["apps"]["value"] == [FIRST, SECOND]
    assert {name: service["project"] for name, service in services.items()} == {
        FIRST: f"dist/{FIRST}",
        SECOND: f"dist/{SECOND}",
    }


def test_a_new_app_is_what_the_template_generates_without_samples(generate: Any, tmp_path: Path) -> None:
    made = generate(tmp_path, include_samples=False)

    files = {name: text.encode() for name, text in app_files(App(made.name, made), "billing").items()}

    generated = files_of(made)
    settings = {"local.settings.json", "local.settings.example.json"}
    assert {name: text for name, text in files.items() if name not in settings} == {
        name: generated[name] for name in files if name not in settings
    }
    assert {name for name in generated if name.startswith(("tests/", "graphs/"))} <= set(files)
    for name in settings:
        assert files[name] == generated[name].replace(b"durablegraphslocal", b"billinglocal")


def test_uv_installs_the_libraries_too(grown: Path, run: Any, tmp_path: Path) -> None:
    words = ["env", f"UV_PROJECT_ENVIRONMENT={tmp_path / 'venv'}", sys.executable, "-m", "uv", "run", "--locked"]

    answer = run(
        *words, "--all-packages", "python", "-c", "import pricing, pydantic; print(pricing.__file__)", cwd=grown
    )

    assert answer.stdout.strip() == str(grown / "libs" / LIBRARY / "src" / LIBRARY / "__init__.py")


@needs_bash
def test_a_deployment_is_one_of_the_apps_that_differ_from_what_is_deployed_of_them(
    grown: Path, git: Callable[..., str], tmp_path: Path
) -> None:
    checkout = tmp_path / "checkout"
    git(tmp_path, "clone", "--quiet", str(grown), str(checkout))
    runner = Runner(checkout, programs(tmp_path / "programs"), tmp_path, "--no-venv --no-install")

    def gate(**deployed: str) -> tuple[list[str], int]:
        for left in tmp_path.glob("*.lock.json"):
            left.unlink()
        (tmp_path / "apps.txt").unlink(missing_ok=True)
        nodes = {
            f"production/{app.replace('_', '-')}": [{"state": "ACTIVE", "commitOid": git(grown, "rev-parse", revision)}]
            for app, revision in deployed.items()
        }
        runner.environment["DEPLOYMENTS"] = json.dumps(nodes)
        found = runner.run(FETCH, PRODUCTION)
        assert found.returncode == 0, found.stdout + found.stderr
        compared = runner.run(COMPARE, PRODUCTION)
        return json.loads(runner.outputs["steps.deployed.outputs.apps"]), compared.returncode

    assert gate() == ([SECOND, FIRST], 0)
    assert gate(durable_graphs="HEAD", billing="HEAD") == ([], 0)
    assert gate(durable_graphs="HEAD") == ([SECOND], 0)
    assert gate(durable_graphs="one-app", billing="two-apps") == ([SECOND, FIRST], 0)

    graph = checkout / "apps" / FIRST / "graphs" / "order_flow.py"
    graph.write_text(graph.read_text().replace("    order_id: str\n", "    order_id: str\n    region: str\n"))
    assert gate(durable_graphs="one-app", billing="HEAD")[0] == [FIRST]
    assert gate(durable_graphs="one-app", billing="HEAD")[1] != 0, "it is compared with the lock that was at the root"


def test_the_pipeline_runs_a_matrix_over_what_has_changed(grown: Path, tmp_path: Path) -> None:
    (changes,) = [step for step in commands("ci.yml", "changes") if step.get("id") == "changes"]
    runner = Runner(grown, programs(tmp_path / "programs"), tmp_path, "--no-venv --no-install")

    answer = runner.run(changes, BASE="two-apps")

    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert json.loads(runner.outputs["steps.changes.outputs.apps"]) == [SECOND, FIRST]
    assert json.loads(runner.outputs["steps.changes.outputs.parts"]) == [SECOND, FIRST, LIBRARY]
