"""A line on the terminal while something takes long; nothing where nobody watches."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Callable, Iterator

WIDTH = 79


@contextlib.contextmanager
def shown(text: str) -> Iterator[Callable[[str], None]]:
    """Show `text` on standard error while the block runs, and then what is passed to the function that it yields.

    The line is removed at the end. Nothing is written if standard error is not a terminal.
    """
    watched = sys.stderr.isatty()

    def tell(now: str) -> None:
        if watched:
            sys.stderr.write(f"\r{now[:WIDTH].ljust(WIDTH)}")
            sys.stderr.flush()

    tell(text)
    try:
        yield tell
    finally:
        tell("")
        if watched:
            sys.stderr.write("\r")
