"""Hostile answers are rejected with the rule that they break, or remain data."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from projects import cookiecutter, files_of

REFUSED = {
    "a slug with capitals": ({"project_slug": "Orders"}, "3 to 40 characters"),
    "a slug that begins with a digit": ({"project_slug": "1st-orders"}, "3 to 40 characters"),
    "a slug that ends with a dash": ({"project_slug": "orders-"}, "3 to 40 characters"),
    "a slug that is too short": ({"project_slug": "ab"}, "3 to 40 characters"),
    "a slug that is too long": ({"project_slug": "a" * 41}, "3 to 40 characters"),
    "a slug with an underscore": ({"project_slug": "my_orders"}, "3 to 40 characters"),
    "a slug with two dashes": ({"project_slug": "my--orders"}, "without '--'"),
    "a slug with a newline": ({"project_slug": "orders\n"}, "3 to 40 characters"),
    "a slug with quotes": ({"project_slug": "o'r\"ders"}, "3 to 40 characters"),
    "a Windows device": ({"project_slug": "com1"}, "Windows reserves this name"),
    "a name with a newline": ({"project_slug": "orders", "project_name": "a\nb"}, "one line of 1 to 100"),
    "an empty name": ({"project_slug": "orders", "project_name": " "}, "one line of 1 to 100"),
    "a description of many lines": ({"description": "a\nb"}, "one line of 1 to 100"),
    "a description that is too long": ({"description": "a" * 101}, "one line of 1 to 100"),
    "a description with a control character": ({"description": "a\x1b[31m"}, "one line of 1 to 100"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_bad_answer_is_refused_with_its_rule_and_leaves_nothing(
    run: Any, template: Path, tmp_path: Path, case: str
) -> None:
    answers, rule = REFUSED[case]

    answer = run(*cookiecutter(tmp_path, source=template, **answers), check=False)

    assert answer.returncode != 0
    assert rule in answer.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("slug", ["..", "../escape", "/absolute", "a/../../b", "a\\b", ".", ""])
def test_a_slug_that_leads_elsewhere_creates_nothing_there(run: Any, template: Path, tmp_path: Path, slug: Any) -> None:
    output = tmp_path / "deep" / "out"
    output.mkdir(parents=True)

    answer = run(*cookiecutter(output, source=template, project_slug=slug), check=False)

    assert answer.returncode != 0
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize("template_code", ["{{ nothing_of_this_name }}", "{{ 1 + }}", "{% if %}"])
def test_template_code_in_an_answer_is_refused(run: Any, template: Path, tmp_path: Path, template_code: Any) -> None:
    answer = run(*cookiecutter(tmp_path, source=template, description=template_code), check=False)

    assert answer.returncode != 0
    assert list(tmp_path.iterdir()) == []


HARMLESS = [
    'He said "go"',
    "It's \\ fine",
    '""" + __import__("os").getcwd() + """',
    "a {b} ${c} $(d) `e` %f%",
    "# [tool.x] = <html> & | ;",
    "größer, größer",
]


@pytest.mark.parametrize("text", HARMLESS)
def test_odd_text_stays_data(generate: Any, project: Path, tmp_path: Path, text: Any) -> None:
    made = files_of(generate(tmp_path, project_name="Durable Graphs", description=text))

    assert text in made["README.md"].decode()
    assert {name for name, content in made.items() if content != files_of(project)[name]} == {"README.md"}


def test_an_answer_outside_a_choice_is_refused(run: Any, template: Path, tmp_path: Path) -> None:
    answer = run(*cookiecutter(tmp_path, source=template, python_version="2.7"), check=False)

    assert answer.returncode != 0
    assert list(tmp_path.iterdir()) == []
