"""`apps`: which apps and libraries a change touches, by their files and by what they import."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from checkouts import commit, git, repository
from projects_on_disk import write, write_project

import azure_functions_durable_graph
from azure_functions_durable_graph.commands.cli import main
from azure_functions_durable_graph.commands.library_imports import imported_modules, libraries_of
from azure_functions_durable_graph.commands.new_app import new_app
from azure_functions_durable_graph.commands.new_lib import new_lib
from azure_functions_durable_graph.commands.touched import touched_by
from azure_functions_durable_graph.commands.workspace import read_project
from azure_functions_durable_graph.errors import HostError


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Three apps. `billing` imports `pricing`, which imports `money`; a test of `support` imports `money`."""
    write_project(tmp_path)
    for app in ("billing", "support"):
        new_app(tmp_path, app)
    for library in ("pricing", "money"):
        new_lib(tmp_path, library)
    write(
        tmp_path,
        {
            "apps/billing/graphs/invoice.py": "def node(state):\n    from pricing.rates import RATE\n",
            "apps/support/tests/test_money.py": "import money\n",
            "libs/pricing/src/pricing/rates.py": "import money as cash\nfrom . import base\n",
        },
    )
    return tmp_path


EVERYTHING = (["billing", "orders", "support"], ["money", "pricing"])


@pytest.mark.parametrize(
    ("file", "apps", "libs"),
    [
        ("apps/orders/graphs/order.py", ["orders"], []),
        ("apps/orders/host.json", ["orders"], []),
        ("libs/pricing/src/pricing/rates.py", ["billing"], ["pricing"]),
        ("libs/pricing/pyproject.toml", ["billing"], ["pricing"]),
        ("libs/money/src/money/__init__.py", ["billing", "support"], ["money", "pricing"]),
        ("azure_functions_durable_graph/graph/names.py", *EVERYTHING),
        ("requirements.txt", *EVERYTHING),
        (".github/workflows/ci.yml", *EVERYTHING),
        ("libs/removed/src/removed/__init__.py", *EVERYTHING),
        ("apps/removed/function_app.py", [], []),
        ("README.md", [], []),
        ("infra/app.bicep", [], []),
    ],
)
def test_a_change_touches_what_contains_the_file_or_imports_it(
    project: Path, file: str, apps: list[str], libs: list[str]
) -> None:
    assert touched_by(read_project(project), [file]) == {"apps": apps, "libs": libs}


def test_a_project_with_one_app_is_touched_by_everything_but_documents(tmp_path: Path) -> None:
    project = read_project(write_project(tmp_path))

    assert touched_by(project, ["graphs/order.py"])["apps"] == ["orders"]
    assert touched_by(project, ["apps/notes.txt"])["apps"] == ["orders"]
    assert touched_by(project, ["graphs/prompts/triage.md"])["apps"] == ["orders"], "it is deployed with the graph"
    assert touched_by(project, ["README.md", "docs/on/call.md", ".vscode/settings.json"])["apps"] == []


def answered(project: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch, *words: str) -> Any:
    monkeypatch.chdir(project)
    assert main(["apps", "--json", *words]) == 0
    return json.loads(capsys.readouterr().out)


def test_changes_are_found_in_git_with_what_is_not_committed(
    project: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository(project)
    base = git(project, "rev-parse", "HEAD")
    assert answered(project, capsys, monkeypatch, "--since", "HEAD") == {"apps": [], "libs": []}

    write(project, {"apps/support/graphs/new.py": "", "apps/orders/graphs/größe.py": ""})
    assert answered(project, capsys, monkeypatch, "--since", "HEAD")["apps"] == ["orders", "support"]

    commit(project)
    git(project, "mv", "libs/pricing/src/pricing/rates.py", "libs/pricing/src/pricing/prices.py")
    assert answered(project, capsys, monkeypatch, "--since", "HEAD")["libs"] == ["pricing"]
    assert answered(project, capsys, monkeypatch, "--since", base)["apps"] == ["billing", "orders", "support"]


@pytest.mark.parametrize("base", ["0" * 40, "no-such-branch", "--help", ""])
def test_a_base_that_is_not_there_touches_everything(
    project: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch, base: str
) -> None:
    repository(project)

    assert answered(project, capsys, monkeypatch, f"--since={base}") == {"apps": EVERYTHING[0], "libs": EVERYTHING[1]}


def test_a_project_below_the_top_of_its_repository_sees_its_own_files_only(
    tmp_path: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "services" / "orders"
    write_project(project)
    new_app(project, "billing")
    repository(tmp_path)
    write(tmp_path, {"pyproject.toml": "", "services/orders/apps/billing/graphs/a.py": ""})

    assert answered(project, capsys, monkeypatch, "--since", "HEAD")["apps"] == ["billing"]


def test_the_list_shows_which_libraries_each_app_imports(
    project: Path, capsys: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project)

    assert main(["apps"]) == 0

    lines = [line.split(maxsplit=4) for line in capsys.readouterr().out.splitlines()]
    assert lines[0] == ["app", "billing", "apps/billing", "imports", "money, pricing"]
    assert lines[-1] == ["library", "pricing", "libs/pricing"]


@pytest.mark.skipif(
    sys.version_info < (3, 11), reason="it has typing_extensions from nox there, and this has no packages"
)
def test_a_pipeline_can_ask_before_it_has_installed_anything(project: Path) -> None:
    runtime = Path(azure_functions_durable_graph.__file__).parents[1]
    words = [sys.executable, "-S", "-m", "azure_functions_durable_graph", "apps", "--json"]
    environment = {**os.environ, "PYTHONPATH": str(runtime)}
    shutil.rmtree(project / "azure_functions_durable_graph")  # a stub

    answer = subprocess.run(words, cwd=project, env=environment, capture_output=True, text=True, check=False)

    assert answer.returncode == 0, answer.stderr
    assert json.loads(answer.stdout) == {"apps": EVERYTHING[0], "libs": EVERYTHING[1]}


@pytest.mark.parametrize(
    "code",
    [
        "import pricing",
        "import pricing.rates as r, json",
        "from pricing import RATE",
        "def f():\n    from pricing.rates import x",
        "if TYPE_CHECKING:\n    import pricing",
        "import importlib\nm = importlib.import_module('pricing.rates')",
        "from importlib import import_module\nm = import_module('pricing')",
        "m = __import__('pricing')",
        "\ufeffimport pricing",
        "# -*- coding: latin-1 -*-\nimport pricing",
    ],
)
def test_an_import_is_found_in_every_form_that_names_it(tmp_path: Path, code: str) -> None:
    (tmp_path / "a.py").write_text(code, encoding="utf-8")

    assert "pricing" in imported_modules(tmp_path / "a.py")


@pytest.mark.parametrize("code", ["from . import pricing", "x = 'import pricing'", "# import pricing", "pricing = 1"])
def test_what_only_looks_like_an_import_is_not_one(tmp_path: Path, code: str) -> None:
    (tmp_path / "a.py").write_text(code)

    assert "pricing" not in imported_modules(tmp_path / "a.py")


@pytest.mark.parametrize(
    ("code", "sentence"),
    [
        ("import apps.orders.graphs", "imports another app, which is not deployed with it"),
        ("from libs.pricing.src import pricing", "import a library by its own name"),
        ("def f(:", "its imports cannot be read"),
    ],
)
def test_an_import_that_would_fail_in_azure_is_an_error_here(project: Path, code: str, sentence: str) -> None:
    write(project, {"apps/billing/graphs/bad.py": code})
    found = read_project(project)

    with pytest.raises(HostError, match=sentence) as caught:
        libraries_of(found, found.app("billing"))
    assert "apps/billing/graphs/bad.py" in str(caught.value).replace("\\", "/")


@pytest.mark.parametrize(
    "text", [b"", b"[project]\n", b"[project]\nname = 'A b'\n", b"[tool.x]\nname = 'a'\n", b"\xff"]
)
def test_a_project_whose_name_cannot_be_read_says_so(project: Path, text: bytes) -> None:
    (project / "pyproject.toml").write_bytes(text)

    with pytest.raises(HostError, match=r"pyproject\.toml"):
        read_project(project)


def test_the_name_of_a_project_is_read_without_a_toml_parser(project: Path) -> None:
    """Python 3.10 has none, and the sessions that run an app do not install one."""
    text = '[tool.x]\nname = "a"\n\n[project] # mine\ndescription = "b"\nname="my-orders"\n\n[tool.y]\nname = "c"\n'
    (project / "pyproject.toml").write_text(text)

    assert read_project(project).name == "my-orders"
