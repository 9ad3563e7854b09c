"""`nox -s package` stages everything that Azure needs, and nothing else."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.xdist_group("generated")

LAPTOP = {"commands", "host", "remote", "client.py", "testing.py", "hosting.py", "fixtures.py", "__main__.py"}

BESIDE_GRAPHS = ("demo.py", "prompts/triage.md", "infra/__init__.py", "tests/__init__.py", "dist/__init__.py")
"""Files of graphs that have the names of what is not deployed at the root."""

LOADED = """
import importlib, json, pkgutil
import azure_functions_durable_graph as runtime
import function_app

modules = [info.name for info in pkgutil.walk_packages(runtime.__path__, runtime.__name__ + ".")]
for name in modules:
    importlib.import_module(name)
functions = [function.get_function_name() for function in function_app.app.get_functions()]
graphs = [graph.graph_name for graph in function_app.runtime.registry.defaults()]
print(json.dumps({"functions": functions, "graphs": graphs, "modules": len(modules)}))
"""


@pytest.fixture(scope="module")
def project(generate: Any, run: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A generated project with a module of the user's own, staged."""
    folder: Path = generate(tmp_path_factory.mktemp("package"))
    (folder / "pricing").mkdir()
    (folder / "pricing" / "__init__.py").write_text("RATE = 0.2\n")
    (folder / ".env").write_text("SECRET=1\n")
    (folder / "docs" / "calls").mkdir(parents=True)
    (folder / "docs" / "calls" / "on.md").write_text("")
    for name in BESIDE_GRAPHS:
        (folder / "graphs" / name).parent.mkdir(exist_ok=True)
        (folder / "graphs" / name).write_text("")
    run(sys.executable, "-m", "nox", "-s", "package", cwd=folder)
    return folder


def test_the_app_and_the_users_own_modules_are_staged_and_nothing_else(project: Path) -> None:
    assert sorted(path.name for path in (project / "dist" / "durable-graphs").iterdir()) == [
        "azure_functions_durable_graph",
        "function_app.py",
        "graphs",
        "graphs.lock.json",
        "host.json",
        "pricing",
        "requirements.txt",
    ]


def test_beside_the_graphs_a_file_is_staged_whatever_its_name(project: Path) -> None:
    graphs = project / "dist" / "durable-graphs" / "graphs"

    assert [name for name in BESIDE_GRAPHS if not (graphs / name).exists()] == []


def test_the_parts_of_the_runtime_for_a_laptop_stay_there(project: Path) -> None:
    names = {path.name for path in (project / "dist" / "durable-graphs" / "azure_functions_durable_graph").iterdir()}

    assert not names & LAPTOP
    assert {"graph", "declare", "run", "work", "history", "change", "http", "calls", "azure", "py.typed"} <= names


def test_the_studio_is_staged_with_its_static_files_and_their_licences(project: Path) -> None:
    studio = project / "dist" / "durable-graphs" / "azure_functions_durable_graph" / "studio"
    static = {path.relative_to(studio).as_posix() for path in studio.rglob("*") if path.is_file()}

    assert {"files.py", "static/index.html", "static/style.css", "static/app.js"} <= static
    assert {"static/vendor/dagre.js", "static/vendor/VENDORED.txt"} <= static


def test_staging_again_leaves_nothing_of_the_time_before(project: Path, run: Any) -> None:
    stale = project / "dist" / "durable-graphs" / "graphs" / "dropped.py"
    stale.write_text("")

    run(sys.executable, "-m", "nox", "-s", "package", cwd=project)

    assert not stale.exists()


def test_with_the_requirements_alone_every_module_and_every_function_loads(project: Path, run: Any) -> None:
    staged = project / "dist" / "durable-graphs"
    environment = project / "azure"
    run(sys.executable, "-m", "venv", environment)
    python = next(environment.glob("[Bb]*/python*"))
    run(python, "-m", "pip", "install", "--quiet", "-r", staged / "requirements.txt")

    answer = run(python, "-c", LOADED, cwd=staged)

    loaded = json.loads(answer.stdout.splitlines()[-1])
    assert {"durable_graph_run", "durable_graph_node", "durable_graph_start_run"} <= set(loaded["functions"])
    assert len(loaded["graphs"]) == 5
    assert loaded["modules"] > 40


def test_a_folder_without_the_list_is_refused(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "azure_functions_durable_graph", "package"]
    runtime = Path(__file__).parent.parent / "runtime"
    (tmp_path / "function_app.py").touch()
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "orders"\n')

    answer = subprocess.run(
        command, cwd=tmp_path, env={"PYTHONPATH": str(runtime)}, capture_output=True, text=True, check=False
    )

    assert answer.returncode == 1
    assert answer.stderr.startswith("error: ")
    assert "has no .funcignore" in answer.stderr
