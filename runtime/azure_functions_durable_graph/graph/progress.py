"""What a node may report of its progress: a fraction, or a small JSON object."""

from __future__ import annotations

from numbers import Real
from typing import Any, Union

from .plain_json import canonical, check, parse

MOST_BYTES = 1000
"""Of JSON. A report is a message in the task hub's queue, and all reports of a run are one entity's state."""

ProgressValue = Union[float, dict[str, Any]]


def progress_value(value: Any) -> ProgressValue:
    """The value as it is reported: a float between 0 and 1, or a copy of the dict.

    Raises TypeError for another type, ValueError for a number outside of 0 to 1 or an object that is too large, and
    PayloadError, a ValueError, for what is not plain JSON.
    """
    if isinstance(value, Real) and not isinstance(value, bool):
        number: Any = value
        if not 0 <= number <= 1:
            raise ValueError(
                "context.progress takes a fraction between 0 and 1; pass counts as a dict, as in {'done': 3, 'of': 8}"
            )
        return float(number)
    if not isinstance(value, dict):
        kind = type(value).__name__
        raise TypeError(f"context.progress takes a fraction between 0 and 1 or a dict of JSON values, not {kind}")
    check(value, "progress")
    text = canonical(value)
    if len(text) > MOST_BYTES:
        raise ValueError(f"context.progress takes at most {MOST_BYTES} bytes of JSON, not {len(text)}")
    copied: dict[str, Any] = parse(text)
    return copied
