"""`serve --reload`: serves in a child process, and restarts it when a file changes. Runs are stored, and continue."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

NOT_WATCHED = frozenset({"tests", "dist", "build", "node_modules", "graphs.lock.json", "runtime.lock.json"})
"""Names in the app's folder that are not part of the served app, or that commands write."""

SUFFIXES = frozenset({".py", ".json", ".toml"})
PAUSE = 0.5
"""Seconds between two scans of the files."""

STOP = 10
"""Seconds that a child has to finish running functions: more than the child gives them."""


def _pause() -> None:
    time.sleep(PAUSE)


Stamps = dict[Path, tuple[int, int]]


def stamps(folder: Path) -> Stamps:
    """Time and size of every file that may be part of the app, without hidden folders, caches and environments."""
    found: Stamps = {}
    for root, folders, names in os.walk(folder):
        left_out = NOT_WATCHED if Path(root) == folder else frozenset()
        folders[:] = [name for name in folders if name not in left_out and not _is_hidden(root, name)]
        for name in names:
            path = Path(root, name)
            if path.suffix in SUFFIXES and name not in left_out:
                try:
                    state = path.stat()
                except OSError:  # it was removed meanwhile
                    continue
                found[path] = (state.st_mtime_ns, state.st_size)
    return found


def _is_hidden(root: str, name: str) -> bool:
    return name.startswith((".", "__")) or Path(root, name, "pyvenv.cfg").exists()


def stamps_of_all(folders: Sequence[Path]) -> Stamps:
    """The stamps of several folders: an app's, and those of the libraries beside it."""
    return {path: stamp for folder in folders for path, stamp in stamps(folder).items()}


def changed(old: Stamps, new: Stamps) -> list[Path]:
    """The files that were added, removed or changed."""
    return sorted(path for path in {*old, *new} if old.get(path) != new.get(path))


def watch(
    folder: Path, scan: Callable[[Path], Stamps] = stamps, pause: Callable[[], None] = _pause
) -> Iterator[Stamps]:
    """The stamps of the folder's files, repeatedly, each time when writing has stopped: one save may be many writes."""
    last = scan(folder)
    while True:
        yield last
        pause()
        while (now := scan(folder)) != last:
            last = now
            pause()


def supervise(arguments: Sequence[str], folder: Path, seen: Iterator[Stamps], say: Callable[[str], None]) -> None:
    """Run `serve` with these arguments until Ctrl-C or SIGTERM, and restart it whenever a file has changed.

    An app that does not load, or has ended, prints why and is started again at the next change.
    """
    previous = signal.signal(signal.SIGTERM, interrupt)
    last = next(seen)
    try:
        while (files := _run(arguments, last, seen)) is not None:
            paths, last = files
            say(f"{os.path.relpath(paths[0], folder)} has changed: restarting")
    except KeyboardInterrupt:
        return
    finally:
        signal.signal(signal.SIGTERM, previous)


def _run(arguments: Sequence[str], last: Stamps, seen: Iterator[Stamps]) -> tuple[list[Path], Stamps] | None:
    """Run a child until files have changed. Returns these and the new stamps, or None if `seen` has ended."""
    child = subprocess.Popen([sys.executable, "-m", __package__.split(".")[0], "serve", *arguments])
    try:
        for now in seen:
            if files := changed(last, now):
                return files, now
        return None
    except KeyboardInterrupt:
        wait_on_windows(child)
        raise
    finally:
        stop(child)


def interrupt(number: int, frame: object) -> None:
    """Handle a signal like Ctrl-C."""
    raise KeyboardInterrupt


def wait_on_windows(child: subprocess.Popen[bytes]) -> None:
    """After Ctrl-C: on Windows it has reached the child, too, and `terminate` would kill it immediately."""
    if os.name == "nt":
        _wait(child)


def stop(child: subprocess.Popen[bytes]) -> None:
    """Let it finish running functions; another signal to us does not wait."""
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
