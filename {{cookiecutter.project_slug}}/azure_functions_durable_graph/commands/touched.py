"""The command `apps`: the apps and libraries of a project, or those that a change touches, for a pipeline's matrix."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Collection, Iterable
from fnmatch import fnmatch
from pathlib import Path

from ..errors import HostError
from .library_imports import libraries_of
from .names_of_parts import collisions
from .workspace import APPS, LIBRARIES, App, Library, Project

HARMLESS = (
    "*.md",
    "docs/*.md",
    "LICENSE",
    "infra/*",
    "azure.yaml",
    "compose.yaml",
    "AGENTS.md",
    ".vscode/*",
    ".github/ISSUE_TEMPLATE/*",
    ".github/dependabot.yml",
    ".devcontainer.json",
    ".gitignore",
    ".gitattributes",
    ".pre-commit-config.yaml",
)
"""Files that no app contains and no session reads. A change of any other file at the root touches every app."""


def check_names(project: Project) -> None:
    """Raise HostError, which lists the names that collide."""
    if found := list(collisions(project)):
        raise HostError("; ".join(found))


def describe(project: Project) -> str:
    """One line for each app and library: where it is, and which libraries an app imports."""
    lines = []
    for app in project.apps:
        used = ", ".join(library.name for library in libraries_of(project, app)) or "no libraries"
        lines.append(f"app      {app.name:20} {app.folder.relative_to(project.root).as_posix():25} imports {used}")
    for library in project.libraries:
        lines.append(f"library  {library.name:20} {library.folder.relative_to(project.root).as_posix()}")
    return "\n".join(lines)


def touched(project: Project, base: str | None, say: Callable[[str], None]) -> dict[str, list[str]]:
    """The names of the apps and libraries that have changed since a git revision, users of libraries included.

    Without a revision, and if it is not in this clone, everything. Files that are not committed count, too.
    """
    every = {"apps": [app.name for app in project.apps], "libs": [library.name for library in project.libraries]}
    if base is None:
        return every
    files = changed_files(project.root, base)
    if files is None:
        say(f"{base} is not a revision of this clone, so every app counts as changed")
        return every
    return touched_by(project, files)


def touched_by(project: Project, files: Iterable[str]) -> dict[str, list[str]]:
    """The names of the apps and libraries that contain one of the files, or import a library that does."""
    libraries = {library.name: library for library in project.libraries}
    apps, libs = set[str](), set[str]()
    for file in files:
        kind, name = (*file.split("/"), "")[:2]
        if kind == APPS and not project.is_flat:
            apps.add(name)
        elif kind == LIBRARIES and name in libraries:
            libs.add(name)
        elif not _is_harmless(file):
            apps |= {app.name for app in project.apps}
            libs |= set(libraries)
    changed = frozenset(libs)
    libs |= {one.name for one in project.libraries if _imports(project, one, changed)}
    apps |= {one.name for one in project.apps if _imports(project, one, changed)}
    return {
        "apps": [app.name for app in project.apps if app.name in apps],
        "libs": [name for name in libraries if name in libs],
    }


def _is_harmless(file: str) -> bool:
    """Whether no app contains a file. `*.md` is one at the root: prompts beside a graph are a part of it."""
    return any(fnmatch(file, pattern) and ("/" in pattern or "/" not in file) for pattern in HARMLESS)


def _imports(project: Project, part: App | Library, names: Collection[str]) -> bool:
    return any(library.name in names for library in libraries_of(project, part))


def changed_files(root: Path, base: str) -> list[str] | None:
    """The files that differ from a git revision, relative to the root; None if there is no such revision."""
    known = _git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{base}^{{commit}}")
    if known is None:
        return None
    differing = _git(root, "diff", "--name-only", "--no-renames", "--relative", "-z", known.strip(), "--") or ""
    new = _git(root, "ls-files", "--others", "--exclude-standard", "-z") or ""
    return [name for name in (differing + new).split("\0") if name]


def _git(root: Path, *words: str) -> str | None:
    """What a git command prints, or None if it fails."""
    try:
        done = subprocess.run(["git", "-C", str(root), *words], capture_output=True, check=False)
    except (OSError, ValueError) as error:
        raise HostError(f"git cannot be run: {error}") from None
    return done.stdout.decode("utf-8", "surrogateescape") if done.returncode == 0 else None
