"""The node activity in Azure: what the worker's invocation lends to a node.

Loaded with the first call of a node, not with the app.
"""

from __future__ import annotations

import functools
from typing import Any

from ..work.activity import Lent, run_node
from ..work.registry import Registry
from ..work.trace_context import trace_of
from .progress import reporter_for
from .threads import in_thread, label_of


async def run(registry: Registry, call: Any, context: Any, client: Any = None) -> dict[str, Any]:
    """Run one node for the invocation of `context`, with a durable client if the app shows progress."""
    threads = functools.partial(in_thread, context, label_of(call, registry))
    lent = Lent(threads, trace_of(context), functools.partial(reporter_for, context, client))
    return dict(await run_node(registry, call, lent))
