"""JSON files that people and tools may have damaged: read completely, or rejected with one sentence.

Raises PayloadError, never another type. Its text is meant to follow the file's name: `{name}: {error}`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ..errors import PayloadError


def read_text(path: Path) -> str:
    """A UTF-8 file's text, without a byte order mark. FileNotFoundError is not caught."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        raise
    except OSError as error:
        raise PayloadError(f"it cannot be read ({why(error)})") from None
    except ValueError:
        raise PayloadError("it is not UTF-8 text") from None


def parse_object(text: str) -> dict[str, Any]:
    """A JSON object without duplicate keys, in which every number is finite and every string can be encoded."""
    if any(line.startswith("<<<<<<< ") for line in text.splitlines()):
        raise PayloadError("it contains a merge conflict")
    try:
        value = json.loads(text, object_pairs_hook=_without_duplicates, parse_constant=_reject_constant)
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode("utf-8")
    except PayloadError:
        raise
    except RecursionError:
        raise PayloadError("it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise PayloadError(f"line {error.lineno}, column {error.colno}: not JSON ({error.msg})") from None
    except UnicodeEncodeError:
        raise PayloadError("it contains a lone surrogate") from None
    except ValueError:
        raise PayloadError("it contains a number that JSON cannot represent") from None
    if not isinstance(value, dict):
        raise PayloadError(f"expected a JSON object, not {type(value).__name__}")
    return value


def why(error: OSError) -> str:
    """The system's reason, without the error number and the path: `Permission denied`."""
    return error.strerror or type(error).__name__


def _without_duplicates(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise PayloadError(f"an object has the key {twice!r} twice")
    return found


def _reject_constant(name: str) -> Any:
    raise PayloadError(f"{name} is not a JSON value")
