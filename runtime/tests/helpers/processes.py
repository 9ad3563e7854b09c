"""Python with the runtime on its path, and the local host, as processes of their own."""

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
from typing import Any

import httpx

COMMAND_LINE = ("-m", "azure_functions_durable_graph")

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
    """Start Python with pipes to its stdin and stdout; `options` are those of Popen."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, **options}
    return subprocess.Popen([sys.executable, *map(str, words)], text=True, env=environment(), **pipes)


@contextlib.contextmanager
def running(*words: str | Path, **options: Any) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A Python process and the first line that it prints. It is killed when the block ends."""
    with spawn(*words, **options) as process:
        try:
            assert process.stdout is not None
            yield process, process.stdout.readline()
        finally:
            process.kill()


@contextlib.contextmanager
def serving(
    folder: Path, *arguments: str, memory: bool = True, program: tuple[str, ...] = COMMAND_LINE, **options: Any
) -> Iterator[tuple[Any, str]]:
    """`serve` on a free port: the process, and the URL of the app's routes. Runs are kept in memory, or on disk."""
    kept = ["--memory"] if memory else []
    with running(*program, "serve", "--port", "0", *kept, *arguments, folder, **options) as (process, line):
        yield process, served_url(line)


def served_url(line: str) -> str:
    """The URL of the app in the first line that `serve` prints, which is that of its studio if it has one."""
    found = re.search(r"http://\S+", line)
    assert found is not None, f"not served: {line!r}"
    return found.group().removesuffix("/studio")


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_served(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Repeat the request until the server answers."""
    deadline = time.monotonic() + 60
    while True:
        try:
            response: httpx.Response = ask()
        except httpx.TransportError:
            assert time.monotonic() < deadline
        else:
            return response


def until(condition: Callable[[], bool]) -> None:
    """Ask until it holds."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
