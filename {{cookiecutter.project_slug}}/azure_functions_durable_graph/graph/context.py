"""What a handler may know about its call, besides the state."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from .progress import progress_value

if sys.version_info >= (3, 11):
    from typing import NotRequired
else:
    from typing_extensions import NotRequired


class NodeError(TypedDict):
    """What failed: `context.error` in the node to which `on_error` has led.

    `type` is the name of the exception's class, `bases` those of its base classes, nearest first; `where` names the
    code that raised (handler, route, …), `node` and `step` the place, `attempts` how often it was tried; `errors` lists
    the failures of branches, items or a child run.
    """

    type: str
    bases: list[str]
    message: str
    where: str
    node: str
    step: int
    attempts: int
    errors: NotRequired[list[dict[str, Any]]]


@dataclass(frozen=True)
class NodeContext:
    """The optional last argument of a handler: `def handler(state, context)`.

    `attempt` counts from 1. `idempotency_key` is the same for every attempt of a step and different for every step,
    branch and item: pass it to any service that must recognise a repeated call. `error` is set in the node to which
    `on_error` has led, and None elsewhere.
    """

    run_id: str
    graph: str
    graph_hash: str
    version: str
    node: str
    step: int
    attempt: int
    idempotency_key: str
    metadata: Mapping[str, Any] = field(default_factory=dict)
    error: NodeError | None = None

    def progress(self, value: float | dict[str, Any]) -> None:
        """Report how far the node has got: a fraction between 0 and 1, or a dict of at most 1,000 bytes of JSON.

        `GET runs/{id}` shows the newest value while the node runs; of values in quick succession some are dropped. It
        may be called as often as you like, from any thread, and does nothing unless the app has `progress=True`.
        Raises TypeError or ValueError for any other value.
        """
        report: Callable[[Any], None] | None = vars(self).get("_report")
        known = progress_value(value)
        if report is not None:
            report(known)

    def reporting_to(self, report: Callable[[Any], None]) -> NodeContext:
        """The context, whose progress goes there. Not a field: a context can be copied, pickled and compared."""
        object.__setattr__(self, "_report", report)
        return self

    def __getstate__(self) -> dict[str, Any]:
        """The fields, and nothing of the process."""
        return {name: value for name, value in vars(self).items() if name != "_report"}


def idempotency_key(run_id: str, step: int, branch: str | None = None, item: int | None = None) -> str:
    """The key of one step of one run, or of one of its branches or items."""
    parts = [run_id, str(step), *([branch] if branch else []), *([str(item)] if item is not None else [])]
    return ":".join(parts)
