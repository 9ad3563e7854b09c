"""Python with the runtime on its path, and the local host, as processes of their own. The benchmarks use this, too."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

T = TypeVar("T")

MODULE = ("-m", "azure_functions_durable_graph")

WAITING = """
from datetime import timedelta
from pydantic import BaseModel
from azure_functions_durable_graph import DurableGraphApp, ManifestBuilder

class State(BaseModel):
    said: str = ""

builder = ManifestBuilder("patient", State).set_entrypoint("wait")
builder.add_wait("wait", duration=timedelta(days=30), next_node="say")
builder.add_node("say", lambda state: {"said": "WORD"}, terminal=True)
runtime = DurableGraphApp()
runtime.register_registration(builder.build())
app = runtime.function_app
"""
"""An app whose runs wait for 30 days."""


def environment(**more: str) -> dict[str, str]:
    """The environment of a child that can import what this process can."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), **more}


def spawn(*words: str | Path, **options: Any) -> subprocess.Popen[str]:
    """Start Python; its stdout is a pipe. `options` are those of Popen."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, **options}
    return subprocess.Popen([sys.executable, *map(str, words)], text=True, env=environment(), **pipes)


@contextlib.contextmanager
def running(*words: str | Path, **options: Any) -> Iterator[tuple[Any, str]]:
    """A Python process and the first line that it prints. It is killed when the block ends."""
    with spawn(*words, **options) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.kill()


@contextlib.contextmanager
def serving(
    folder: Path, *arguments: str, program: tuple[str, ...] = MODULE, **options: Any
) -> Iterator[tuple[Any, str]]:
    """Serve the app in a folder on a free port: the process, and the URL of the app's routes."""
    with running(*program, "serve", "--port", "0", *arguments, folder, **options) as (process, line):
        found = re.search(r"http://\S+", line)
        assert found is not None, f"not served: {line!r}"
        yield process, found.group()


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_served(ask: Callable[[], T]) -> T:
    """Repeat a request until the server answers."""
    import httpx  # which benchmarks do not need

    deadline = time.monotonic() + 60
    while True:
        try:
            return ask()
        except httpx.TransportError:
            assert time.monotonic() < deadline


def until(condition: Callable[[], bool]) -> None:
    """Ask until it holds."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
