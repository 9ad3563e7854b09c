"""Git in tests: as somebody with a name, whatever the machine's own settings are."""

from __future__ import annotations

import subprocess
from pathlib import Path

IDENTITY = {"user.name": "a", "user.email": "a@example.com", "commit.gpgsign": "false", "core.autocrlf": "false"}


def git(folder: Path, *words: str) -> str:
    """Run git in a folder; returns what it has printed."""
    settings = [word for name, value in IDENTITY.items() for word in ("-c", f"{name}={value}")]
    done = subprocess.run(["git", *settings, *words], cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def commit(folder: Path) -> Path:
    """Commit everything that is there."""
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "a step")
    return folder


def repository(folder: Path) -> Path:
    """Make the folder a repository with one commit, on the branch `main`."""
    git(folder, "init", "--quiet", "--initial-branch", "main")
    return commit(folder)
