"""The command `new-lib`: adds a typed package in `libs/` that every app can import, with its test."""

from __future__ import annotations

from pathlib import Path

from ..errors import HostError
from ..graph.documents import why
from .names_of_parts import check_library_name
from .project import toml
from .workspace import APPS, LIBRARIES, SETTINGS, read_project

_SETTINGS = """# What the library needs. `nox -s requirements` enters it into uv.lock and requirements.txt.

[project]
name = "{distribution}"
version = "0"
requires-python = "{python}"
dependencies = []

[build-system]
requires = ["hatchling>=1.27,<2"]
build-backend = "hatchling.build"
"""

_PACKAGE = '''"""{title}: describe here what it is for. Every app can `import {name}`."""


def example(text: str) -> str:
    """Replace this with code of your own."""
    return text.strip()
'''

_TEST = '''"""{title}: describe here what is tested."""

import {name}


def test_the_example_removes_blanks_at_both_ends() -> None:
    assert {name}.example(" a b ") == "a b"
'''


def new_lib(root: Path, name: str) -> list[Path]:
    """Write `libs/NAME` with its package and its test; the files.

    Raises HostError for a name that cannot be used or is taken, and for a project with one app at its root.
    """
    name = name.replace("-", "_")
    check_library_name(name)
    project = read_project(root)
    if project.is_flat:
        raise HostError(
            "libraries are for code that several apps share, and this project has one app: write a module beside "
            "its graphs/, or add an app first (`nox -s new-app -- NAME`)"
        )
    folder = root / LIBRARIES / name
    if folder.exists():
        raise HostError(f"{LIBRARIES}/{name} already exists")
    for app in project.apps:
        if app.name.replace("-", "_") == name:
            raise HostError(f"{name!r} is the name of the app {APPS}/{app.name}; choose another")
        if (app.folder / name).exists() or (app.folder / f"{name}.py").exists():
            raise HostError(f"the app {app.name!r} has a module {name!r}, which would hide the library; choose another")
    values = {
        "name": name,
        "title": " ".join(word.capitalize() for word in name.split("_") if word),
        "distribution": name.replace("_", "-"),
        "python": toml(root / SETTINGS)["project"].get("requires-python", ">=3.10"),
    }
    files = {
        folder / SETTINGS: _SETTINGS.format(**values),
        folder / "src" / name / "__init__.py": _PACKAGE.format(**values),
        folder / "src" / name / "py.typed": "",
        folder / "tests" / f"test_{name}.py": _TEST.format(**values),
    }
    for path, text in files.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        except OSError as error:
            raise HostError(f"{path.relative_to(root)} cannot be written: {why(error)}") from None
    return list(files)
