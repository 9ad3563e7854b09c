"""What is answered to a prompt arrives where it counts, alone and with every other answer."""

from __future__ import annotations

import ast
import itertools
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from nox.project import load_toml
from projects import CHOICES, ROOT, SETTINGS, TEXTS, every_pair, every_value, files_of, rendered
from pycep import BicepParser

SAMPLES = {"order_flow", "content_classifier", "support_agent", "document_review"}


def test_every_prompt_is_explained() -> None:
    assert set(SETTINGS["__prompts__"]) == {*CHOICES, *TEXTS}
    for name, values in CHOICES.items():
        if isinstance(SETTINGS[name], list):
            assert set(values) | {"__prompt__"} == set(SETTINGS["__prompts__"][name])


PARSERS: dict[str, Callable[[bytes], object]] = {
    ".py": ast.parse,
    ".json": json.loads,
    ".yaml": yaml.safe_load,
    ".yml": yaml.safe_load,
    ".bicep": lambda content: BicepParser().parse(text=content.decode()),
}


@pytest.fixture(scope="session")
def config(environment: dict[str, str]) -> str:
    return environment["COOKIECUTTER_CONFIG"]


@pytest.fixture(scope="session")
def bare_template(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The template without the vendored runtime, which no answer changes."""
    copy = tmp_path_factory.mktemp("bare") / "template"
    shutil.copytree(template, copy, ignore=shutil.ignore_patterns("azure_functions_durable_graph", "runtime", ".git"))
    return copy


def check_that_every_file_parses(made: Path) -> None:
    for path in filter(Path.is_file, made.rglob("*")):
        if path.suffix == ".toml":
            load_toml(path)
        elif path.suffix in PARSERS:
            PARSERS[path.suffix](path.read_bytes())
        assert "cookiecutter." not in path.read_text(encoding="utf-8"), path


def test_every_value_and_every_pair_of_values_is_among_the_answers_below() -> None:
    values = [pair for row in every_value() for pair in row.items()]
    pairs = [pair for row in every_pair() for pair in itertools.permutations(row.items(), 2)]

    for one, values_of_one in CHOICES.items():
        assert all((one, value) in values for value in values_of_one)
        for other, values_of_other in CHOICES.items():
            if one != other:
                assert all(((one, a), (other, b)) in pairs for a in values_of_one for b in values_of_other)


@pytest.mark.parametrize("answers", list(every_pair()), ids=lambda answers: " ".join(map(str, answers.values())))
def test_every_pair_of_answers_gives_files_that_parse(
    bare_template: Path, config: str, tmp_path: Path, answers: dict[str, Any]
) -> None:
    made = rendered(tmp_path, bare_template, config, **answers)

    check_that_every_file_parses(made)
    assert (made / ".devcontainer.json").exists() == answers["include_devcontainer"]
    assert (made / "demo.py").exists() == answers["include_samples"]
    assert (made / "LICENSE").exists() == (answers["licence"] != "none")
    assert ("dts-emulator" in (made / "compose.yaml").read_text()) == (answers["durable_backend"] != "azure_storage")
    assert f"AuthLevel.{answers['auth_level'].upper()}" in (made / "function_app.py").read_text()
    project = load_toml(made / "pyproject.toml")
    assert project["tool"]["durable-graph"]["environments"] == answers["environments"].split("_and_")
    assert f"py{answers['python_version'].replace('.', '')}" == project["tool"]["ruff"]["target-version"]


def test_the_answers_arrive_where_they_count(generate: Any, tmp_path: Path) -> None:
    made = generate(
        tmp_path,
        project_name="Order Desk",
        description="Orders, by the book",
        python_version="3.12",
        auth_level="anonymous",
    )

    assert made.name == "order-desk"
    assert (made / ".python-version").read_text() == "3.12\n"
    assert "AuthLevel.ANONYMOUS" in (made / "function_app.py").read_text()
    assert (made / "README.md").read_text().startswith("# Order Desk\n\nOrders, by the book\n")
    assert load_toml(made / "pyproject.toml")["tool"]["ruff"]["target-version"] == "py312"


def test_the_readme_links_to_the_documents_of_the_template_in_reading_order(generate: Any, tmp_path: Path) -> None:
    made = generate(tmp_path, template_url="https://github.com/acme/graphs.git")

    linked = re.findall(r"(?m)^\d\. \[.*?\]\((.*?)\)", (made / "README.md").read_text(encoding="utf-8"))
    assert [Path(url).name for url in linked] == [
        "quickstart.md",
        "usage.md",
        "versioning.md",
        "deploying.md",
        "monorepo.md",
        "local_host.md",
        "command_line.md",
        "troubleshooting.md",
    ]
    for url in linked:
        assert url.startswith("https://github.com/acme/graphs/blob/main/docs/")
        assert (ROOT / "docs" / Path(url).name).exists()


@pytest.mark.parametrize(
    ("level", "text"), [("function", "a function key"), ("admin", "a master key"), ("anonymous", "no key: whoever")]
)
def test_the_security_policy_says_who_may_call(
    bare_template: Path, config: str, tmp_path: Path, level: str, text: str
) -> None:
    made = rendered(tmp_path, bare_template, config, auth_level=level)

    assert f"HTTP routes need {text}" in (made / "SECURITY.md").read_text()


def test_without_samples_the_graphs_folder_is_empty(generate: Any, project: Path, tmp_path: Path) -> None:
    made = generate(tmp_path, include_samples=False)

    gone = set(files_of(project)) - set(files_of(made))
    assert gone == {
        "demo.py",
        *(f"graphs/{name}.py" for name in SAMPLES),
        *(f"tests/test_{name}.py" for name in SAMPLES),
    }
    assert "demo" not in (made / "noxfile.py").read_text()
    assert "demo" not in (made / "README.md").read_text()
