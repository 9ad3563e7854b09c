"""`serve` in a process of its own, as people start it."""

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


def environment() -> dict[str, str]:
    """The environment of the tests, with their import path."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}


@contextlib.contextmanager
def serving(folder: Path, *arguments: str, program: tuple[str, ...] = MODULE, **options: Any) -> Iterator[Any]:
    """Serve the app in a folder on a free port; gives the process and the URL with the prefix."""
    command = [sys.executable, *program, "serve", "--port", "0", *arguments, str(folder)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.DEVNULL, **options}
    with subprocess.Popen(command, text=True, env=environment(), **pipes) as process:
        try:
            assert process.stdout is not None
            found = re.search(r"http://\S+", process.stdout.readline())
            assert found is not None
            yield process, found.group()
        finally:
            process.kill()


def free_port() -> int:
    """A port that nobody uses now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until_served(ask: Callable[[], httpx.Response]) -> httpx.Response:
    """Ask until there is somebody to answer."""
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
