"""Requests as people paste them into a shell: curl in bash and zsh, Invoke-RestMethod in PowerShell."""

from __future__ import annotations

import shlex
from dataclasses import dataclass

ROOT = "http://127.0.0.1:7071"
BASE = f"{ROOT}/api"


@dataclass(frozen=True)
class Command:
    """The request that a command sends; `path` is below the app's routes, or that of an endpoint of the host itself.

    `body` is None where it sends none.
    """

    method: str
    path: str
    content_type: str | None = None
    body: str | None = None


def read_command(line: str) -> Command:
    """Read one line. Both shells take what is in single quotes as it stands."""
    program, *words = shlex.split(line)
    return {"curl": _curl, "Invoke-RestMethod": _powershell}[program](words)


def _curl(words: list[str]) -> Command:
    if words[0] != "-X":
        (url,) = words
        return Command("GET", _path(url))
    options = dict(zip(words[3::2], words[4::2], strict=True))
    return Command(words[1], _path(words[2]), options["-H"].removeprefix("Content-Type: "), options["-d"])


def _powershell(words: list[str]) -> Command:
    options = dict(zip(words[::2], words[1::2], strict=True))
    method = options.get("-Method", "Get").upper()
    return Command(method, _path(options["-Uri"]), options.get("-ContentType"), options.get("-Body"))


def _path(url: str) -> str:
    assert url.startswith((f"{BASE}/", f"{ROOT}/admin/")), url
    return url.removeprefix(BASE).removeprefix(ROOT)
