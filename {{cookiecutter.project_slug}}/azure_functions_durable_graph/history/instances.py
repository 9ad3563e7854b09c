"""Whether an instance in the hub is a run of a graph, and what of its custom status can be understood.

Anybody with access to the hub can start an instance under our orchestrator's name, with any input. An instance whose
input does not have the shape of RunInput is not a run: to the API it is what a foreign orchestration is, none.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, cast

from ..errors import PayloadError
from ..graph.names import is_run_id
from ..graph.plan import nodes_of
from ..run.inputs import original_input
from ..run.messages import RunInput

_RUN: dict[str, type] = {
    "plan": dict,
    "input": dict,
    "metadata": dict,
    "started_at": str,
    "state": dict,
    "node": str,
    "step": int,
    "trail": list,
}
_OPTIONAL: dict[str, type] = {"taken": list, "discarded": list, "same": list, "tags": dict, "origin": dict}
_OPTIONAL |= {"branch": dict, "written": dict, "share": dict, "item": dict, "results": list, "trace": dict}
_BRANCH: dict[str, type] = {"run": str, "node": str, "name": str}
_SHARE: dict[str, type] = {"run": str, "node": str, "items": list, "limit": int}
_WRITTEN: dict[str, type] = {"fields": list, "updates": list, "merge": bool}
_PARTS = {"branch": _BRANCH, "written": _WRITTEN, "share": _SHARE}
_PLAN: dict[str, type] = {"graph": str, "version": str, "hash": str, "max_steps": int, "nodes": dict}
_DISCARDED: dict[str, type] = {"event": str, "at": str}
_TRAIL: dict[str, type] = {"step": int, "node": str}

_STATUS: dict[str, type] = {
    "graph": str,
    "version": str,
    "hash": str,
    "node": str,
    "step": int,
    "sleeps_until": str,
    "retry": dict,
    "parked": str,
    "note": str,
    "error": dict,
    "fan_out": dict,
    "started_at": str,
    "tags": dict,
    "part_of": str,
    "waits": list,
    "children": list,
    "taken": list,
}
_WAIT: dict[str, type] = {"event": str, "address": str, "resume_node": str}
_CHILD: dict[str, type] = {"id": str, "node": str}


def read_input(given: Any) -> RunInput | None:
    """The input of a run, from JSON text or its value; None for what is not the input of a run."""
    value: Any = None
    try:
        value = json.loads(given) if isinstance(given, str) else given
    except (ValueError, RecursionError):
        return None
    if not (_has(value, _RUN) and _has(value["plan"], _PLAN)):
        return None
    if not all(_has(value[key], shape) for key, shape in _PARTS.items() if key in value):
        return None
    if not all(_has(entry, _TRAIL) for entry in value["trail"]):
        return None
    if not _has_nodes(value["plan"]):
        return None
    value = {key: one for key, one in value.items() if isinstance(one, _OPTIONAL.get(key, object))}
    value["input"] = original_input(value)
    value.pop("same", None)
    if "taken" in value:
        value["taken"] = _answers(value["taken"])
    if "discarded" in value:
        value["discarded"] = [one for one in value["discarded"] if _has(one, _DISCARDED)]
    return cast(RunInput, value)


def _has_nodes(plan: Any) -> bool:
    """Whether the plan's nodes can be read."""
    try:
        return all(isinstance(node, Mapping) for node in nodes_of(plan).values())
    except PayloadError:
        return False


def read_status(given: Any) -> dict[str, Any]:
    """A custom status without what does not have the shape of RunStatus; it shows less, and breaks nothing."""
    if not isinstance(given, Mapping):
        return {}
    kept: dict[str, Any] = {
        key: value
        for key, value in given.items()
        if value is not None and value != [] and isinstance(value, _STATUS.get(key, object))
    }
    for key, is_one in _LISTS.items():
        if key in kept:
            kept[key] = [item for item in kept[key] if is_one(item)]
            if not kept[key]:
                del kept[key]
    return kept


def read_head(given: Any) -> dict[str, Any] | None:
    """A custom status that says all that a list shows of a run; None where it says less."""
    status = read_status(given)
    return status if all(key in status for key in ("graph", "version", "hash", "node", "step")) else None


def _answers(given: Any) -> list[Any]:
    """What of a list of answers has the shape of one: the step of the wait, and the id of the event."""
    return [one for one in given if _is_answer(one)] if isinstance(given, list) else []


def _is_answer(one: Any) -> bool:
    return isinstance(one, list) and [type(part) for part in one] == [int, str]


def _is_wait(one: Any) -> bool:
    return _has(one, _WAIT)


def _is_child(one: Any) -> bool:
    return _has(one, _CHILD) and is_run_id(one["id"])


_LISTS: dict[str, Callable[[Any], bool]] = {"waits": _is_wait, "children": _is_child, "taken": _is_answer}
"""The lists of a status, and what may stand in each."""


def _has(value: Any, shape: Mapping[str, Any]) -> bool:
    """Whether a value is an object with at least these keys, of these types."""
    return isinstance(value, Mapping) and all(isinstance(value.get(key), kind) for key, kind in shape.items())
