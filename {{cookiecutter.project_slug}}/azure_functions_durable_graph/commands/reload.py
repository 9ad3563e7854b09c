"""`serve --reload`: serve in a child process, and begin again when a file changes. Runs are in the store, and go on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

SUFFIXES = frozenset({".py", ".json", ".toml"})
PAUSE = 0.5
"""Seconds between two looks at the files."""

STOP = 10
"""Seconds that a child has for what is at work."""

Stamps = dict[Path, tuple[int, int]]


def stamps(folder: Path) -> Stamps:
    """Time and size of every file that the app may be made of: hidden folders and caches are left out."""
    found: Stamps = {}
    for root, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "__")) and name != "node_modules"]
        for name in names:
            path = Path(root, name)
            if path.suffix in SUFFIXES:
                try:
                    state = path.stat()
                except OSError:  # it has just been removed
                    continue
                found[path] = (state.st_mtime_ns, state.st_size)
    return found


def changed(old: Stamps, new: Stamps) -> list[Path]:
    """The files that are new, gone, or not as they were."""
    return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))


def looks(folder: Path) -> Iterator[Stamps]:
    """The folder's files, again and again."""
    while True:
        yield stamps(folder)
        time.sleep(PAUSE)


def supervise(arguments: Sequence[str], folder: Path, seen: Iterator[Stamps], say: Callable[[str], None]) -> None:
    """Run `serve` with these arguments until Ctrl-C, and again whenever what is seen has changed.

    An app that does not load says why and is tried again at the next change.
    """
    command = [sys.executable, "-m", __package__.split(".")[0], "serve", *arguments]
    last = next(seen)
    while True:
        child = subprocess.Popen(command)
        try:
            for now in seen:
                if files := changed(last, now):
                    last = now
                    break
            else:
                return
        except KeyboardInterrupt:
            return
        finally:
            _stop(child)
        say(f"{files[0].relative_to(folder)} has changed: starting again")


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
