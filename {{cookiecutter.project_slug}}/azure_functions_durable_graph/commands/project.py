"""The project's own settings: `[tool.durable-graph]` in pyproject.toml."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from ..errors import HostError, PayloadError
from ..graph.documents import read_text

FILE_NAME = "pyproject.toml"
TABLE = "durable-graph"


def project_settings(folder: Path) -> dict[str, Any]:
    """The table of the nearest pyproject.toml, from the folder upwards; empty if none has it.

    Raises HostError for a file that cannot be read.
    """
    for path in (place / FILE_NAME for place in (folder, *folder.parents)):
        if path.is_file():
            table = _read(path)
            if table is not None:
                return table
    return {}


def _read(path: Path) -> dict[str, Any] | None:
    if TABLE not in text_of(path):
        return None
    tools = toml(path).get("tool", {})
    table = tools.get(TABLE) if isinstance(tools, dict) else None
    if table is not None and not isinstance(table, dict):
        raise HostError(f"{path}: tool.{TABLE} must be a table")
    return table


def text_of(path: Path) -> str:
    """The text of a file. Raises HostError if it cannot be read."""
    try:
        return read_text(path)
    except FileNotFoundError:
        raise HostError(f"{path} does not exist") from None
    except PayloadError as error:
        raise HostError(f"{path}: {error}") from None


def toml(path: Path) -> dict[str, Any]:
    """A TOML file as a dict. Raises HostError if it cannot be read."""
    text, parser = text_of(path), _parser(path)
    try:
        document: dict[str, Any] = parser.loads(text)
    except ValueError as error:  # TOMLDecodeError is one
        raise HostError(f"{path} cannot be read: {error}") from None
    return document


def _parser(path: Path) -> Any:
    """The standard library's parser, or on Python 3.10 tomli, which pytest and other tools install."""
    for name in ("tomllib", "tomli"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise HostError(f"{path} cannot be read: Python 3.10 has no TOML parser; run `pip install tomli`")
