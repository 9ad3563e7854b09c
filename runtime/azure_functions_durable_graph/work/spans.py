"""OpenTelemetry spans, by the API that the app or the Durable SDK has loaded: nothing of it is imported here.

A span begins and ends in one process, so there is one for the start of a run and one for each attempt at a node. They
are recorded only where an SDK is configured. Without one the caller's trace context is still the current one in the
block, so that instrumented clients, the Durable SDK's among them, pass it on.

Whatever OpenTelemetry, its processors or exporters raise is logged, and fails no node.
"""

from __future__ import annotations

import contextlib
import logging
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from ..run.messages import ErrorRecord, TraceContext
from .trace_context import is_sampled, read_trace, trace_id

TRACER = "azure_functions_durable_graph"

logger = logging.getLogger(__name__)


class Span:
    """A span that has begun; without OpenTelemetry it takes everything and does nothing."""

    def __init__(self, otel: Any = None, span: Any = None) -> None:
        self._otel, self._span = otel, span

    @property
    def trace(self) -> TraceContext | None:
        """What others need to go on below this span; None where there is no valid one."""
        context = None if self._span is None else self._span.get_span_context()
        if context is None or not context.is_valid:
            return None
        parent = f"00-{context.trace_id:032x}-{context.span_id:016x}-{int(context.trace_flags):02x}"
        return read_trace({"traceparent": parent, "tracestate": context.trace_state.to_header()})

    def set(self, name: str, value: Any) -> None:
        """Set an attribute."""
        if self._span is not None:
            with _harmless():
                self._span.set_attribute(name, value)

    def fail(self, error: ErrorRecord, stack: str) -> None:
        """Mark the span as failed, with an exception event: what the run's error says, and the user's frames."""
        if self._span is None:
            return
        with _harmless():
            kind, text = error["type"], error["message"]
            event = {"exception.type": kind, "exception.message": text, "exception.stacktrace": stack}
            self._span.set_attribute("error.type", kind)
            self._span.add_event("exception", event)
            self._span.set_status(self._otel.Status(self._otel.StatusCode.ERROR, f"{kind}: {text}"))


def current_trace() -> TraceContext | None:
    """The trace context of the current span; None without OpenTelemetry, or outside of any valid span."""
    otel = sys.modules.get("opentelemetry.trace")
    return None if otel is None else Span(otel, otel.get_current_span()).trace


@contextlib.contextmanager
def span(
    name: str, attributes: Mapping[str, Any], *, host: TraceContext | None = None, carried: TraceContext | None = None
) -> Iterator[Span]:
    """A span around the block, which is the current one meanwhile.

    Its parent is the current span, if there is one; else that of the host's invocation, else what the run carries. The
    host's, where it is not recorded and the run's is, would hide the span. A span in another trace than the one that
    the run carries has a link to that.
    """
    otel = sys.modules.get("opentelemetry.trace")
    begun = None
    if otel is not None:
        with _harmless():
            begun = _begin(otel, name, attributes, host, carried)
    if begun is None:
        yield Span()
        return
    try:
        with _current(otel, begun):
            yield Span(otel, begun)
    finally:
        with _harmless():
            begun.end()


def _begin(
    otel: Any, name: str, attributes: Mapping[str, Any], host: TraceContext | None, carried: TraceContext | None
) -> Any:
    current = otel.get_current_span().get_span_context()
    context, trace = None, f"{current.trace_id:032x}" if current.is_valid else None
    if trace is None:
        unseen = host is not None and carried is not None and is_sampled(carried) and not is_sampled(host)
        parent = carried if host is None or unseen else host
        above = None if parent is None else otel.NonRecordingSpan(_span_context(otel, parent))
        context = None if above is None else otel.set_span_in_context(above)
        trace = None if parent is None else trace_id(parent)
    elsewhere = carried is not None and trace is not None and trace != trace_id(carried)
    links = [otel.Link(_span_context(otel, carried))] if elsewhere else None
    tracer = otel.get_tracer(TRACER)
    return tracer.start_span(name, context=context, attributes=dict(attributes), links=links)


def _span_context(otel: Any, trace: TraceContext | None) -> Any:
    assert trace is not None
    _, trace_hex, span_hex, flags = trace["traceparent"].split("-")
    state = otel.TraceState.from_header([trace["tracestate"]]) if "tracestate" in trace else None
    return otel.SpanContext(int(trace_hex, 16), int(span_hex, 16), True, otel.TraceFlags(int(flags, 16)), state)


def _current(otel: Any, begun: Any) -> Any:
    """Make a span the current one. What user code raises is a value by the time it comes here."""
    return otel.use_span(begun, end_on_exit=False, record_exception=False, set_status_on_exception=False)


@contextlib.contextmanager
def _harmless() -> Iterator[None]:
    try:
        yield
    except Exception:
        logger.warning("OpenTelemetry has failed; the node is not affected", exc_info=True)
