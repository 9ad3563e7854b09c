"""The custom status of a run: what it does now, kept under Azure's limit."""

from __future__ import annotations

import json
from typing import Any, cast

from .messages import RunInput, RunStatus

LIMIT_BYTES = 12 * 1024
"""Of UTF-16. The Durable extension fails a run whose custom status takes more than 16 KB of UTF-16; its serializer
may need a little more room than ours, so we stay well below."""

TEXT_LIMIT = 1000

SHOWN_ANSWERS, SURE_ANSWERS = 40, 12
"""Answers that the status lists, and how many of them even where it is too large. Those of earlier generations are in
the run's input; a run that has taken more than the second in this one continues as new before it waits again."""


def run_status(run: RunInput, **details: Any) -> RunStatus:
    """The status to publish, with what is set of RunStatus' optional keys. Too large, it says less; it never fails."""
    plan = run["plan"]
    status: dict[str, Any] = {
        "graph": plan["graph"],
        "version": plan["version"],
        "hash": plan["hash"],
        "node": run["node"],
        "step": run["step"],
        "started_at": run["started_at"],
        **{key: value for key, value in details.items() if value},
    }
    if "branch" in run:
        status["part_of"] = run["branch"]["run"]
    if run.get("tags"):
        status["tags"] = run["tags"]
    if run.get("taken"):
        status["taken"] = run["taken"][-SHOWN_ANSWERS:]
    if _size(status) > LIMIT_BYTES and "taken" in status:
        status["taken"] = status["taken"][-SURE_ANSWERS:]
    if _size(status) > LIMIT_BYTES:
        status = _shortened(status)
    for key in ("note", "prompt"):
        if _size(status) > LIMIT_BYTES:
            status.pop(key, None)
    if _size(status) > LIMIT_BYTES and "error" in status:
        status["error"] = {"type": "TooLarge", "message": "the error is in the run's history"}
    return cast(RunStatus, status)


def _size(status: dict[str, Any]) -> int:
    return len(json.dumps(status, ensure_ascii=False).encode("utf-16-le", errors="surrogatepass"))


def _shortened(value: Any) -> Any:
    if isinstance(value, str) and len(value) > TEXT_LIMIT:
        return value[:TEXT_LIMIT] + "…"
    if isinstance(value, dict):
        return {key: _shortened(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_shortened(item) for item in value]
    return value
