"""How a file is named in a message."""

from __future__ import annotations

import os


def shown(file: str) -> str:
    """A path below the working folder from there on, any other as its folder and name; with "/" on every system."""
    path, here = os.path.abspath(file), os.path.join(os.getcwd(), "")
    if path.startswith(here):
        return path[len(here) :].replace(os.sep, "/")
    return "/".join(path.split(os.sep)[-2:])
