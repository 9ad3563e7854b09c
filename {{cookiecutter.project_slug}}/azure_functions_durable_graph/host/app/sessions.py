"""Runs of our own orchestrator that are kept where they wait, so that what happens next need not be replayed.

A replay gives the same, as the orchestrator depends on its input and its history only: whatever is not kept, or does
not follow what was seen last, is replayed from the start.
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Any

from ...azure import sdk
from ..engine.messages import EpisodeContext

MOST = 256
"""Runs that `serve` keeps, those that went on last."""


class Sessions:
    """The kept runs of one worker, by their ids: at most so many."""

    def __init__(self, most: int) -> None:
        self.most = most
        self._kept: OrderedDict[str, tuple[sdk.Session, str, int]] = OrderedDict()

    def call(self, code: Any, context: EpisodeContext) -> str:
        """One episode of the orchestrator that the SDK's wrapper `code` calls. Returns and raises as that does."""
        session, generation, seen = self._kept.pop(context.instance_id, (None, "", 0))
        if session is not None and generation == context.execution_id and seen <= context.known:
            state = session.go_on(context.new)
        else:
            session = sdk.Session(code, context)
            state = session.begin()
        if not session.over:
            seen = context.known + len(context.new)
            self._kept[context.instance_id] = (session, context.execution_id, seen)
            if len(self._kept) > self.most:
                self._kept.popitem(last=False)
        return state
