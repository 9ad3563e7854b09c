"""How what came back from branches, items or a child comes into the state, if it may be sent.

What is too large together fails the node that has gathered it, so that `on_error` can deal with it. The limit is the
one with which the run began: a deployment that changes it makes no replay diverge. A run that began without one is
only stopped where it sends too much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..errors import PayloadTooLarge
from ..graph.sizes import check_state
from ..graph.states import apply_patch
from .activities import node_call, run_activity
from .messages import ErrorRecord, NodeResult
from .outcomes import Failed, Revisit
from .ports import Steps
from .traversal import Traversal


def merge(
    traversal: Traversal, patch: Mapping[str, Any], writes: list[dict[str, Any]], unset: Sequence[str] = ()
) -> Steps[Failed | None]:
    """Apply a patch, then updates, by the rules of the state model, in a separate activity. Failed, or None.

    So the node that collects results fails where they break these rules, not a later one.
    """
    given = {"patch": dict(patch), "writes": writes}
    failed = too_large(traversal, "the state with the results of", {**traversal.run["state"], **given})
    if failed is not None:
        return failed
    state = apply_patch(traversal.run["state"], {}, list(unset))
    call = node_call(traversal, apply_only=True, state=state, **{key: value for key, value in given.items() if value})
    while True:
        result = yield from run_activity(traversal, call)
        if not result.get("missing"):
            break
        yield from traversal.park()
    traversal.adopt(result)
    if "error" in result:
        return Failed(result["error"])
    traversal.apply_patch(patch, unset)
    traversal.apply_result(result)
    return None


def take(
    traversal: Traversal,
    patch: Mapping[str, Any],
    writes: list[dict[str, Any]] | None = None,
    unset: Sequence[str] = (),
) -> Failed | None:
    """Apply a patch here. Updates of fields with a reducer are left to the activity of the task that follows."""
    run = traversal.run
    pending: dict[str, Any] = {"writes": writes} if writes else {}
    failed = too_large(traversal, "the state with the results of", {**apply_patch(run["state"], patch), **pending})
    if failed is None:
        traversal.apply_patch(patch, unset)
        run.update(pending)  # type: ignore[typeddict-item]
    return failed


def take_step(traversal: Traversal, result: NodeResult) -> Failed | None:
    """Apply what a task has written. A branch carries its updates of fields with a reducer beside its state."""
    run = traversal.run
    before = {key: run[key] for key in ("state", "written") if key in run}
    traversal.apply_result(result)
    updates = run["written"]["updates"] if "written" in run else []
    if not updates:
        return None  # the activity has looked at the state
    failed = too_large(traversal, "the state with the branch's updates up to", {**run["state"], "updates": updates})
    if failed is not None:
        run.update(before)  # type: ignore[typeddict-item]
    return failed


def put_off(traversal: Traversal) -> Revisit | Failed:
    """Visit the node again, with what has come back so far, which a new generation carries."""
    run = traversal.run
    carried = {"results so far": run["fan_out"]["done"]} if "fan_out" in run else {}
    return too_large(traversal, "the state with the results so far of", {**run["state"], **carried}) or Revisit()


def too_large(traversal: Traversal, what: str, gathered: Mapping[str, Any]) -> Failed | None:
    """The failure of the current node, if all that is gathered takes more than a state may; its text names what."""
    most = traversal.run.get("max_payload_bytes")
    if most is None:
        return None
    try:
        check_state(gathered, most, f"{what} node {traversal.run['node']!r}")
    except PayloadTooLarge as error:
        bases = [base.__name__ for base in PayloadTooLarge.__mro__[1:-2]]
        record: ErrorRecord = {"type": "PayloadTooLarge", "bases": bases, "message": str(error), "where": "size"}
        return Failed({**record, "permanent": True})
    return None
