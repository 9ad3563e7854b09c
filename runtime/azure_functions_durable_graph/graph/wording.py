"""Helpers for messages about a user's values: short representations, and corrections of names."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_LONGEST = 80


def brief_repr(value: Any) -> str:
    """A value as a message shows it: its repr, shortened; its type if the repr fails."""
    try:
        text = repr(value)
    except Exception:  # a user's __repr__, or an int of more than 4,300 digits
        return f"a {type(value).__name__}"
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def counted(number: int, noun: str) -> str:
    """`1 fault`, `2 faults`: a count with its noun, which takes a plain s."""
    return f"{number} {noun}{'' if number == 1 else 's'}"


def correction(wrong: Any, known: Iterable[str], otherwise: str) -> str:
    """How to fix a wrong name: `Did you mean 'ship'? Otherwise, add that node`.

    `otherwise` is the advice, in the imperative, for somebody who meant a name that does not exist yet.
    """
    from difflib import get_close_matches  # needed only when something is wrong

    names = sorted(known)
    near = get_close_matches(str(wrong), names, n=1)
    if near:
        return f"Did you mean {near[0]!r}? Otherwise, {otherwise[:1].lower()}{otherwise[1:]}"
    listed = f", or use one of {', '.join(map(repr, names))}" if names else ""
    return f"{otherwise}{listed}"
