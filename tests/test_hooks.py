"""Hostile answers are rejected with the rule that they break, or remain data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from cookiecutter.utils import create_env_with_context  # type: ignore[import-untyped]
from nox.project import load_toml
from projects import ROOT, SETTINGS, TEXTS, cookiecutter, files_of, rendered

SUGGESTED = {
    name: "durable-graphs" if name == "project_slug" else SETTINGS[name]
    for name in SETTINGS
    if not name.startswith("__")
}

Faults = Callable[..., list[str]]


@pytest.fixture(scope="module")
def faults() -> Faults:
    """What the hook says to answers, run as cookiecutter runs it: rendered with them."""
    source = (ROOT / "hooks" / "pre_gen_project.py").read_text(encoding="utf-8")

    def said(**answers: str) -> list[str]:
        context = {"cookiecutter": {**SUGGESTED, **answers}}
        script = create_env_with_context(context).from_string(source).render(**context)
        module: dict[str, Any] = {"__name__": "the_hook"}
        exec(compile(script, "pre_gen_project.py", "exec"), module)
        assert {**SUGGESTED, **answers}.items() >= module["ANSWERS"].items(), "an answer did not arrive as it was given"
        return list(module["find_problems"](module["ANSWERS"]))

    return said


ONE_LINE = {
    "nothing": "",
    "a space": " ",
    "a newline": "a\nb",
    "a newline at the end": "orders\n",
    "a carriage return": "a\rb",
    "a tab": "a\tb",
    "an escape sequence": "a\x1b[31m",
    "NUL": "a\0b",
    "a mark that reorders text": "abc\u202ecba",
    "a right-to-left mark": "a\u200fb",
    "a zero-width space": "a\u200bb",
    "a line separator": "a\u2028b",
    "a byte that is not UTF-8": "a\udcffb",
    "300 characters": "a" * 300,
    "300 characters that cannot be seen": "\u202e" * 300,
}
"""What no prompt takes."""


@pytest.mark.parametrize("case", ONE_LINE)
@pytest.mark.parametrize("prompt", TEXTS)
def test_no_prompt_takes_what_is_not_one_printable_line(faults: Faults, prompt: str, case: str) -> None:
    (sentence,) = faults(**{prompt: ONE_LINE[case]})

    assert sentence.startswith(f"{prompt} '")
    assert "it must be " in sentence
    assert sentence.isascii(), "a console of any encoding can print it"
    assert len(sentence) < 2200


@pytest.mark.parametrize(
    "slug",
    [
        "Orders",
        "1st-orders",
        "orders-",
        "-orders",
        "ab",
        "a" * 41,
        "my_orders",
        "my--orders",
        "o'r\"ders",
        "größer",
        "a/b",
        "a\\b",
        "../orders",
        "orders.",
        "{{ orders }}",
        "\U0001d4b6\U0001d4b7\U0001d4b8",
        "com1",
        "nul",
        "aux",
    ],
)
def test_a_slug_names_the_app_in_azure_and_a_folder_everywhere(faults: Faults, slug: str) -> None:
    (sentence,) = faults(project_slug=slug)

    assert "it must be 3 to 40 characters" in sentence or "Windows reserves this name" in sentence


def test_a_slug_is_not_a_name_that_the_projects_lock_has_already(faults: Faults) -> None:
    lock = (ROOT / "{{cookiecutter.project_slug}}" / "uv.lock").read_text(encoding="utf-8")
    locked = set(re.findall(r'(?m)^name = "([a-z0-9-]+)"', lock))

    assert {"requests", "packaging", "pydantic"} <= locked
    assert {name for name in locked if not faults(project_slug=name)} == set(), "add them to PACKAGES in the hook"
    assert "uv.lock cannot contain both" in faults(project_slug="requests")[0]


def test_a_slug_is_not_the_group_of_what_developers_install(faults: Faults) -> None:
    (sentence,) = faults(project_slug="dev")

    assert "the group of packages for development" in sentence


def test_an_address_is_not_an_option_of_git(faults: Faults) -> None:
    (sentence,) = faults(template_url="--upload-pack=touch x")

    assert "not an option of git" in sentence


def test_every_fault_is_told_at_once(faults: Faults) -> None:
    assert len(faults(project_name="", project_slug="X", description="a\nb", copyright_holder=" ")) == 4


def test_the_suggested_answers_are_accepted(faults: Faults) -> None:
    assert faults() == []


@pytest.mark.parametrize("prompt", TEXTS)
def test_a_refused_answer_leaves_nothing_behind(run: Any, template: Path, tmp_path: Path, prompt: str) -> None:
    answer = run(*cookiecutter(tmp_path, source=template, **{prompt: "\u202eA\nb"}), check=False)

    assert answer.returncode != 0
    assert f"error: {prompt} " in answer.stderr
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
    "C:\\new\\table",
    '""" + __import__("os").getcwd() + """',
    "a {b} ${c} $(d) `e` %f%",
    "# [tool.x] = <html> & | ;",
    "größer, 더 크게",
    "😀 and \U0001d4b6",
    "true",
    "a: - b # c",
    "../../etc",
]
"""Text that some format reads as more than text."""


@pytest.mark.parametrize("text", HARMLESS)
def test_odd_text_stays_data_in_every_file(
    faults: Faults, template: Path, environment: dict[str, str], tmp_path: Path, text: str
) -> None:
    prompts = [name for name in TEXTS if name != "project_slug"]
    given = dict.fromkeys(prompts, text)

    assert faults(**given) == []
    made = rendered(
        tmp_path / "odd", template, environment["COOKIECUTTER_CONFIG"], project_slug="orders", licence="MIT", **given
    )
    usual = rendered(
        tmp_path / "usual", template, environment["COOKIECUTTER_CONFIG"], project_slug="orders", licence="MIT"
    )

    assert load_toml(made / "pyproject.toml")["tool"]["durable-graph"]["template"] == text
    assert json.loads((made / ".devcontainer.json").read_text(encoding="utf-8"))["name"] == text
    assert (made / "README.md").read_text(encoding="utf-8").startswith(f"# {text}\n\n{text}\n")
    assert f"Copyright (c) {text}\n" in (made / "LICENSE").read_text(encoding="utf-8")
    before = files_of(usual)
    changed = {name for name, content in files_of(made).items() if content != before[name]}
    assert changed == {".devcontainer.json", "LICENSE", "README.md", "pyproject.toml"}


def test_an_answer_outside_a_choice_is_refused(run: Any, template: Path, tmp_path: Path) -> None:
    answer = run(*cookiecutter(tmp_path, source=template, python_version="2.7"), check=False)

    assert answer.returncode != 0
    assert list(tmp_path.iterdir()) == []
