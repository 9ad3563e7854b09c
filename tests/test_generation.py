"""A project can be generated in every common way, with the same result."""

from __future__ import annotations

import ast
import itertools
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
from nox.project import load_toml
from projects import CHOICES, ROOT, SETTINGS, TEXTS, every_pair, every_value, files_of, rendered, repository_files
from pycep import BicepParser

SAMPLES = {"order_flow", "content_classifier", "support_agent", "document_review"}

UNTRACKED = {"local.settings.json", ".cruft.json"}
"""Files that are not part of the template: the hook's copy of the settings, and cruft's own record."""


def tracked(folder: Path) -> dict[str, bytes]:
    return {name: content for name, content in files_of(folder).items() if name not in UNTRACKED}


def test_generating_twice_gives_identical_bytes(project: Path, generate: Any, tmp_path: Path) -> None:
    assert files_of(generate(tmp_path)) == files_of(project)


def test_from_a_relative_path(project: Path, generate: Any, template: Path, tmp_path: Path) -> None:
    made = generate(tmp_path, source=f"../{template.parent.name}/{template.name}", cwd=template.parent)

    assert files_of(made) == files_of(project)


def test_from_a_git_url(project: Path, generate: Any, template: Path, tmp_path: Path) -> None:
    made = generate(tmp_path, source=f"git+file://{template}")

    assert files_of(made) == files_of(project)


def test_from_a_zip(project: Path, generate: Any, template: Path, run: Any, tmp_path: Path) -> None:
    archive = tmp_path / "template.zip"
    run("git", "archive", "--format=zip", "--prefix=template/", f"--output={archive}", "HEAD", cwd=template)
    (tmp_path / "out").mkdir()

    assert files_of(generate(tmp_path / "out", source=archive)) == files_of(project)


def test_with_hooks_off(project: Path, generate: Any, tmp_path: Path) -> None:
    made = generate(tmp_path, "--accept-hooks", "no")

    assert files_of(made) == tracked(project)


def test_by_cruft(project: Path, template: Path, run: Any, tmp_path: Path) -> None:
    run(sys.executable, "-m", "cruft", "create", "--no-input", "--output-dir", tmp_path, template)
    (made,) = tmp_path.iterdir()

    assert tracked(made) == tracked(project)
    assert "local.settings.json" not in files_of(made)
    assert json.loads((made / ".cruft.json").read_text())["commit"]


def test_the_local_settings_are_made_from_the_example(project: Path) -> None:
    settings = (project / "local.settings.json").read_text()

    assert settings == (project / "local.settings.example.json").read_text()
    assert json.loads(settings)["Values"]["TASKHUB_NAME"] == "durablegraphslocal"
    assert "local.settings.json" in (project / ".gitignore").read_text().split()


def test_settings_that_are_there_already_are_kept(generate: Any, run: Any, tmp_path: Path) -> None:
    made = generate(tmp_path)
    (made / "local.settings.json").write_text("mine")

    generate(tmp_path, "--overwrite-if-exists")

    assert (made / "local.settings.json").read_text() == "mine"


def test_the_vendored_runtime_is_the_runtime(project: Path) -> None:
    source = files_of(ROOT / "runtime" / "azure_functions_durable_graph")

    assert files_of(project / "azure_functions_durable_graph") == source


def test_the_mirror_in_the_template_is_in_step() -> None:
    source = files_of(ROOT / "runtime" / "azure_functions_durable_graph")
    mirror = files_of(ROOT / "{{cookiecutter.project_slug}}" / "azure_functions_durable_graph")

    assert mirror == source, "run `nox -s sync` and commit"


def test_nothing_of_the_template_language_is_left(project: Path) -> None:
    for name, content in files_of(project).items():
        if not name.startswith("azure_functions_durable_graph/"):
            assert not re.search(rb"\{\{ ?cookiecutter|\{%", content), name
            assert not re.search(r"[{}%]", name), name


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
    ]
    for url in linked:
        assert url.startswith("https://github.com/acme/graphs/blob/main/docs/")
        assert (ROOT / "docs" / Path(url).name).exists()


LOCKED = ("uv.lock", "requirements.txt", "requirements-dev.txt")


@pytest.fixture
def here(run: Any) -> Callable[..., Any]:
    """Run sessions of a project with this environment's tools, without installing anything."""
    path = f"PATH={Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"

    def sessions(project: Path, *words: str, check: bool = True) -> Any:
        nox = ["env", path, sys.executable, "-m", "nox", "--no-venv", "--no-install", "-s"]
        return run(*nox, *words, cwd=project, check=check)

    return sessions


@pytest.mark.parametrize("slug", ["durable-graphs", "aaa", "zzz"])
def test_the_locked_requirements_are_those_of_pyproject_whatever_the_project_is_called(
    generate: Any, run: Any, tmp_path: Path, slug: str
) -> None:
    made = generate(tmp_path, project_slug=slug)
    uv = [sys.executable, "-m", "uv", "--offline", "--no-cache"]

    run(*uv, "lock", "--check", cwd=made)
    for name, options in {
        "requirements.txt": ["--no-default-groups"],
        "requirements-dev.txt": ["--all-groups"],
    }.items():
        words = ["export", "--frozen", "--no-header", "--no-emit-workspace", "--all-packages", "--quiet", *options]
        exported = run(*uv, *words, cwd=made).stdout.splitlines()
        written = (made / name).read_text().splitlines()
        assert sorted(written[1:]) == sorted(exported)
        assert written[0].startswith("# Written by `nox -s requirements` from uv.lock.")
        assert all("==" in line or line.lstrip().startswith(("#", "--hash=")) for line in written), (
            "pinned, with hashes"
        )


def test_what_is_pinned_is_for_every_python_of_the_prompt(project: Path) -> None:
    lines = (project / "requirements.txt").read_text().splitlines()
    pinned = [line.removesuffix(" \\") for line in lines if line.startswith("azure-functions==")]

    assert [re.sub(r"==(\d+)\S*", r"==\1", line) for line in pinned] == [
        "azure-functions==1 ; python_full_version < '3.13'",
        "azure-functions==2 ; python_full_version >= '3.13'",
    ]


@pytest.mark.parametrize(
    ("file", "old", "new", "stale"),
    [
        ("pyproject.toml", '"pydantic>=2.11,<3"', '"pydantic>=2.12,<3"', "uv.lock"),
        ("pyproject.toml", '"pydantic>=2.11,<3"', '"pydantic>=2.11,<3", "no-such-package-anywhere"', "uv.lock"),
        ("uv.lock", 'specifier = ">=2.11,<3"', 'specifier = ">=2.11,<4"', "uv.lock"),
        ("requirements.txt", "pydantic==2", "pydantic==1", "requirements.txt"),
        ("requirements.txt", "--hash=sha256:0", "--hash=sha256:1", "requirements.txt"),
        ("requirements-dev.txt", "mypy==", "mypyy==", "requirements-dev.txt"),
    ],
)
def test_requirements_that_are_out_of_date_stop_lint_with_a_sentence(
    generate: Any, here: Any, tmp_path: Path, file: str, old: str, new: str, stale: str
) -> None:
    made = generate(tmp_path)
    text = (made / file).read_text()
    assert old in text
    (made / file).write_text(text.replace(old, new))

    stopped = here(made, "lint", check=False)

    assert stopped.returncode != 0
    assert f"{stale} is out of date; run `nox -s requirements` and commit" in stopped.stderr


def test_a_session_says_when_it_does_not_run_on_the_python_of_azure(generate: Any, here: Any, tmp_path: Path) -> None:
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    other = next(python for python in CHOICES["python_version"] if python != version)
    (tmp_path / "here").mkdir()
    (tmp_path / "other").mkdir()

    said = here(generate(tmp_path / "other", python_version=other), "lock", check=False).stderr
    silent = here(generate(tmp_path / "here", python_version=version), "lock", check=False).stderr

    assert f"This runs on Python {version}, Azure will run {other} (.python-version)" in said
    assert f"Install Python {other}, or uv, which fetches it." in said
    assert "Azure will run" not in silent


@pytest.mark.parametrize(
    ("programs", "downloads", "expected"),
    [
        ([], "automatic", None),
        (["python3.9"], "automatic", "3.9"),
        (["uv"], "automatic", "3.9"),
        (["uv"], "never", None),
        (["broken python3.9"], "automatic", None),
    ],
    ids=["nothing", "installed", "uv fetches it", "uv may not", "a name without a program, as pyenv has them"],
)
def test_the_sessions_run_on_the_python_of_azure_where_it_can_be_had(
    generate: Any, run: Any, tmp_path: Path, programs: list[str], downloads: str, expected: str | None
) -> None:
    (tmp_path / "made").mkdir()
    made = generate(tmp_path / "made")
    (made / ".python-version").write_text("3.9\n")
    path = tmp_path / "path"
    path.mkdir()
    for program in programs:
        name = program.split()[-1]
        only = 'test "$1" = -V' if name == "uv" else "true"
        (path / name).write_text(f"#!/bin/sh\n{'false' if program.startswith('broken') else only}\n")
        (path / name).chmod(0o755)
    code = "import noxfile; print(noxfile.python())"

    answer = run(
        "/usr/bin/env", f"PATH={path}", f"UV_PYTHON_DOWNLOADS={downloads}", sys.executable, "-c", code, cwd=made
    )

    assert answer.stdout.strip() == str(expected)


def test_the_checks_before_a_push_are_those_of_lint(project: Path) -> None:
    (repository,) = yaml.safe_load((project / ".pre-commit-config.yaml").read_text())["repos"]

    assert repository["repo"] == "local", "no second list of versions"
    assert [hook["entry"] for hook in repository["hooks"]] == ["nox -s lint"]


def test_those_who_change_the_project_are_asked_what_the_lock_says(project: Path) -> None:
    for name in (".github/pull_request_template.md", ".github/ISSUE_TEMPLATE/bug.yml", "AGENTS.md"):
        assert "`nox -s lock`" in (project / name).read_text(), name
    sections = re.findall(r"(?m)^## (.+)$", (project / "AGENTS.md").read_text())
    assert {"Add a node", "Add a graph", "Add a version", "Add a test"} <= set(sections)


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


RESERVED_ON_WINDOWS = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))}


def test_every_path_of_the_repository_is_legal_on_windows() -> None:
    names = repository_files()

    for name in names:
        assert len(name) < 150, name
        for part in name.split("/"):
            assert not re.search(r'[<>:"\\|?*\x00-\x1f]', part), name
            assert part == part.rstrip(". "), name
            assert part.split(".")[0].lower() not in RESERVED_ON_WINDOWS, name
    lowered = [name.lower() for name in names]
    assert len(set(lowered)) == len(lowered)
