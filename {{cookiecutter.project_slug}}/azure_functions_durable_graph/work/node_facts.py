"""Where in which run code runs: the same facts as attributes of log records and spans, and as text in our own lines.

Azure's Python worker sends the host a record's text only. What is in a record's attributes reaches Application Insights
(as `customDimensions`) through OpenTelemetry's logging handler, which takes every attribute that is not logging's own.
"""

from __future__ import annotations

import contextlib
import json
import logging
import re
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any

from ..graph.registration import GraphRegistration
from ..run.messages import NodeCall

PREFIX = "durable_graph."
"""Begins the name of every attribute: `extra` of the user's may have keys such as `node`, and logging raises KeyError
for one that a record already has."""

FACTS = ("run_id", "graph", "version", "node", "step", "attempt", "branch", "item")
"""In the order in which a line has them. `branch` and `item` are those of a parallel and a map; queries skip them."""

_PLAIN = re.compile(r"[\w.:-]+", re.ASCII)

_HERE: ContextVar[Mapping[str, Any] | None] = ContextVar("durable_graph", default=None)


def facts_of(call: NodeCall, graph: GraphRegistration | None) -> dict[str, Any]:
    """The facts of one call of the node activity; without the version, where the graph is not deployed."""
    known: dict[str, Any] = {**call, "attempt": call.get("attempt", 1)}
    if graph is not None:
        known["version"] = graph.manifest.version
    return {key: known[key] for key in FACTS if key in known}


def attributes(facts: Mapping[str, Any]) -> dict[str, Any]:
    """The facts under the names that records and spans have."""
    return {PREFIX + key: value for key, value in facts.items()}


def as_text(facts: Mapping[str, Any]) -> str:
    """`run_id=order_flow.1 graph=order_flow node=ship step=2`. What is not one word is quoted as in JSON."""
    return " ".join(f"{key}={_quoted(value)}" for key, value in facts.items())


def _quoted(value: Any) -> str:
    text = f"{value:.3f}" if isinstance(value, float) else str(value)
    return text if _PLAIN.fullmatch(text) else json.dumps(text, ensure_ascii=False)


def item_here() -> int | None:
    """The index of the item that the code runs for, if any."""
    here = _HERE.get() or {}
    return here.get(f"{PREFIX}item")


@contextlib.contextmanager
def known_to_logs(facts: Mapping[str, Any]) -> Iterator[None]:
    """Give every record that is made in this context, and in threads and tasks that begin in it, the attributes."""
    _chain_record_factory()
    token = _HERE.set(attributes(facts))
    try:
        yield
    finally:
        _HERE.reset(token)


def _chain_record_factory() -> None:
    """Put our record factory on top of the one that is set now, unless it is there already.

    The app may set its own at any time; it is kept, and called.
    """
    present = logging.getLogRecordFactory()
    if not getattr(present, "adds_node_facts", False):
        logging.setLogRecordFactory(_adding_facts(present))


def _adding_facts(make: Callable[..., logging.LogRecord]) -> Callable[..., logging.LogRecord]:
    def make_record(*args: Any, **keywords: Any) -> logging.LogRecord:
        record = make(*args, **keywords)
        here = _HERE.get()
        if here is not None:
            record.__dict__.update(here)
        return record

    make_record.adds_node_facts = True  # type: ignore[attr-defined]
    return make_record
