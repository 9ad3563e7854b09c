"""Type checkers find mistakes in handlers, routes, payloads and items, and nothing in what is right."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import checkers
import pytest

FOLDER = Path(__file__).parent / "typed_uses"
RIGHT, WRONG = FOLDER / "right.py", FOLDER / "wrong.py"

Check = Callable[..., checkers.Found]


def marked(tool: str) -> list[int]:
    """The lines of wrong.py that a tool must find."""
    lines = enumerate(WRONG.read_text(encoding="utf-8").splitlines(), start=1)
    return [number for number, line in lines if line.endswith(("# E", f"# E ({tool})"))]


@pytest.mark.parametrize("tool", ["mypy", "pyright"])
def test_right_uses_are_accepted_and_each_wrong_use_is_found(tool: str, tmp_path: Path) -> None:
    check: Check = getattr(checkers, tool)

    found = check(tmp_path, RIGHT, WRONG)

    assert {place: text for place, text in found.items() if place[0] == RIGHT.name} == {}
    assert sorted(line for name, line in found if name == WRONG.name) == marked(tool)
