"""A release is a tag: its version, its notes, its wheel, and the workflow that publishes them."""

from __future__ import annotations

import re
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest
import yaml
from projects import ROOT
from release_notes import main, notes_of, version_of

RELEASE = yaml.safe_load((ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8"))
CHANGELOG = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
VERSION = version_of((ROOT / "runtime" / "azure_functions_durable_graph" / "__init__.py").read_text(encoding="utf-8"))


def test_the_notes_of_a_release_are_its_section() -> None:
    text = "# Changes\n\n## 1.1.0 (2027-01-02)\n\n- b\n\n### Fixed\n\n- c\n\n## 1.0.0 (2026-12-01)\n\n- a\n"

    assert notes_of(text, "1.1.0") == "- b\n\n### Fixed\n\n- c\n"
    assert notes_of(text, "1.0.0") == "- a\n"


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("## 1.0.0 (unreleased)\n\n- a\n", "unreleased; put the date"),
        ("## 1.0.0 (2026-12-01)\n\n## 0.9.0\n\n- a\n", "says nothing about 1.0.0"),
        ("## 1.0.0rc1 (2026-12-01)\n\n- a\n", "no section `## 1.0.0 (YYYY-MM-DD)`"),
        ("", "no section"),
    ],
)
def test_a_version_that_the_changelog_does_not_tell_of_is_not_released(text: str, sentence: str) -> None:
    with pytest.raises(ValueError, match=re.escape(sentence)):
        notes_of(text, "1.0.0")


def test_a_tag_of_another_version_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["v9.9.9"]) == 1
    assert f"the tag v9.9.9 is not v{VERSION}" in capsys.readouterr().err


def test_the_changelog_has_a_section_for_this_version_or_for_what_is_unreleased() -> None:
    headings = re.findall(r"(?m)^## (.+)$", CHANGELOG)

    assert headings
    assert headings[0].split()[0] in {VERSION, "Unreleased"}, headings[0]
    for heading in headings:
        assert re.fullmatch(r"Unreleased|\d+\.\d+\.\d+ \((unreleased|\d{4}-\d\d-\d\d)\)", heading), heading


def test_nothing_is_published_before_the_tests_have_passed() -> None:
    jobs = RELEASE["jobs"]

    assert RELEASE[True] == {"push": {"tags": ["v*"]}}
    assert [jobs[name].get("needs") for name in ("test", "build", "publish", "announce")] == [
        None,
        "test",
        "build",
        "publish",
    ]


def test_each_job_may_do_one_thing() -> None:
    permissions = {name: set(job["permissions"]) for name, job in RELEASE["jobs"].items()}

    assert RELEASE["permissions"] == {}
    assert permissions == {
        "test": {"contents"},
        "build": {"contents", "id-token", "attestations"},
        "publish": {"id-token"},
        "announce": {"contents"},
    }
    assert RELEASE["jobs"]["publish"]["environment"] == "pypi"
    assert "secrets." not in (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")


def test_what_is_published_is_what_was_attested() -> None:
    uses = [step.get("uses", "").split("@")[0] for step in RELEASE["jobs"]["build"]["steps"]]

    assert uses.index("actions/attest-build-provenance") < uses.index("actions/upload-artifact")
    for name in ("publish", "announce"):
        assert "checkout" not in str(RELEASE["jobs"][name]["steps"])
        assert "build" not in str([step.get("run") for step in RELEASE["jobs"][name]["steps"]])


def test_the_wheel_is_the_runtime_and_nothing_else(run: Any, tmp_path: Path) -> None:
    words = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", tmp_path, ROOT / "runtime"]
    run(*words)

    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    package = ROOT / "runtime" / "azure_functions_durable_graph"
    files = {path for path in package.rglob("*") if path.is_file() and "__pycache__" not in path.parts}
    expected = {path.relative_to(package.parent).as_posix() for path in files}
    assert {name for name in names if name.startswith("azure_functions_durable_graph/")} == expected
    assert {"azure_functions_durable_graph/py.typed", "azure_functions_durable_graph/studio/static/app.js"} <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {
        "azure_functions_durable_graph",
        "azure_functions_durable_graph_runtime",
    }
    assert f"-{VERSION}-" in wheel.name


@pytest.mark.parametrize("job", ["test", "build"])
def test_its_own_commands_run(job: str, tmp_path: Path) -> None:
    """The script is called as the workflow calls it; an unreleased version stops it, as it would there."""
    (step,) = [step for step in RELEASE["jobs"][job]["steps"] if "release_notes" in step.get("run", "")]

    answer = subprocess.run(
        ["bash", "-e", "-c", step["run"].replace("> release_notes.md", "")],
        cwd=ROOT,
        env={"TAG": f"v{VERSION}", "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )

    released = not re.search(rf"(?m)^## {re.escape(VERSION)} \(unreleased\)", CHANGELOG)
    assert (answer.returncode == 0) == released, answer.stderr
    assert bool(answer.stdout) == released
