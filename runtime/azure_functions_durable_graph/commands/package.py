"""The command `package`: stage what is deployed, and nothing else.

Only `.funcignore` says what Azure does not need, so that this and `func azure functionapp publish` agree.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

from ..errors import HostError

IGNORE_FILE = ".funcignore"
TARGET = Path("dist") / "app"


def package(project: Path) -> str:
    """Copy what `.funcignore` does not exclude into `dist/app`, which is emptied first. Raises HostError."""
    if not (project / IGNORE_FILE).is_file():
        raise HostError(f"{project} has no {IGNORE_FILE}; run this in the folder of a function app")
    files = list(deployed_files(project))
    target = project / TARGET
    shutil.rmtree(target, ignore_errors=True)
    for name in files:
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project / name, target / name)
    return f"staged {len(files)} files in {TARGET.as_posix()}"


def deployed_files(project: Path) -> Iterator[Path]:
    """The files that `.funcignore` does not exclude, as paths relative to the project, without what is staged."""
    ignored = _matcher((project / IGNORE_FILE).read_text(encoding="utf-8"))
    for root, folders, names in os.walk(project):
        here = Path(root).relative_to(project)
        folders[:] = sorted(
            name for name in folders if here / name != TARGET.parent and not ignored(f"{(here / name).as_posix()}/")
        )
        yield from (here / name for name in sorted(names) if not ignored((here / name).as_posix()))


def _matcher(text: str) -> Callable[[str], bool]:
    try:
        from pathspec import GitIgnoreSpec
    except ImportError:
        raise HostError("`package` needs pathspec, which is in requirements-dev.txt; use `nox -s package`") from None
    spec = GitIgnoreSpec.from_lines(text.splitlines())
    return lambda path: bool(spec.match_file(path))
