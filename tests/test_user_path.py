"""The user's path, in the order of docs/versioning.md.

Generate, commit, add a graph, change it safely, make a breaking change that is refused, give it a new version, and
update from an older template.
"""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from projects import files_of

from azure_functions_durable_graph.commands.vendored import RECORD, record_of

pytestmark = pytest.mark.xdist_group("generated")


@pytest.fixture
def nox(run: Any, environments: Path) -> Callable[..., Any]:
    """Run sessions in a project, in the environments that all projects share."""

    def sessions(project: Path, *words: str, check: bool = True) -> Any:
        return run(sys.executable, "-m", "nox", "--envdir", environments, "-s", *words, cwd=project, check=check)

    return sessions


def replaced(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def committed(run: Any, project: Path, message: str) -> None:
    run("git", "add", "--all", cwd=project)
    run("git", "commit", "--quiet", "--allow-empty", "--message", message, cwd=project)


@pytest.fixture(scope="module")
def older_template(template: Path, run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template with a history: version 0.0.9, tagged, and then this one."""
    folder = tmp_path_factory.mktemp("history") / "template"
    run("git", "clone", "--quiet", template, folder)
    mirror = folder / "{{cookiecutter.project_slug}}"
    package = mirror / "azure_functions_durable_graph"
    now = (package / "__init__.py").read_text()
    record = (mirror / "runtime.lock.json").read_text()
    (package / "__init__.py").write_text(now.replace('__version__ = "0.1.0"', '__version__ = "0.0.9"'))
    (package / "old_module.py").write_text('"""A module that the next version drops."""\n')
    replaced(mirror / "README.md", "Each file in `graphs/` is a graph", "Every file in `graphs/` is a graph")
    replaced(mirror / "function_app.py", "so does the local host.", "the local host, too.")
    (mirror / RECORD).write_text(record_of(package).to_text())
    committed(run, folder, "0.0.9")
    run("git", "tag", "v0.0.9", cwd=folder)
    (package / "__init__.py").write_text(now)
    (package / "old_module.py").unlink()
    (mirror / "runtime.lock.json").write_text(record)
    replaced(mirror / "README.md", "Every file in `graphs/` is a graph", "Each file in `graphs/` is a graph")
    replaced(mirror / "function_app.py", "the local host, too.", "so does the local host.")
    committed(run, folder, "0.1.0")
    run("git", "tag", "v0.1.0", cwd=folder)
    return folder


def test_the_path_of_a_user(older_template: Path, run: Any, nox: Callable[..., Any], tmp_path: Path) -> None:
    # Generate from the older template, with git.
    cruft = [sys.executable, "-m", "cruft"]
    run(*cruft, "create", "--no-input", "--checkout", "v0.0.9", "--output-dir", tmp_path, older_template)
    (project,) = tmp_path.iterdir()
    run("git", "init", "--quiet", "--initial-branch", "main", cwd=project)
    committed(run, project, "The project")

    # Add a graph; it comes with a test and its entry in the lock.
    nox(project, "new-graph", "--", "invoice_approval")
    graph = project / "graphs" / "invoice_approval.py"
    lock = json.loads((project / "graphs.lock.json").read_text())
    assert "invoice_approval" in lock["graphs"]
    nox(project, "test", "lint")
    committed(run, project, "A graph")

    # Until it is pushed, it is a draft: a change that runs would not survive is none of anybody's business.
    replaced(graph, "    subject: str\n", "    topic: str\n")
    assert "invoice_approval, version 1: new" in nox(project, "lock").stdout
    replaced(graph, "    topic: str\n", "    subject: str\n")
    nox(project, "lock")
    run("git", "update-ref", "refs/remotes/origin/main", "main", cwd=project)  # what a push does here

    # Change it harmlessly: the lock wants to be renewed, says why it is safe, and passes.
    replaced(graph, "    done: bool = False\n", "    done: bool = False\n    amount: int = 0\n")
    stopped = nox(project, "lint", check=False)
    assert stopped.returncode != 0
    assert "✓ safe: state.amount is new, with a default" in stopped.stdout
    nox(project, "lock")
    nox(project, "lint")
    committed(run, project, "A field more")

    # Change it dangerously, and be stopped.
    replaced(graph, "    subject: str\n", "    topic: str\n")
    stopped = nox(project, "lock", check=False)
    assert stopped.returncode != 0
    assert "✗ needs a new version: state.subject was removed" in stopped.stdout
    assert "Give the graph a new version" in stopped.stdout

    # Bump the version, and pass.
    replaced(graph, 'version="1"', 'version="2"')
    replaced(project / "tests" / "test_invoice_approval.py", '{"subject":', '{"topic":')
    assert "version 1 is no longer registered" in nox(project, "lock").stdout
    nox(project, "test", "lint")
    assert nox(project, "lock", "--", "--check", "--base", "HEAD").returncode == 0
    committed(run, project, "Version 2")

    # Update from the older template: the runtime and the README follow, the graphs are untouched.
    mine = {path.name: path.read_bytes() for path in (project / "graphs").glob("*.py")}
    lock_text = (project / "graphs.lock.json").read_bytes()
    run(*cruft, "update", "--skip-apply-ask", "--allow-untracked-files", cwd=project)
    assert not list(project.rglob("*.rej"))
    assert run("git", "ls-files", "--unmerged", cwd=project).stdout == ""
    assert '__version__ = "0.1.0"' in (project / "azure_functions_durable_graph" / "__init__.py").read_text()
    assert not (project / "azure_functions_durable_graph" / "old_module.py").exists()
    assert "Each file in `graphs/`" in (project / "README.md").read_text()
    assert {path.name: path.read_bytes() for path in (project / "graphs").glob("*.py")} == mine
    assert (project / "graphs.lock.json").read_bytes() == lock_text
    nox(project, "test", "lint")


@pytest.fixture
def older_project(older_template: Path, generate: Any, tmp_path: Path) -> Path:
    """A project of version 0.0.9, made without cruft."""
    project: Path = generate(
        tmp_path, "--checkout", "v0.0.9", source=f"git+file://{older_template}", template_url=str(older_template)
    )
    return project


def test_the_runtime_alone_can_be_updated(older_project: Path, nox: Callable[..., Any]) -> None:
    mine = (older_project / "graphs" / "order_flow.py").read_bytes()

    told = nox(older_project, "update-runtime", "--", "v0.1.0").stdout

    assert "the vendored runtime was updated from 0.0.9 to 0.1.0" in told
    assert "## 0.1.0" in told
    assert not (older_project / "azure_functions_durable_graph" / "old_module.py").exists()
    assert (older_project / "graphs" / "order_flow.py").read_bytes() == mine
    assert "already" in nox(older_project, "update-runtime", "--", "v0.1.0").stdout
    nox(older_project, "test", "lint")


COMMAND = (sys.executable, "-m", "azure_functions_durable_graph")


def grow(run: Any, project: Path) -> dict[str, bytes]:
    """Add an app and a library, and commit; gives every file that is now the user's own."""
    run("git", "init", "--quiet", "--initial-branch", "main", cwd=project)
    committed(run, project, "The project")
    run(*COMMAND, "new-app", "billing", cwd=project)
    run(*COMMAND, "new-lib", "pricing", cwd=project)
    committed(run, project, "Another app")
    return {name: content for name, content in files_of(project).items() if name.startswith(("apps/", "libs/"))}


def check_that_it_is_updated(run: Any, project: Path, mine: dict[str, bytes]) -> None:
    assert '__version__ = "0.1.0"' in (project / "azure_functions_durable_graph" / "__init__.py").read_text()
    assert not (project / "azure_functions_durable_graph" / "old_module.py").exists()
    assert {name: content for name, content in files_of(project).items() if name.startswith(("apps/", "libs/"))} == mine
    assert run(*COMMAND, "apps", cwd=project).stdout.count("app  ") == 2
    assert "has not been modified" in run(*COMMAND, "verify", cwd=project).stdout
    for app in (project / "apps").iterdir():
        run(*COMMAND, "lock", app, "--check", cwd=project)


def test_the_runtime_of_several_apps_is_updated_for_all(older_project: Path, older_template: Path, run: Any) -> None:
    mine = grow(run, older_project)

    run(*COMMAND, "update-runtime", "--template", older_template, "v0.1.0", cwd=older_project)

    check_that_it_is_updated(run, older_project, mine)


def test_an_update_of_the_template_leaves_several_apps_where_they_are(
    older_template: Path, run: Any, tmp_path: Path
) -> None:
    cruft = [sys.executable, "-m", "cruft"]
    run(*cruft, "create", "--no-input", "--checkout", "v0.0.9", "--output-dir", tmp_path, older_template)
    (project,) = tmp_path.iterdir()
    mine = grow(run, project)

    run(*cruft, "update", "--skip-apply-ask", "--allow-untracked-files", cwd=project)

    assert not list(project.rglob("*.rej"))
    assert "Each file in `graphs/`" in (project / "README.md").read_text()
    assert not (project / "function_app.py").exists(), "it has moved, and is the user's own now"
    assert '"value": ["durable-graphs", "billing"]' in (project / "infra" / "main.parameters.json").read_text()
    check_that_it_is_updated(run, project, mine)


def test_a_runtime_that_was_edited_is_not_replaced(older_project: Path, nox: Callable[..., Any]) -> None:
    edited = older_project / "azure_functions_durable_graph" / "graph" / "names.py"
    edited.write_text(edited.read_text() + "# mine\n")
    (older_project / "azure_functions_durable_graph" / "extra.py").write_text("")

    refused = nox(older_project, "update-runtime", "--", "v0.1.0", check=False)
    stopped = nox(older_project, "lint", check=False)

    assert refused.returncode != 0
    assert "names.py was edited" in refused.stderr + refused.stdout
    assert "extra.py was added" in stopped.stderr + stopped.stdout
    assert '__version__ = "0.0.9"' in (older_project / "azure_functions_durable_graph" / "__init__.py").read_text()


@pytest.mark.parametrize(
    ("revision", "text"),
    [("v9.9.9", "cannot be fetched"), (None, "it is not this template")],
    ids=["tag", "repository"],
)
def test_a_template_that_is_not_there_changes_nothing(
    older_project: Path, run: Any, tmp_path: Path, revision: str | None, text: str
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    run("git", "init", "--quiet", cwd=other)
    committed(run, other, "Another repository")
    template = other if revision is None else shutil.which("git")
    command = [sys.executable, "-m", "azure_functions_durable_graph", "update-runtime", "--template", template]

    answer = run(*command, *([revision] if revision else []), cwd=older_project, check=False)

    assert answer.returncode == 1
    assert text in answer.stderr
    assert "Traceback" not in answer.stderr


@pytest.mark.parametrize("name", ["1st", "a b", "class", "../x", "order_flow"])
def test_a_graph_that_cannot_be_added_changes_nothing(project: Path, run: Any, name: str) -> None:
    before = sorted((project / "graphs").iterdir())

    answer = run(sys.executable, "-m", "azure_functions_durable_graph", "new-graph", name, cwd=project, check=False)

    assert answer.returncode == 1
    assert answer.stderr.startswith("error: ")
    assert sorted((project / "graphs").iterdir()) == before


@pytest.mark.parametrize("name", ["a", "customer_onboarding_approval", "a-Long_name" + "-x" * 24, "z" * 60])
def test_a_new_graph_passes_lint_whatever_the_length_of_its_name(
    generate: Any, run: Any, tmp_path: Path, name: str
) -> None:
    project = generate(tmp_path)
    run(sys.executable, "-m", "azure_functions_durable_graph", "new-graph", name, cwd=project)

    for check in (["check"], ["format", "--check"]):
        run(sys.executable, "-m", "ruff", *check, "--no-cache", "graphs", "tests", cwd=project)
