"""What a branch with several steps has written: for its parallel, which merges the branches when all are done.

The branch's own state has everything applied. The parallel needs it apart: fields that were replaced, and the updates
of fields with a reducer, each of which is reduced again where the branches join.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .messages import NodeResult, Written


def noted(before: Written, result: NodeResult) -> Written:
    """What is written after a result of the branch's nodes.

    A field in the patch that no update accounts for was replaced as a whole. From then on the branch gives its last
    value, whatever was, or will be, reduced into it. What validation derives is computed again at the join.
    """
    updates = result.get("updates", [])
    reduced = {field for update in updates for field in update} - set(result.get("replaced", ()))
    reduced |= set(result.get("derived", ()))
    replaced = [field for field in (*result.get("patch", {}), *result.get("unset", [])) if field not in reduced]
    fields = [*before["fields"], *(field for field in replaced if field not in before["fields"])]
    kept = [_without(update, fields) for update in [*before["updates"], *updates]]
    return {
        "fields": fields,
        "updates": [update for update in kept if update],
        "merge": before["merge"] or result.get("merge", False),
    }


def as_result(written: Written, state: Mapping[str, Any]) -> dict[str, Any]:
    """The same in the form of a branch that is a single task."""
    result: dict[str, Any] = {"patch": {field: state[field] for field in written["fields"] if field in state}}
    if removed := [field for field in written["fields"] if field not in state]:
        result["unset"] = removed
    if written["updates"]:
        result["writes"] = written["updates"]
    return {**result, "merge": True} if written["merge"] else result


def _without(update: Mapping[str, Any], fields: list[str]) -> dict[str, Any]:
    return {field: value for field, value in update.items() if field not in fields}
