"""The vendored runtime: what does not belong there is seen, and another takes its place wholly or not at all."""

from __future__ import annotations

import importlib.util
import json
import os
import py_compile
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from checkouts import git, repository
from mutations import mutations

from azure_functions_durable_graph.commands.cli import main
from azure_functions_durable_graph.commands.update_runtime import sections_between, update
from azure_functions_durable_graph.commands.vendored import PACKAGE, RECORD, TEMPLATE_FOLDER, Record, record_of
from azure_functions_durable_graph.commands.verify import verify, verify_record
from azure_functions_durable_graph.errors import VendorError

FILES = {
    "__init__.py": '"""P."""\n\n__version__ = "{version}"\n',
    "run/__init__.py": "",
    "run/steps.py": "def go(): return 1\n",
}


def delivered(folder: Path, version: str = "0.1.0", **more: str) -> Path:
    """A project with a small runtime, and the record of it."""
    for name, text in {**FILES, **{f"{key}.py": value for key, value in more.items()}}.items():
        path = folder / PACKAGE / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text.replace("{version}", version))
    (folder / RECORD).write_text(record_of(folder / PACKAGE).to_text())
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return delivered(tmp_path / "project")


@pytest.fixture
def template(tmp_path: Path) -> str:
    """A repository with the tags v0.1.0 and v0.2.0."""
    root = tmp_path / "template"
    for version, more in (("0.1.0", {}), ("0.2.0", {"added": "x = 1\n"})):
        delivered(root / TEMPLATE_FOLDER, version, **more)
        (root / "CHANGELOG.md").write_text("# Changes\n\n## 0.2.0\n\nNew.\n\n## 0.1.0\n\nOld.\n")
        if version == "0.1.0":
            git(root, "init", "--quiet")
        git(root, "add", ".")
        git(root, "commit", "--quiet", "--message", version)
        git(root, "tag", f"v{version}")
    return str(root)


# verify


def test_what_was_delivered_passes_with_its_caches(project: Path) -> None:
    for level in (0, 1, 2):
        py_compile.compile(str(project / PACKAGE / "run" / "steps.py"), optimize=level)
    (project / PACKAGE / ".DS_Store").write_text("")

    assert verify(project) == "the vendored runtime is 0.1.0, and has not been modified"


def planted_cache(package: Path) -> None:
    source = package / "run" / "steps.py"
    cached = Path(importlib.util.cache_from_source(str(source)))
    stat = source.stat()
    source.write_text("def go(): return 2\n")
    os.utime(source, (stat.st_atime, stat.st_mtime))
    py_compile.compile(str(source), cfile=str(cached))
    source.write_text("def go(): return 1\n")
    os.utime(source, (stat.st_atime, stat.st_mtime))


def unchecked_cache(package: Path) -> None:
    source = package / "run" / "steps.py"
    other = package.parent / "other.py"
    other.write_text("def go(): return 2\n")
    unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
    py_compile.compile(str(other), cfile=importlib.util.cache_from_source(str(source)), invalidation_mode=unchecked)


@pytest.mark.parametrize(
    ("change", "text"),
    [
        (lambda package: (package / "run" / "steps.py").write_text("def go(): return 2\n"), "run/steps.py was edited"),
        (lambda package: (package / "run" / "steps.py").unlink(), "run/steps.py is missing"),
        (lambda package: (package / "extra.py").write_text(""), "extra.py was added"),
        (lambda package: (package / ".hidden.py").write_text(""), "/.hidden.py was added"),
        (lambda package: (package / "empty").mkdir(), "empty/ was added"),
        (lambda package: (package / "extra.pyc").write_bytes(b""), "extra.pyc was added"),
        (lambda package: (package / "link.py").symlink_to(package / "__init__.py"), "link.py is a symbolic link"),
        (lambda package: (package / "room").symlink_to(package / "run"), "room is a symbolic link"),
        (planted_cache, r"run/__pycache__/steps\..*\.pyc is not the compiled form of its source"),
        (unchecked_cache, r"run/__pycache__/steps\..*\.pyc is not the compiled form of its source"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_does_not_belong_there_is_named(project: Path, change: Callable[[Path], object], text: str) -> None:
    change(project / PACKAGE)

    with pytest.raises(VendorError, match=f"the vendored runtime has been modified: .*{text}"):
        verify(project)


def test_a_link_in_the_place_of_the_package_is_named(project: Path) -> None:
    (project / PACKAGE).rename(project / "elsewhere")
    (project / PACKAGE).symlink_to(project / "elsewhere")

    with pytest.raises(VendorError, match=f"{PACKAGE} is a symbolic link"):
        verify(project)


def test_caches_that_python_does_not_load_are_no_fault(project: Path) -> None:
    cache = project / PACKAGE / "run" / "__pycache__"
    cache.mkdir()
    (cache / "gone.cpython-311.pyc").write_bytes(b"of a module that git has removed")
    (project / PACKAGE / "gone" / "__pycache__").mkdir(parents=True)

    verify(project)


@pytest.mark.parametrize("seed", range(2))
def test_a_damaged_record_is_one_sentence(project: Path, seed: int) -> None:
    good = (project / RECORD).read_text()
    for data in mutations(good, 66, seed):
        (project / RECORD).write_bytes(data)
        if Record_or_none(project) == record_of(project / PACKAGE):
            continue
        with pytest.raises(VendorError) as caught:
            verify(project)
        assert "\n" not in str(caught.value)


def Record_or_none(project: Path) -> Record | None:  # noqa: N802
    try:
        return Record.read(project)
    except VendorError:
        return None


# verify, the record too


def edited_with_its_record(project: Path) -> None:
    (project / PACKAGE / "run" / "steps.py").write_text("def go(): return 2\n")
    (project / RECORD).write_text(record_of(project / PACKAGE).to_text())


def test_a_record_that_was_edited_with_the_files_is_not_the_templates(project: Path, template: str) -> None:
    assert verify_record(project, template, None, None).endswith(f"matches that of {template} at v0.1.0")

    edited_with_its_record(project)

    verify(project)
    with pytest.raises(VendorError, match=r"does not match that of .* at v0\.1\.0 \(run/steps\.py\)"):
        verify_record(project, template, None, None)


def test_only_a_record_that_has_changed_needs_the_template(project: Path) -> None:
    repository(project)

    assert verify_record(project, "nowhere", None, "HEAD").endswith("runtime.lock.json matches that of HEAD")

    edited_with_its_record(project)
    with pytest.raises(VendorError, match=r"nowhere at v0\.1\.0 cannot be fetched"):
        verify_record(project, "nowhere", None, "HEAD")


def test_the_command_takes_it_all(project: Path, template: str, monkeypatch: Any, capsys: Any) -> None:
    monkeypatch.chdir(project)

    assert main(["verify", "--template", template, "--revision", "v0.2.0"]) == 1
    assert "does not match that of" in capsys.readouterr().err
    assert main(["verify", "--base", "HEAD"]) == 1
    assert "--revision and --base need --template" in capsys.readouterr().err
    assert main(["verify", "--template", template, "--base", "nothing"]) == 1
    assert "--base nothing is not a git revision of this clone" in capsys.readouterr().err
    assert main(["verify", "--template", template]) == 0


# update-runtime


def snapshot(project: Path) -> dict[str, bytes]:
    return {path.relative_to(project).as_posix(): path.read_bytes() for path in project.rglob("*") if path.is_file()}


def test_a_later_runtime_takes_the_place(project: Path, template: str) -> None:
    told = update(project, template, "v0.2.0")

    assert told == "the vendored runtime was updated from 0.1.0 to 0.2.0\n\n## 0.2.0\n\nNew."
    assert verify(project) == "the vendored runtime is 0.2.0, and has not been modified"
    assert sorted(path.name for path in project.iterdir()) == [PACKAGE, RECORD]
    assert update(project, template, "v0.2.0") == "the vendored runtime is already 0.2.0"


@pytest.mark.parametrize("refused", [1, 2, 3])
def test_a_rename_that_is_refused_changes_nothing(
    project: Path, template: str, monkeypatch: pytest.MonkeyPatch, refused: int
) -> None:
    """An editor or a virus scanner holds a file: the package aside, the new one in, the record over the old one."""
    before, calls = snapshot(project), iter(range(1, 10))

    def replace(source: Any, target: Any) -> None:
        if next(calls) == refused:
            raise PermissionError(13, "The process cannot access the file", str(source))
        os.rename(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(VendorError, match=r"cannot be replaced .*; nothing has changed"):
        update(project, template, "v0.2.0")

    assert snapshot(project) == before
    assert sorted(path.name for path in project.iterdir()) == [PACKAGE, RECORD]


def test_what_cannot_be_put_back_is_told(project: Path, template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = iter(range(1, 10))

    def replace(source: Any, target: Any) -> None:
        if next(calls) > 1:
            raise PermissionError(13, "Access is denied", str(source))
        os.rename(source, target)

    monkeypatch.setattr(os, "replace", replace)
    with pytest.raises(VendorError, match=f"rename {PACKAGE}.old to {PACKAGE} yourself"):
        update(project, template, "v0.2.0")


def test_a_copy_that_fails_changes_nothing(project: Path, template: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = snapshot(project)

    def full(*_: Any, **__: Any) -> None:
        raise OSError(28, "No space left on device", "somewhere")

    monkeypatch.setattr(shutil, "copyfile", full)
    with pytest.raises(VendorError, match="No space left on device"):
        update(project, template, "v0.2.0")

    assert snapshot(project) == before


def test_what_an_earlier_update_left_behind_is_removed(project: Path, template: str) -> None:
    shutil.copytree(project / PACKAGE, project / f"{PACKAGE}.old")
    (project / f"{PACKAGE}.new").mkdir()

    update(project, template, "v0.2.0")

    assert sorted(path.name for path in project.iterdir()) == [PACKAGE, RECORD]


def test_the_changelog_between_two_versions() -> None:
    changelog = "# C\n\n## 0.10.0\n\nten\n\n## v0.9.1\n\nnine\n\n## 0.9.0\n\nold\n"

    assert sections_between(changelog, "0.9.0", "0.10.0") == "## 0.10.0\n\nten\n\n## v0.9.1\n\nnine"
    assert sections_between(changelog, "0.10.0", "0.10.0") == ""


def test_the_template_is_the_one_of_pyproject_toml(
    project: Path, template: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(project)
    assert main(["update-runtime", "v0.2.0"]) == 1
    assert 'set template = "URL" under [tool.durable-graph] in pyproject.toml' in capsys.readouterr().err

    (project / "pyproject.toml").write_text(f"[tool.durable-graph]\ntemplate = {json.dumps(template)}\n")
    assert main(["update-runtime", "v0.2.0"]) == 0
    assert "was updated from 0.1.0 to 0.2.0" in capsys.readouterr().out
