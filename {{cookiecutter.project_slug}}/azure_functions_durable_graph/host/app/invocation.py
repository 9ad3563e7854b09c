"""What one invocation gets besides its input: the context, and an object for each output binding.

The shapes are those of the Python worker (bindings/context.py, tracecontext.py, retrycontext.py, out.py).
"""

from __future__ import annotations

import os
import re
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import azure.functions as func

from ...azure.threads import Threads

_TRACE_PARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-([0-9a-f]{2})")
_STORAGE = threading.local()
"""One per process, as in the worker: its `invocation_id` tells a logging handler which invocation logs."""


@dataclass(frozen=True)
class TraceContext:
    """The W3C trace context of an invocation, under the old and the new names."""

    trace_parent: str = ""
    trace_state: str = ""
    attributes: dict[str, str] = field(default_factory=dict)

    @property
    def Traceparent(self) -> str:  # noqa: N802 - the worker's name
        return self.trace_parent

    @property
    def Tracestate(self) -> str:  # noqa: N802 - the worker's name
        return self.trace_state

    @property
    def Attributes(self) -> dict[str, str]:  # noqa: N802 - the worker's name
        return self.attributes


@dataclass(frozen=True)
class RetryContext:
    """Retries of the function by the host; this host makes none."""

    retry_count: int = 0
    max_retry_count: int = 0
    exception: Any = None
    rpc_exception: Any = None


def trace_of(headers: Mapping[str, str]) -> TraceContext:
    """A span of the trace that a request is part of (headers in lower case), or of a new trace."""
    found = _TRACE_PARENT.fullmatch(headers.get("traceparent", ""))
    trace, flags = found.groups() if found else (os.urandom(16).hex(), "00")
    return TraceContext(f"00-{trace}-{os.urandom(8).hex()}-{flags}", headers.get("tracestate", "") if found else "")


class InvocationContext(func.Context):
    """The argument of a parameter named `context`.

    `threads` lends our activity the host's pool, `reporter_for` what a test's host has for reports of progress.
    """

    def __init__(
        self, function_name: str, directory: str, threads: Threads, trace: TraceContext, reporter_for: Any = None
    ) -> None:
        self.threads, self.reporter_for = threads, reporter_for
        self._name, self._directory, self._trace = function_name, directory, trace
        self._id = str(uuid.uuid4())

    @property
    def invocation_id(self) -> str:
        return self._id

    @property
    def function_name(self) -> str:
        return self._name

    @property
    def function_directory(self) -> str:
        return self._directory

    @property
    def thread_local_storage(self) -> Any:
        return _STORAGE

    @property
    def trace_context(self) -> Any:
        return self._trace

    @property
    def retry_context(self) -> Any:
        return RetryContext()


class Output(func.Out[Any]):
    """Takes the value of an output binding."""

    def __init__(self) -> None:
        self._value: Any = None

    def set(self, val: Any) -> None:
        """Keep the value; a later one replaces it."""
        self._value = val

    def get(self) -> Any:
        """The value, or None if it is not set."""
        return self._value
