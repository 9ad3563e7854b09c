"""How a message names a file."""

from __future__ import annotations

import os


def display_path(file: str) -> str:
    """A path below the working folder, relative to it; any other as folder and name; with "/" on every system."""
    path, here = os.path.abspath(file), os.path.join(os.getcwd(), "")
    if path.startswith(here):
        return path[len(here) :].replace(os.sep, "/")
    return "/".join(path.split(os.sep)[-2:])
