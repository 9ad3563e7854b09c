"""Where a graph is built: the module and line of the user's code, to tell two graphs of the same name apart."""

from __future__ import annotations

import os
import sys

from ..graph.places import display_path

_PACKAGE = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "")


def caller() -> str:
    """The nearest caller outside this package: `graphs.order_flow (graphs/order_flow.py, line 80)`."""
    frame = sys._getframe(1)
    while os.path.abspath(frame.f_code.co_filename).startswith(_PACKAGE):
        if frame.f_back is None:
            return ""
        frame = frame.f_back
    module = frame.f_globals.get("__name__", "?")
    return f"{module} ({display_path(frame.f_code.co_filename)}, line {frame.f_lineno})"
