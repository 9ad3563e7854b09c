"""The apps and libraries of a project, found by its folders alone.

A project begins with one app at its root. `new-app` moves it to `apps/`; from then on each folder of `apps/` with a
function_app.py is an app, and each folder of `libs/` with a pyproject.toml is a library that every app can import.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from ..errors import HostError
from .project import text_of

APPS, LIBRARIES, SCRIPT, SETTINGS = "apps", "libs", "function_app.py", "pyproject.toml"


@dataclass(frozen=True)
class App:
    """A function app: its name, which it also has in Azure, and its folder."""

    name: str
    folder: Path


@dataclass(frozen=True)
class Library:
    """A package that apps import under its name, which is also that of its folder."""

    name: str
    folder: Path

    @property
    def source(self) -> Path:
        """The folder that belongs on the path."""
        return self.folder / "src"

    @property
    def package(self) -> Path:
        """The package's own folder."""
        return self.source / self.name


@dataclass(frozen=True)
class Project:
    """A repository, with its apps and libraries in the order of their names."""

    root: Path
    name: str
    apps: tuple[App, ...]
    libraries: tuple[Library, ...] = ()

    @property
    def is_flat(self) -> bool:
        """Whether the only app is at the root."""
        return [app.folder for app in self.apps] == [self.root]

    def app(self, name: str | None) -> App:
        """An app by its name; without a name, the only one. Raises HostError for no such app."""
        names = ", ".join(app.name for app in self.apps)
        if name is None and len(self.apps) == 1:
            return self.apps[0]
        if name is None:
            raise HostError(f"this project has several apps; name one with --app ({names})")
        found = [app for app in self.apps if app.name == name]
        if not found:
            raise HostError(f"there is no app {name!r} in this project; it has {names}")
        return found[0]

    def chosen(self, names: Iterable[str]) -> list[App]:
        """The apps with these names, or all of them if there are no names."""
        return [self.app(name) for name in names] or list(self.apps)


def read_project(root: Path) -> Project:
    """The project in a folder. Raises HostError if there is no app in it."""
    scripts = sorted(root.glob(f"{APPS}/*/{SCRIPT}"))
    apps = [App(script.parent.name, script.parent) for script in scripts]
    if (root / SCRIPT).is_file():
        if apps:
            raise HostError(f"{root} has a {SCRIPT} and apps in {APPS}/; move the former to {APPS}/, or remove it")
        apps = [App(project_name(root), root)]
    if not apps:
        raise HostError(f"{root} has neither a {SCRIPT} nor apps in {APPS}/; run this in the folder of a project")
    name = project_name(root)
    libraries = [Library(path.parent.name, path.parent) for path in sorted(root.glob(f"{LIBRARIES}/*/{SETTINGS}"))]
    return Project(root, name, tuple(apps), tuple(libraries))


def project_name(root: Path) -> str:
    """The name in pyproject.toml: that of the first app, too, wherever it is.

    Read as text, since Python 3.10 has no TOML and most sessions install no parser.
    """
    section = re.search(r"(?ms)^\[project\][^\n]*\n(.*?)(?=^\[|\Z)", text_of(root / SETTINGS))
    name = re.search(r"""(?m)^name\s*=\s*["']([a-z][a-z0-9-]*)["']""", section[1] if section else "")
    if name is None:
        raise HostError(f"{root / SETTINGS} must have a [project] with a name of a-z, 0-9 and '-'")
    return name[1]


def app_folder(root: Path, name: str | None) -> Path:
    """The folder of an app by its name; without a name, that of the only one. Raises HostError for no such app."""
    return root if name is None and not (root / APPS).is_dir() else read_project(root).app(name).folder


def project_of(folder: Path) -> Path:
    """The root of the project that an app's folder belongs to."""
    return folder.parent.parent if folder.parent.name == APPS else folder


def root_before_move(folder: Path) -> Path | None:
    """Where an app was before others came: the root for the app that is called as the project, None for any other."""
    root = project_of(folder)
    return root if root != folder and folder.name == project_name(root) else None


def use_libraries(folder: Path) -> list[Path]:
    """Make the libraries of an app's project importable, as they are beside the app in Azure; their folders."""
    sources = [path.parent / "src" for path in sorted(project_of(folder).glob(f"{LIBRARIES}/*/{SETTINGS}"))]
    sys.path[:0] = [str(source) for source in sources if str(source) not in sys.path]
    return sources


def python_files(folder: Path) -> Iterator[Path]:
    """Every Python file below a folder, without hidden folders, caches and virtual environments."""
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.is_dir() and not path.name.startswith((".", "__")) and not (path / "pyvenv.cfg").exists():
            yield from python_files(path)
        elif path.suffix == ".py" and path.is_file():
            yield path
