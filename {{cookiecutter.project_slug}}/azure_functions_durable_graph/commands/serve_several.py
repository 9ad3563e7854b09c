"""`serve` for a project with several apps: a process and a port for each, and every line says whose it is."""

from __future__ import annotations

import queue
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Thread

from ..errors import HostError
from .reload import interrupt, stop, wait_on_windows
from .workspace import APPS, SCRIPT, read_project


def folders_to_serve(folders: Sequence[str]) -> list[Path]:
    """The folders of all apps that these folders mean: an app's own, or those of every app of a project."""
    found: list[Path] = []
    for folder in (Path(name).resolve() for name in folders):
        if not (folder / SCRIPT).is_file() and (folder / APPS).is_dir():
            found += [app.folder for app in read_project(folder).apps]
        else:
            found.append(folder)
    return list(dict.fromkeys(found))


def ports_for(folders: Sequence[Path], port: int) -> list[int]:
    """A port for each app, one after the other. Raises HostError if they do not end in time."""
    if port + len(folders) - 1 > 65535:
        raise HostError(f"--port {port} leaves no room for {len(folders)} apps; a port must be between 0 and 65535")
    return [port + place if port else 0 for place in range(len(folders))]


def serve_several(folders: Sequence[Path], port: int, options: Sequence[str], say: Callable[[str], None]) -> int:
    """Serve each app in a process of its own until Ctrl-C or SIGTERM; returns an exit code.

    If one of them ends by itself, the others are stopped, too: half of a system is not what one wants to test.
    """
    width = max(len(folder.name) for folder in folders)
    ports = ports_for(folders, port)
    previous = signal.signal(signal.SIGTERM, interrupt)
    ended: queue.Queue[str] = queue.Queue()
    children: list[subprocess.Popen[bytes]] = []
    readers: list[Thread] = []
    try:
        for folder, number in zip(folders, ports, strict=True):
            child = _start(folder, [f"--port={number}", *options])
            children.append(child)
            readers.append(Thread(target=_read, args=(child, folder.name, width, say, ended), daemon=True))
            readers[-1].start()
        say(f"{_first(ended)} has ended: stopping the others")
        return 1
    except KeyboardInterrupt:
        for child in children:
            wait_on_windows(child)
        return 0
    finally:
        for child in children:
            child.terminate()
        for child in children:
            stop(child)
        for reader in readers:
            reader.join(timeout=5)
        signal.signal(signal.SIGTERM, previous)


def _first(ended: queue.Queue[str]) -> str:
    """The name of the first app that ends. On Windows, Ctrl-C interrupts only a wait that has a limit."""
    while True:
        try:
            return ended.get(timeout=0.5)
        except queue.Empty:
            continue


def _start(folder: Path, options: Sequence[str]) -> subprocess.Popen[bytes]:
    words = [sys.executable, "-m", __package__.split(".")[0], "serve", str(folder), *options]
    return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)


def _read(
    child: subprocess.Popen[bytes], name: str, width: int, say: Callable[[str], None], ended: queue.Queue[str]
) -> None:
    """Print what an app prints, with its name before each line, and tell when it ends."""
    for line in child.stdout or ():
        say(f"{name:{width}} | {line.decode('utf-8', 'replace').rstrip()}")
    ended.put(name)
