"""`docs/azure_facts.md` is complete and up to date: what is in the table is in the files, and the other way round."""

from __future__ import annotations

import datetime
import json
import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from projects import ROOT

PROJECT = ROOT / "{{cookiecutter.project_slug}}"
RUNTIME = ROOT / "runtime"
DOCUMENT = ROOT / "docs" / "azure_facts.md"


@dataclass(frozen=True)
class Fact:
    """A row of a table."""

    text: str
    value: str
    source: str
    day: str
    file: str

    def lines(self) -> list[str]:
        """Every line that depends on it, as `file:number`; the runtime is read where it is written."""
        folder = RUNTIME if self.file.startswith("azure_functions_durable_graph/") else PROJECT
        found = (folder / self.file).read_text(encoding="utf-8").splitlines()
        return [f"{self.file}:{number}" for number, line in enumerate(found, 1) if self.value in line]


def facts() -> list[Fact]:
    rows = [line.strip("| ").split(" | ") for line in DOCUMENT.read_text(encoding="utf-8").splitlines() if "|" in line]
    return [
        Fact(text, value.strip("`"), source, day, file.strip("`"))
        for text, value, source, day, file in (row for row in rows if len(row) == 5)
        if text != "fact"
    ]


def in_files(pattern: str, glob: str) -> set[tuple[str, str]]:
    """Every match in the files of a generated project, with its file."""
    return {
        (found, path.relative_to(PROJECT).as_posix())
        for path in PROJECT.glob(glob)
        for found in re.findall(pattern, path.read_text(encoding="utf-8"))
    }


@pytest.mark.parametrize("fact", facts(), ids=lambda fact: f"{fact.value} in {fact.file}")
def test_the_file_depends_on_the_fact_as_it_is_written_down(fact: Fact) -> None:
    assert fact.lines(), f"{fact.file} does not contain {fact.value!r} ({fact.text}); has the fact or the file changed?"


def test_every_row_has_a_day_that_has_been() -> None:
    for fact in facts():
        assert datetime.date(2026, 1, 1) <= datetime.date.fromisoformat(fact.day), fact.text
        assert fact.source, fact.text


def test_every_row_of_the_document_is_read() -> None:
    rows = re.findall(r"(?m)^\| (?!fact)", DOCUMENT.read_text(encoding="utf-8"))

    assert len(facts()) == len(rows) > 20


@pytest.mark.parametrize(
    ("pattern", "glob"),
    [
        (r"@(\d{4}-\d\d-\d\d)'", "infra/*.bicep"),
        (r"api-version=(\d{4}-\d\d-\d\d)", ".github/workflows/*.yml"),
        (r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b", "infra/*.bicep"),
        (r"AADSTS7002138", ".github/workflows/*.yml"),
    ],
    ids=["API versions of resources", "API versions of calls", "roles", "errors of Entra ID"],
)
def test_nothing_with_a_date_is_missing_from_the_table(pattern: str, glob: str) -> None:
    found = in_files(pattern, glob)

    assert found
    assert found <= {(fact.value, fact.file) for fact in facts()}


def test_the_python_versions_of_the_prompt_are_those_of_the_table() -> None:
    offered = json.loads((ROOT / "cookiecutter.json").read_text(encoding="utf-8"))["python_version"]
    (row,) = [fact.text for fact in facts() if fact.text.startswith("Python on Flex")]

    assert f"{min(offered, key=_number)} to {max(offered, key=_number)}" in row


def _number(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_a_fact_that_no_longer_holds_names_the_lines_that_depend_on_it(tmp_path: Path) -> None:
    (bundle,) = [fact for fact in facts() if fact.text.startswith("Extension bundle")]

    assert bundle.lines() == ["host.json:5"]
