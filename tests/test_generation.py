"""A project can be generated in every common way, with the same result."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

from projects import ROOT, files_of, repository_files

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


def test_those_who_change_the_project_are_asked_what_the_lock_says(project: Path) -> None:
    for name in (".github/pull_request_template.md", ".github/ISSUE_TEMPLATE/bug.yml", "AGENTS.md"):
        assert "`nox -s lock`" in (project / name).read_text(), name
    sections = re.findall(r"(?m)^## (.+)$", (project / "AGENTS.md").read_text())
    assert {"Add a node", "Add a graph", "Add a version", "Add a test"} <= set(sections)


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
