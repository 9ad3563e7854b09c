"""`serve --reload`: serve in a child process, and begin again when a file changes. Runs are in the store, and go on."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

NOT_WATCHED = frozenset({"tests", "dist", "build", "node_modules", "graphs.lock.json", "runtime.lock.json"})
"""Names in the app's folder that are not part of what is served, or that commands write."""

SUFFIXES = frozenset({".py", ".json", ".toml"})
PAUSE = 0.5
"""Seconds between two looks at the files."""

STOP = 10
"""Seconds that a child has for what is at work: more than it gives its functions."""


def _pause() -> None:
    time.sleep(PAUSE)


Stamps = dict[Path, tuple[int, int]]


def stamps(folder: Path) -> Stamps:
    """Time and size of every file that the app may be made of: hidden folders, caches and environments are left out."""
    found: Stamps = {}
    for root, folders, names in os.walk(folder):
        left_out = NOT_WATCHED if Path(root) == folder else frozenset()
        folders[:] = [name for name in folders if name not in left_out and not _is_hidden(root, name)]
        for name in names:
            path = Path(root, name)
            if path.suffix in SUFFIXES and name not in left_out:
                try:
                    state = path.stat()
                except OSError:  # it has just been removed
                    continue
                found[path] = (state.st_mtime_ns, state.st_size)
    return found


def _is_hidden(root: str, name: str) -> bool:
    return name.startswith((".", "__")) or Path(root, name, "pyvenv.cfg").exists()


def changed(old: Stamps, new: Stamps) -> list[Path]:
    """The files that are new, gone, or not as they were."""
    return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))


def looks(
    folder: Path, look: Callable[[Path], Stamps] = stamps, pause: Callable[[], None] = _pause
) -> Iterator[Stamps]:
    """The folder's files, again and again, each time at rest: one save may be several writes."""
    last = look(folder)
    while True:
        yield last
        pause()
        while (now := look(folder)) != last:
            last = now
            pause()


def supervise(arguments: Sequence[str], folder: Path, seen: Iterator[Stamps], say: Callable[[str], None]) -> None:
    """Run `serve` with these arguments until Ctrl-C or SIGTERM, and again whenever what is seen has changed.

    An app that does not load says why and is tried again at the next change, as is one that has ended.
    """
    previous = signal.signal(signal.SIGTERM, _interrupt)
    last = next(seen)
    try:
        while (files := _run(arguments, last, seen)) is not None:
            paths, last = files
            say(f"{paths[0].relative_to(folder)} has changed: starting again")
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, previous)


def _run(arguments: Sequence[str], last: Stamps, seen: Iterator[Stamps]) -> tuple[list[Path], Stamps] | None:
    """Run a child until something has changed: gives what, and how all looks now; None where nothing more is seen."""
    child = subprocess.Popen([sys.executable, "-m", __package__.split(".")[0], "serve", *arguments])
    try:
        for now in seen:
            if files := changed(last, now):
                return files, now
        return None
    except KeyboardInterrupt:
        if os.name == "nt":  # Ctrl-C has reached the child, too, and `terminate` would kill it at once
            _wait(child)
        raise
    finally:
        _stop(child)


def _interrupt(number: int, frame: object) -> None:
    raise KeyboardInterrupt


def _stop(child: subprocess.Popen[bytes]) -> None:
    """Let it end what is at work; a further signal to us does not wait."""
    child.terminate()
    if not _wait(child):
        child.kill()
        child.wait()


def _wait(child: subprocess.Popen[bytes]) -> bool:
    try:
        child.wait(STOP)
    except (subprocess.TimeoutExpired, KeyboardInterrupt):
        return False
    return True
