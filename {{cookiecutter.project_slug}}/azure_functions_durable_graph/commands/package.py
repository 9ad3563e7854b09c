"""The command `package`: stage what is deployed of each app, and nothing else.

Only `.funcignore` says what Azure does not need, so that this and `func azure functionapp publish` agree on an app at
the root. An app in `apps/` is staged with the runtime and the libraries that it imports beside it.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..errors import HostError
from ..graph.documents import why
from .library_imports import libraries_in
from .names_of_parts import collisions
from .project import text_of
from .staged_requirements import FILE, requirements_of
from .vendored import PACKAGE
from .workspace import App, Project, read_project

IGNORE_FILE = ".funcignore"
TARGET = "dist"

Ignored = Callable[[str], bool]


def package(root: Path, names: Iterable[str] = ()) -> list[str]:
    """Stage the apps with these names, or all, each in `dist/NAME`, which is emptied first; a sentence for each.

    Raises HostError for an app that does not exist, names that collide, and files that cannot be read or written.
    """
    project = read_project(root)
    if found := list(collisions(project)):
        raise HostError("; ".join(found))
    return [_stage(project, app) for app in project.chosen(names)]


def _stage(project: Project, app: App) -> str:
    files, text = staged_files(project, app)
    target = project.root / TARGET / app.name
    try:
        shutil.rmtree(target, ignore_errors=True)
        for name, source in files.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, target / name)
        if text is not None:
            (target / FILE).write_text(text, encoding="utf-8")
    except OSError as error:
        raise HostError(f"{error.filename or target} cannot be staged: {why(error)}") from None
    return f"staged {len(files) + (text is not None)} files of {app.name} in {TARGET}/{app.name}"


def staged_files(project: Project, app: App) -> tuple[dict[str, Path], str | None]:
    """The files of an app as Azure gets them, by their path there, and its requirements.txt unless it is among them."""
    ignored = ignored_by(project.root)
    own = {name.as_posix(): app.folder / name for name in deployed_files(app.folder, ignored)}
    if project.is_flat:
        return own, None
    libraries = libraries_in(project, (path for path in own.values() if path.suffix == ".py"))
    beside = {PACKAGE: project.root, **{library.name: library.source for library in libraries}}
    for name, folder in beside.items():
        files = deployed_files(folder, ignored, Path(name))
        own.update({path.as_posix(): folder / path for path in files})
    return own, requirements_of(project, app, libraries)


def deployed_files(folder: Path, ignored: Ignored, below: Path = Path()) -> Iterator[Path]:
    """The files below `folder / below` that `.funcignore` does not exclude, as paths relative to `folder`."""
    for root, folders, names in os.walk(folder / below):
        here = Path(root).relative_to(folder)
        folders[:] = sorted(
            name for name in folders if here / name != Path(TARGET) and not ignored(f"{(here / name).as_posix()}/")
        )
        yield from (here / name for name in sorted(names) if not ignored((here / name).as_posix()))


def ignored_by(root: Path) -> Ignored:
    """Whether a path, a folder's with a slash at its end, is excluded. Raises HostError without a .funcignore."""
    if not (root / IGNORE_FILE).exists():
        raise HostError(f"{root} has no {IGNORE_FILE}; run this in the folder of a project")
    text = text_of(root / IGNORE_FILE)
    try:
        from pathspec import GitIgnoreSpec
    except ImportError:
        raise HostError("`package` needs pathspec, which is in requirements-dev.txt; use `nox -s package`") from None
    spec = GitIgnoreSpec.from_lines(text.splitlines())
    return lambda path: bool(spec.match_file(path))
