"""A generated project passes its own checks, and its samples run over HTTP."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import httpx
import pytest
from guide.shells import read_command
from processes import serving
from projects import every_value

pytestmark = pytest.mark.xdist_group("generated")  # one worker, so that the projects share their environments


@pytest.mark.parametrize("answers", every_value(), ids=lambda answers: " ".join(map(str, answers.values())))
def test_its_own_tests_and_checks_pass(
    generate: Any, run: Any, environments: Path, tmp_path: Path, answers: dict[str, Any]
) -> None:
    made = generate(tmp_path, **answers)

    answer = run(sys.executable, "-m", "nox", "--envdir", environments, "-s", "test", "lint", cwd=made)

    assert "Session test was successful" in answer.stderr
    assert "Session lint was successful" in answer.stderr


def test_its_sessions_explain_themselves(project: Path, run: Any) -> None:
    listed = run(sys.executable, "-m", "nox", "--list", cwd=project).stdout

    for session in ("test", "lint", "serve", "demo"):
        assert f" {session} -> " in listed


def test_its_demo_runs_every_sample_over_http(project: Path, run: Any) -> None:
    answer = run(sys.executable, "demo.py", "--python", sys.executable, cwd=project)

    assert "All 6 runs ended as they should." in answer.stdout
    assert "(start) ──▶ [price] ──▶ [reserve] ──▶ [charge] ──▶ [ship] ──▶ (completed)" in answer.stdout
    assert "··manager_approval··▶ [apply_decision]" in answer.stdout


def test_its_demo_fails_if_a_run_ends_wrongly(generate: Any, run: Any, tmp_path: Path) -> None:
    made = generate(tmp_path)
    graph = made / "graphs" / "order_flow.py"
    graph.write_text(graph.read_text().replace('"grinder": 0', '"grinder": 1'))

    answer = run(sys.executable, "demo.py", "--python", sys.executable, cwd=made, check=False)

    assert answer.returncode == 1
    assert "Ended wrongly: An order that cannot be filled" in answer.stdout


@pytest.mark.parametrize("program", ["curl", "Invoke-RestMethod"])
def test_the_requests_of_its_readme_approve_a_refund(project: Path, program: str) -> None:
    lines = (project / "README.md").read_text(encoding="utf-8").splitlines()
    commands = [read_command(line) for line in lines if line.startswith(f"    {program} ")]

    with serving(project) as (_, url):
        answers = [
            httpx.request(
                command.method,
                url + command.path,
                content=command.body,
                headers={"Content-Type": command.content_type} if command.content_type else {},
            )
            for command in commands
        ]

    assert [answer.status_code for answer in answers] == [202, 200, 200, 200]
    assert [answers[1].json()["status"], answers[3].json()["status"]] == ["waiting", "completed"]


def test_the_graph_of_its_readme_works_as_it_stands(generate: Any, run: Any, tmp_path: Path) -> None:
    made = generate(tmp_path)
    section = (made / "README.md").read_text().split("## Add a graph\n")[1].split("\n## ")[0]
    code = "\n".join(line[4:] for line in section.splitlines() if line.startswith("    ") or not line)
    code = code[code.index("from pydantic") :]
    (made / "graphs" / "greeting.py").write_text(code)
    (made / "tests" / "test_greeting.py").write_text(
        "from azure_functions_durable_graph.testing import run_graph\n"
        "from graphs.greeting import registration\n\n\n"
        "def test_greeting() -> None:\n"
        '    assert run_graph(registration, {"name": "Ono"}).state.text == "Hello, Ono"\n'
    )

    run(sys.executable, "-m", "pytest", "-q", "tests/test_greeting.py", cwd=made)
