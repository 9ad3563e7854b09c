"""The custom status of a run: what it does now, kept under Azure's limit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, cast

from .messages import RunInput, RunStatus

LIMIT_BYTES = 12 * 1024
"""Of UTF-16. The Durable extension fails a run whose custom status takes more than 16 KB of UTF-16; its serializer
may need a little more room than ours, so we stay well below."""

TEXT_LIMIT, SHORT_TEXT_LIMIT, SHORT_LIST_LIMIT = 1000, 200, 8
"""Characters of a text that has to be cut, those of an error that is still too large then, and items of its lists."""

SHORT = 500
"""Characters of a status that need not be measured: as JSON they take six times as much at most."""

_HEAD = ("graph", "version", "hash", "node", "step", "started_at")
"""What every status says."""

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
    if "error" in status:
        status["error"] = _without_frames(status["error"])
    for key in ("branch", "share"):
        if key in run:
            status["part_of"] = run[key]["run"]
    if run.get("tags"):
        status["tags"] = run["tags"]
    if run.get("taken"):
        status["taken"] = run["taken"][-SHOWN_ANSWERS:]
    if len(status) == len(_HEAD) and sum(len(status[key]) for key in _HEAD if key != "step") < SHORT:
        return cast(RunStatus, status)
    for say_less in _SAY_LESS:
        if _size(status) <= LIMIT_BYTES:
            break
        status = say_less(status)
    return cast(RunStatus, status)


def _without_frames(error: Any) -> Any:
    """An error record without lines of code: the history has them, and they would crowd out the errors of a fan-out."""
    if not isinstance(error, dict):
        return error
    kept = {key: value for key, value in error.items() if key != "frames"}
    return {**kept, "errors": [_without_frames(one) for one in kept["errors"]]} if "errors" in kept else kept


def _size(status: dict[str, Any]) -> int:
    return len(json.dumps(status, ensure_ascii=False).encode("utf-16-le", errors="surrogatepass"))


def _cut(value: Any, characters: int, items: int | None = None) -> Any:
    """The value with each text in it cut, and each list where `items` says so."""
    if isinstance(value, str) and len(value) > characters:
        return value[:characters] + "…"
    if isinstance(value, dict):
        return {key: _cut(item, characters, items) for key, item in value.items()}
    if isinstance(value, list):
        return [_cut(item, characters, items) for item in value[:items]]
    return value


def _newest_answers(status: dict[str, Any]) -> dict[str, Any]:
    return {**status, "taken": status["taken"][-SURE_ANSWERS:]} if "taken" in status else status


def _cut_texts(status: dict[str, Any]) -> dict[str, Any]:
    return cast("dict[str, Any]", _cut(status, TEXT_LIMIT))


def _without(key: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
    return lambda status: {name: value for name, value in status.items() if name != key}


def _one_error(status: dict[str, Any]) -> dict[str, Any]:
    """The failures of single branches or items are in the history; what they add up to stays."""
    return {**status, "error": _without("errors")(status["error"])} if "error" in status else status


def _cut_error(status: dict[str, Any]) -> dict[str, Any]:
    error = status.get("error")
    return {**status, "error": _cut(error, SHORT_TEXT_LIMIT, SHORT_LIST_LIMIT)} if error else status


_SAY_LESS = (_newest_answers, _cut_texts, _without("note"), _without("prompt"), _one_error, _cut_error)
"""How a status that is too large says less, in this order, until it fits."""
