"""The line of the user's code at which an error was raised, for one sentence instead of a traceback.

Errors of a graph surface deep inside this package, pydantic or the import machinery; what a person can fix is the
innermost frame that belongs to none of them.
"""

from __future__ import annotations

import linecache
import os
import sysconfig
import traceback
from collections.abc import Iterator

from ..graph.places import display_path

_PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_STANDARD = {sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib")}
_OTHERS = tuple(os.path.join(folder, "") for folder in {_PACKAGE, *_STANDARD})
_INSTALLED = frozenset({"site-packages", "dist-packages", "__pypackages__"})
_LONGEST_LINE = 200
MOST_FRAMES = 4
"""Lines of the user's code that an error's record shows."""


def user_frame(error: BaseException) -> str:
    """`graphs/order.py, line 7: total = price * count`; "" if no file is known.

    For a syntax error, the line that does not parse. If only installed code was running, its innermost frame.
    """
    if isinstance(error, SyntaxError) and error.filename and os.path.isfile(error.filename):
        return _describe(error.filename, error.lineno or 1, error.text or "")
    frames = list(_frames(error))
    mine = [frame for frame in frames if is_user_code(frame[0])]
    for filename, line in reversed(mine or frames):
        return _describe(filename, line, "")
    return ""


def user_frames(error: BaseException) -> list[str]:
    """The innermost lines of the user's code that led to an error, the last one last; [] if none is known."""
    mine = [frame for frame in _frames(error) if is_user_code(frame[0])]
    return [_describe(filename, line, "") for filename, line in mine[-MOST_FRAMES:]]


def is_user_code(filename: str) -> bool:
    """Whether a file belongs neither to this package nor to the standard library, and was not installed."""
    path = os.path.abspath(filename)
    return not (filename.startswith("<") or path.startswith(_OTHERS) or _INSTALLED & set(path.split(os.sep)))


def _frames(error: BaseException) -> Iterator[tuple[str, int]]:
    for frame, line in traceback.walk_tb(error.__traceback__):
        if not frame.f_code.co_filename.startswith("<frozen"):
            yield frame.f_code.co_filename, line


def _describe(filename: str, line: int, text: str) -> str:
    source = (text or linecache.getline(filename, line)).strip()[:_LONGEST_LINE]
    place = f"{display_path(filename)}, line {line}"
    return f"{place}: {source}" if source else place
