"""File names that work on every file system: Windows reserves some, and macOS and Windows ignore case."""

from __future__ import annotations

import hashlib
import re

_DEVICES = frozenset({"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(10))})


def is_device(name: str) -> bool:
    """Whether Windows reserves the name for a device, regardless of its suffix and case: `aux`, `NUL.json`."""
    return name.partition(".")[0].lower() in _DEVICES


def distinct_stem(text: str) -> str:
    """A file name without a suffix, different for each text, even on a file system that ignores case.

    A text that is already a safe name is not changed; any other gets a digest.
    """
    if re.fullmatch(r"[a-z0-9][a-z0-9._-]*", text) and not is_device(text):
        return text
    digest = hashlib.sha256(text.encode()).hexdigest()[:8]
    return f"{re.sub(r'[^a-z0-9_-]', '_', text.lower())}-{digest}"
