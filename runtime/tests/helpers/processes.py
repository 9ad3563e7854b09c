"""Python with the runtime on its path, and the local host, as processes of their own."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

COMMAND_LINE = ("-m", "azure_functions_durable_graph")


def environment(**more: str) -> dict[str, str]:
    """The environment of a child that can import what this process can."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}


def spawn(*words: str | Path) -> subprocess.Popen[str]:
    """Start Python with pipes to its stdin and stdout."""
    return subprocess.Popen(
        [sys.executable, *map(str, words)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=environment(),
    )


@contextlib.contextmanager
def running(*words: str | Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A Python process and the first line that it prints. It is killed when the block ends."""
    with spawn(*words) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.kill()


@contextlib.contextmanager
def serving(folder: Path, *options: str, memory: bool = True) -> Iterator[tuple[Any, str]]:
    """`serve` on a free port: the process, and the URL of the app's routes. Runs are kept in memory, or on disk."""
    kept = ["--memory"] if memory else []
    with running(*COMMAND_LINE, "serve", "--port", "0", *kept, *options, folder) as (process, line):
        yield process, served_url(line)


def served_url(line: str) -> str:
    """The URL in the first line that `serve` prints."""
    found = re.search(r"http://\S+", line)
    assert found is not None, f"not served: {line!r}"
    return found.group()
