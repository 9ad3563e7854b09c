"""docs/troubleshooting.md quotes messages as the code writes them."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import pytest
from projects import ROOT

PAGE = (ROOT / "docs" / "troubleshooting.md").read_text(encoding="utf-8")
SOURCE = ROOT / "runtime" / "azure_functions_durable_graph"

QUOTES = re.findall(r"^> `(.*)`$", PAGE, re.MULTILINE)
SYMPTOMS = re.findall(r"^### (.*)$", PAGE, re.MULTILINE)


def messages() -> Iterator[str]:
    """Every text in the code, with … for each value that is put into it, as a message or as a log record."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                yield "".join(str(part.value) if isinstance(part, ast.Constant) else "…" for part in node.values)
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield re.sub(r"%[srd]", "…", node.value)


MESSAGES = "\n".join(messages())


@pytest.mark.parametrize("quote", QUOTES)
def test_the_message_is_written_so(quote: str) -> None:
    assert quote in MESSAGES


def test_the_page_covers_what_users_meet_first() -> None:
    assert len(SYMPTOMS) >= 30
    assert len(set(QUOTES)) == len(QUOTES) >= 40


def test_each_symptom_is_followed_by_what_to_do() -> None:
    for section in re.split(r"^### ", PAGE, flags=re.MULTILINE)[1:]:
        told = [line for line in section.split("\n## ")[0].splitlines()[1:] if line and not line.startswith(">")]
        assert len(" ".join(told)) > 60, section.splitlines()[0]


def test_links_lead_to_headings() -> None:
    for page, heading in re.findall(r"\((\w*\.?m?d?)#([\w-]+)\)", PAGE):
        text = PAGE if not page else (ROOT / "docs" / page).read_text(encoding="utf-8")
        anchors = {
            re.sub(r"[^\w -]", "", found).lower().replace(" ", "-") for found in re.findall(r"^#+ (.*)$", text, re.M)
        }
        assert heading in anchors, f"{page}#{heading}"
