"""`serve` for several apps: each has a port of its own, and each line says whose it is."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest
from apps import APP
from processes import running, served_url, spawn
from projects_on_disk import write, write_project
from systems import needs_sigterm

from azure_functions_durable_graph.commands.cli import main
from azure_functions_durable_graph.commands.new_app import new_app
from azure_functions_durable_graph.commands.new_lib import new_lib
from azure_functions_durable_graph.commands.serve_several import folders_to_serve, ports_for
from azure_functions_durable_graph.errors import HostError

SERVE = ("-m", "azure_functions_durable_graph", "serve", "--port", "0", "--memory")


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Two apps that import a library. There is no runtime in it: the tests' own is served."""
    write_project(tmp_path)
    new_app(tmp_path, "billing")
    new_lib(tmp_path, "pricing")
    script = "import pricing\n" + APP + "assert pricing.example(' a ') == 'a'\n"
    write(tmp_path, {f"apps/{app}/function_app.py": script for app in ("billing", "orders")})
    for file in (tmp_path / "azure_functions_durable_graph").rglob("*.py"):
        file.unlink()
    return tmp_path


def first_lines(process: subprocess.Popen[str], line: str) -> dict[str, str]:
    """The address of each app, by the name before the line that tells it."""
    found: dict[str, str] = {}
    while True:
        name, _, text = line.partition(" | ")
        if text.startswith("Serving "):
            found[name.strip()] = served_url(text)
        if len(found) == 2:
            return found
        assert process.stdout is not None
        line = process.stdout.readline()
        assert line, "it ended before it served both"


def test_every_app_of_a_project_is_served_on_a_port_of_its_own(project: Path) -> None:
    with running(*SERVE, project) as (process, line):
        urls = first_lines(process, line)
        answers = {name: httpx.get(f"{url}/graphs", timeout=60).status_code for name, url in urls.items()}
        process.terminate()
        process.wait(30)

    assert answers == {"billing": 200, "orders": 200}
    assert urls["billing"] != urls["orders"]


@needs_sigterm
def test_a_signal_ends_all_of_them(project: Path) -> None:
    with running(*SERVE, project / "apps" / "billing", project / "apps" / "orders") as (process, line):
        urls = first_lines(process, line)

        process.send_signal(signal.SIGTERM)

        assert process.wait(30) == 0
        for url in urls.values():
            with pytest.raises(httpx.ConnectError):
                httpx.get(url)


def test_if_one_does_not_start_the_others_are_stopped_and_its_reason_is_shown(project: Path) -> None:
    write(project, {"apps/billing/function_app.py": "import no_such_module\n"})

    with spawn(*SERVE, project, stderr=subprocess.STDOUT) as process:
        shown, _ = process.communicate(timeout=60)

    assert process.returncode == 1
    assert "billing | error: function_app.py cannot be imported: ModuleNotFoundError" in shown
    assert shown.splitlines()[-1] == "billing has ended: stopping the others" or "orders  | " in shown


def test_a_project_means_all_of_its_apps_and_an_app_means_itself(project: Path) -> None:
    billing, orders = (project / "apps" / name for name in ("billing", "orders"))

    assert folders_to_serve([str(project)]) == [billing, orders]
    assert folders_to_serve([str(orders), str(project)]) == [orders, billing]
    assert folders_to_serve([str(orders), str(orders)]) == [orders]


def test_ports_follow_each_other_and_a_free_one_stays_free() -> None:
    folders = [Path("a"), Path("b"), Path("c")]

    assert ports_for(folders, 7071) == [7071, 7072, 7073]
    assert ports_for(folders, 0) == [0, 0, 0]
    assert ports_for(folders, 65533) == [65533, 65534, 65535]
    with pytest.raises(HostError, match="--port 65534 leaves no room for 3 apps"):
        ports_for(folders, 65534)


def test_too_few_ports_are_an_error_before_anything_is_started(project: Path, capsys: Any) -> None:
    assert main(["serve", "--port", "65535", str(project)]) == 1
    assert "leaves no room for 2 apps" in capsys.readouterr().err
