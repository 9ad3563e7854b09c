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
    try:
        text = read_text(path)
    except PayloadError as error:
        raise HostError(f"{path}: {error}") from None
    if TABLE not in text:
        return None
    toml = toml_parser(path)
    try:
        table = toml.loads(text).get("tool", {}).get(TABLE)
    except (ValueError, AttributeError) as error:  # TOMLDecodeError is a ValueError
        raise HostError(f"{path} cannot be read: {error}") from None
    if table is not None and not isinstance(table, dict):
        raise HostError(f"{path}: tool.{TABLE} must be a table")
    return table


def toml_parser(path: Path) -> Any:
    """The standard library's parser, or on Python 3.10 tomli, which pytest and other tools install."""
    for name in ("tomllib", "tomli"):
        try:
            return importlib.import_module(name)
        except ImportError:
            continue
    raise HostError(f"{path} cannot be read: Python 3.10 has no TOML parser; run `pip install tomli`")
