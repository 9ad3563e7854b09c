"""Moves the app at a project's root to `apps/NAME`, once, when the second app arrives."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from ..errors import HostError
from ..graph.documents import why
from .baseline import REFUSES, no_repository
from .package import TARGET, deployed_files, ignored_by
from .staged_requirements import FILE
from .vendored import PACKAGE
from .workspace import APPS, Project

BESIDE_THE_CODE = ("tests", "demo.py", "local.settings.json", "local.settings.example.json", ".durable")
"""What belongs to an app and is not deployed."""

STAY = frozenset({PACKAGE, FILE, APPS, "libs", TARGET})


def move_to_apps(project: Project) -> list[str]:
    """Move what is deployed of the app at the root, and its tests and settings, to `apps/NAME`. What was moved.

    Raises HostError if files have changed since the last commit, or cannot be moved; nothing has changed then.
    """
    (app,) = project.apps
    names = parts_of_the_app(project.root)
    _check_committed(project.root)
    target = project.root / APPS / app.name
    done: list[str] = []
    try:
        target.mkdir(parents=True)
        for name in names:
            os.replace(project.root / name, target / name)
            done.append(name)
    except OSError as error:
        for name in reversed(done):
            os.replace(target / name, project.root / name)
        raise HostError(
            f"{error.filename} cannot be moved to {APPS}/{app.name}: {why(error)}; nothing has changed. "
            "Close the programs that use it, and try again"
        ) from None
    return [f"the app at the root has moved to {APPS}/{app.name}: {', '.join(names)}", *_staged(project.root, target)]


def parts_of_the_app(root: Path) -> list[str]:
    """The names at the root that belong to the app: what Azure gets of it, its tests and its settings."""
    deployed = {name.parts[0] for name in deployed_files(root, ignored_by(root))} - STAY
    code = {name for name in deployed if not name.startswith(".")}
    return sorted(name for name in {*code, *BESIDE_THE_CODE} if (root / name).exists())


def _staged(root: Path, target: Path) -> list[str]:
    """Stage the move, and only the move, so that it becomes a commit in which git sees that files were moved."""
    if _git(root, "add", "--update", "--", ".") is None or _git(root, "add", "--", str(target)) is None:
        return []
    return ["the move, and nothing else, is staged in git: review it (git status), and commit it before you continue"]


def _check_committed(root: Path) -> None:
    """Refuse to move files that have changed: the move is a commit of its own, which can be reviewed."""
    changed = _git(root, "status", "--porcelain", "--untracked-files=no", "--", ".")
    refusal = no_repository(root) if changed is None else None
    if refusal is not None and refusal.startswith(REFUSES):
        raise HostError(f"{refusal}, so it is unknown whether everything is committed; nothing has changed")
    if changed:
        first = ", ".join(line[3:] for line in changed.splitlines()[:3])
        raise HostError(
            f"files have changed since the last commit ({first}); commit them first, because the app at the root "
            f"moves to {APPS}/, which should be a commit of its own"
        )


def _git(folder: Path, *words: str) -> str | None:
    """What a git command prints; None if it fails, or there is no git."""
    try:
        done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, check=False)
    except OSError:
        return None
    return done.stdout.decode("utf-8", "replace") if done.returncode == 0 else None
