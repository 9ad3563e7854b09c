"""JSON files that people and tools may have damaged: read whole, or refused with one sentence.

Raises PayloadError, never another type. Its text goes on where the file's name stands: `{name}: {error}`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import PayloadError


def read_text(path: Path) -> str:
    """A UTF-8 file's text, without a byte order mark. FileNotFoundError passes through."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise PayloadError(f"it cannot be read ({why(error)})") from None
    except ValueError:
        raise PayloadError("it is not UTF-8 text") from None


def parse_object(text: str) -> dict[str, Any]:
    """A JSON object in which every key stands once, every number is finite and every string can be encoded."""
    if any(line.startswith("<<<<<<< ") for line in text.splitlines()):
        raise PayloadError("it holds a merge conflict")
    try:
        value = json.loads(text, object_pairs_hook=_once, parse_constant=_refuse)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except PayloadError:
        raise
    except RecursionError:
        raise PayloadError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise PayloadError(f"line {error.lineno}, column {error.colno}: not JSON ({error.msg})") from None
    except UnicodeEncodeError:
        raise PayloadError("it holds a lone surrogate") from None
    except ValueError:
        raise PayloadError("it holds a number that JSON cannot carry") from None
    if not isinstance(value, dict):
        raise PayloadError(f"a JSON object was expected, not {type(value).__name__}")
    return value


def why(error: OSError) -> str:
    """What the system says, without its number and the path: `Permission denied`."""
    return error.strerror or type(error).__name__


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise PayloadError(f"the key {twice!r} stands in one object twice")
    return found


def _refuse(name: str) -> Any:
    raise PayloadError(f"{name} is not a JSON value")
