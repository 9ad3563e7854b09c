"""Generated projects work in Microsoft's own worker library, and our loader decides as it does.

azure-functions-runtime is what Azure runs apps with from Python 3.13 on. The tests need such a Python.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from odd_functions import ROWS
from projects import ROOT

pytestmark = pytest.mark.xdist_group("worker library")

LIBRARY = "azure-functions-runtime>=1.3,<2"
SCRIPT = ROOT / "tests" / "scripts" / "ask_worker_library.py"
VERSIONS = ("3.13", "3.14")

GRAPH = '''
import threading

from azure_functions_runtime import invocation_id_cv
from pydantic import BaseModel

from azure_functions_durable_graph import ManifestBuilder


class State(BaseModel):
    text: str
    thread: str = ""
    invocation: str = ""


def look(state, context):
    """Say in which thread it runs, and whose its log records would be."""
    context.progress(0.5)
    return {"thread": threading.current_thread().name, "invocation": str(invocation_id_cv.get())}


builder = ManifestBuilder("probe", State).set_entrypoint("look").add_node("look", look, terminal=True)
registration = builder.build()
'''

TRIGGERS = """
runtime.start_on_queue("probes", graph="probe")
runtime.start_on_service_bus("more-probes", graph="probe", connection="BUS")
runtime.start_on_event_grid("scanned", graph="probe")
"""


@functools.cache
def python() -> str | None:
    """A Python that the library supports, if this machine has one that runs."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv")) / "versions"
    named = [shutil.which(f"python{version}") for version in VERSIONS]
    kept = [str(path) for version in VERSIONS for path in sorted(pyenv.glob(f"{version}*/bin/python"))]
    for candidate in filter(None, [sys.executable, *named, *kept]):
        question = [candidate, "-c", "import sys; print(sys.version)"]
        told = subprocess.run(question, capture_output=True, text=True, check=False)
        if told.returncode == 0 and told.stdout.startswith(VERSIONS):
            return candidate
    return None


@pytest.fixture(scope="module")
def worker(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """Run the script with the library; gives what it prints."""
    found = python()
    if found is None:
        pytest.skip("the worker library is for Python 3.13 and newer, and this machine has none")
    folder = tmp_path_factory.mktemp("worker-library")
    subprocess.run([found, "-m", "venv", str(folder)], check=True)
    own = str(folder / ("Scripts" if os.name == "nt" else "bin") / "python")
    pip = [own, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, "-r", str(project / "requirements.txt")], check=True, timeout=500)
    installed = subprocess.run([*pip, LIBRARY], capture_output=True, text=True, timeout=500, check=False)
    if installed.returncode:
        pytest.skip(f"{LIBRARY} cannot be installed: {installed.stderr.strip().splitlines()[-1]}")

    def ask(argument: str) -> Any:
        paths = os.pathsep.join(str(ROOT / "runtime" / part) for part in ("", "tests/helpers"))
        environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
        if argument == "--odd":
            environment["PYTHONPATH"] = paths
        command = [own, str(SCRIPT), argument]
        told = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=False)
        assert told.returncode == 0, told.stderr
        return json.loads(told.stdout)

    return ask


@pytest.mark.parametrize(
    "answers",
    [{}, {"durable_backend": "durable_task_scheduler"}, {"include_samples": False}],
    ids=["as suggested", "scheduler", "without samples"],
)
def test_a_project_is_indexed_and_runs_a_graph(
    worker: Callable[..., Any], generate: Callable[..., Path], tmp_path: Path, answers: dict[str, Any]
) -> None:
    made = generate(tmp_path, **answers)
    (made / "graphs" / "probe.py").write_text(GRAPH)
    with (made / "function_app.py").open("a") as app:
        app.write(TRIGGERS)

    told = worker(str(made))

    assert {"durable_graph_run", "durable_graph_node", "durable_graph_get_health"} <= set(told["functions"])
    assert {"probes", "more_probes", "scanned"} <= set(told["functions"])
    assert told["health"][0] == "200"
    assert told["start"] == ["202", 1]
    assert told["asked"] == ["durable_graph_node", False]
    assert told["ended"] == [True, {"text": "hi", **told["patch"]}]
    assert told["patch"]["thread"].startswith("ThreadPoolExecutor-"), "the worker's own pool"
    assert told["patch"]["invocation"] == "invocation of durable_graph_node"


def test_a_node_reports_its_progress_through_the_client_of_its_activity(
    worker: Callable[..., Any], generate: Callable[..., Path], tmp_path: Path
) -> None:
    made = generate(tmp_path, include_samples=False)
    (made / "graphs" / "probe.py").write_text(GRAPH)
    script = made / "function_app.py"
    script.write_text(
        script.read_text().replace("DurableGraphApp(", "DurableGraphApp(progress=True, ").replace(", )", ")")
    )

    told = worker(str(made))

    assert "durable_graph_progress" in told["functions"]
    assert told["ended"] == [True, {"text": "hi", **told["patch"]}]
    (report, forget) = (path.partition("?op=") for path in told["signalled"])
    assert re.fullmatch(r"/entities/durable_graph_progress/\d+", report[0])
    assert (forget[0], report[2], forget[2]) == (report[0], "report", "forget")


def test_the_library_loads_what_our_loader_loads_and_nothing_else(worker: Callable[..., Any]) -> None:
    assert worker("--odd") == {name: loads for name, _, loads in ROWS}
