"""A map: its handler, or a run of its graph, for each item; the results, in order, go into the state.

Items that can all run at once run in rounds of activities. More of them are dealt out to parts: each a run of its own
at the same node, with a share of the items and of `max_concurrency`, which deals out further, or takes its items one
after the other. So no history and no message between runs grows with the number of items, no item waits for the slowest
of a round, and an item costs the same however many there are. The lists themselves are in the state of the run.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from ..graph.decisions import RouteDecision
from ..graph.plan import PlanNode
from .activities import node_call
from .children import Child, child_id
from .crowds import Crowd, Member, with_attempt
from .items import run_graph_items
from .merging import merge, put_off, take, too_large
from .messages import ErrorRecord, NodeCall, RunInput
from .outcomes import Failed, Moved, NodeOutcome
from .policy import deadline_of, enough_of, fails, failure_of, keeps_for, stop_when_of
from .ports import Steps
from .rounds import gather
from .shares import Dealt, deal
from .traversal import Traversal

Indexed = list[list[Any]]
"""Items with their indices, as they cross to a part."""


def run_map(traversal: Traversal) -> Steps[NodeOutcome]:
    """Run every item, then put the results into the state; a part of a map gives them to the run that began it."""
    plan = traversal.plan_node
    items = _items(traversal)
    if isinstance(items, Failed):
        return items
    so_far = traversal.run["fan_out"]["done"] if "fan_out" in traversal.run else {}
    waiting = [one for one in items if str(one[0]) not in so_far]
    dealt = deal(len(waiting), _limit(traversal), plan)
    done = yield from (_in_parts(traversal, waiting, dealt) if dealt else _here(traversal, items))
    if done is None:
        return put_off(traversal)
    traversal.run["fan_out"] = {"done": {str(i): done[str(i)] for i, _ in items}, "attempts": {}}
    results = [done[str(index)] for index, _ in items]
    if "share" in traversal.run:
        traversal.run["results"] = results
        failed = too_large(traversal, "a share of the results of", {"results": results})
        return failed or Moved(RouteDecision.complete())
    pairs = zip(items, results, strict=True)
    errors = [{**result["error"], "item": index} for (index, _), result in pairs if "error" in result]
    succeeded = sum(_is_good(result) for result in results)
    if not fails(plan, succeeded, len(errors)):
        return (yield from _take(traversal, results))
    error = failure_of(errors, _why(plan, len(items), succeeded, len(errors)), "items")
    if keeps_for(plan, error):
        yield from _take(traversal, results)  # a failure of its own adds nothing to that of the items
    return Failed(error)


def _why(plan: PlanNode, of: int, succeeded: int, failed: int) -> str:
    if failed:
        return f"{failed} of {of} items failed"
    return f"{succeeded} of {of} items succeeded, but min_successful is {plan.get('min_successful')}"


def _take(traversal: Traversal, results: Sequence[Mapping[str, Any]]) -> Steps[NodeOutcome]:
    """Put the results into the field `into`, or the outputs of the items' graph into a field each.

    Of items that failed there is nothing, or an error in place of the value.
    """
    plan = traversal.plan_node
    kept = results if plan.get("collect") else [result for result in results if _is_good(result)]
    if "graph" in plan:
        update = {mine: [_value(plan, one, theirs) for one in kept] for mine, theirs in plan.get("output", {}).items()}
    else:
        update = {plan["into"]: [_value(plan, one) for one in kept]}
    if "graph" in plan or not results or any(result.get("merge") for result in results):
        failed = yield from merge(traversal, {}, [update])
    else:
        failed = take(traversal, update)
    return failed or Moved(traversal.static_edge())


def _value(plan: PlanNode, result: Mapping[str, Any], field: str | None = None) -> Any:
    """What stands in the list for an item: its value, or that of a field; of a map that collects, an ItemResult."""
    value = result.get("value")
    if field is not None and value is not None:
        value = value[field]
    if not plan.get("collect"):
        return value
    error = STOPPED if "stopped" in result else result.get("error")
    return {"value": value, "error": None if error is None else {key: error[key] for key in _TOLD}}


def _is_good(result: Mapping[str, Any]) -> bool:
    return "error" not in result and "stopped" not in result


_TOLD = ("type", "bases", "message", "where")
"""What an ItemError says."""

STOPPED = {
    "type": "ItemStopped",
    "bases": ["Exception"],
    "message": "the item was stopped, or never began, because stop_when was reached",
    "where": "stop_when",
}
"""What stands in place of the value of an item that a map which collects has stopped."""


def _items(traversal: Traversal) -> Indexed | Failed:
    """The items with their indices: of a list, or the pairs of an object; those of a part come with it."""
    if "share" in traversal.run:
        return traversal.run["share"]["items"]
    field = traversal.plan_node["over"]
    held = traversal.run["state"].get(field) or []
    if not isinstance(held, (list, dict)):
        return Failed(_not_a_list(field, held))
    return [[index, item] for index, item in enumerate(held.items() if isinstance(held, dict) else held)]


def _limit(traversal: Traversal) -> int:
    share = traversal.run.get("share")
    return traversal.plan_node["limit"] if share is None else share["limit"]


def call_of(traversal: Traversal, index: int, item: Any) -> NodeCall:
    """The call for one item: the state with this item alone in the field. It names the run of which this is a part."""
    field = traversal.plan_node["over"]
    alone = dict([item]) if isinstance(traversal.run["state"].get(field), dict) else [item]
    call = node_call(traversal, item=index, state={**traversal.run["state"], field: alone})
    return {**call, "run_id": traversal.run["share"]["run"]} if "share" in traversal.run else call


def _here(traversal: Traversal, given: Indexed) -> Steps[dict[str, dict[str, Any]] | None]:
    """Run what is left of the items in this run: at once, one as soon as another is done, or one after the other."""
    items = {str(index): item for index, item in given}
    policy = traversal.plan_node.get("retry")
    enough, until = enough_of(stop_when_of(traversal)), deadline_of(traversal)

    def make(key: str, attempt: int) -> Member:
        return with_attempt(call_of(traversal, int(key), items[key]), attempt)

    crowd = Crowd(list(items), make, lambda key: policy, _limit(traversal), enough=enough, until=until)
    if "graph" in traversal.plan_node:
        return (yield from run_graph_items(traversal, given, replace(crowd, counted=list(items)), call_of))
    return (yield from gather(traversal, replace(crowd, slides=crowd.is_watched)))


def _in_parts(
    traversal: Traversal, waiting: Indexed, dealt: Sequence[Dealt]
) -> Steps[dict[str, dict[str, Any]] | None]:
    """Deal the items out to parts. A part that is lost fails each of its items."""
    parts = {f"part {number}": part for number, part in enumerate(dealt)}
    enough, until = enough_of(stop_when_of(traversal)), deadline_of(traversal)

    def make(key: str, attempt: int) -> Member:
        part = parts[key]
        return _part(traversal, key, waiting[part.first : part.first + part.size], part.limit)

    at_once = min(len(dealt), _limit(traversal))
    crowd = Crowd(
        list(parts),
        make,
        lambda key: None,
        at_once,
        lambda key: parts[key].size,
        enough=enough,
        until=until,
        slides=1 < at_once < len(dealt),
    )
    found = yield from gather(traversal, replace(crowd, slides=crowd.is_watched))
    if found is None:
        return None
    done = dict(found)
    for key, part in parts.items():
        results = found[key].get("results") or [found[key]] * part.size
        its = waiting[part.first : part.first + part.size]
        done |= {str(index): one for (index, _), one in zip(its, results, strict=True)}
    return done


def _part(traversal: Traversal, key: str, items: Indexed, limit: int) -> Child:
    """A run at the same node, for a share of the items; its state has all but the items."""
    run, field = traversal.run, traversal.plan_node["over"]
    empty: Any = {} if isinstance(run["state"].get(field), dict) else []
    start: dict[str, Any] = {
        **{name: run[name] for name in _HANDED_DOWN if name in run},  # type: ignore[literal-required]
        "input": {},
        "state": {**run["state"], field: empty},
        "started_at": traversal.now().isoformat(),
        "trail": [],
        "child": True,
        "share": _share(traversal, items, limit),
    }
    if "depth" in run:
        start["depth"] = run["depth"]
    name = child_id(traversal, run["plan"]["graph"], key)
    stop_when, until = stop_when_of(traversal), deadline_of(traversal)
    ends, tells = (stop_when, until) != (None, None), isinstance(stop_when, int) and stop_when > 1
    return Child(name, run["node"], cast(RunInput, start), _read_part, ends=ends, tells=tells)


_HANDED_DOWN = ("format", "plan", "metadata", "node", "step", "trace", "max_payload_bytes")
"""What a part has from the run that begins it, beside the state."""


def _share(traversal: Traversal, items: Indexed, limit: int) -> dict[str, Any]:
    """What a part has to know: its items, and when the whole is over."""
    run, until, stop_when = traversal.run, deadline_of(traversal), stop_when_of(traversal)
    whole = run["share"]["run"] if "share" in run else traversal.context.instance_id
    share: dict[str, Any] = {"run": whole, "node": run["node"], "items": items, "limit": limit}
    if until is not None:
        share["until"] = until.isoformat()
    if stop_when is not None:
        share |= {"stop_when": stop_when, "above": traversal.context.instance_id}
    return share


def _read_part(answer: dict[str, Any]) -> dict[str, Any]:
    return {"results": answer["results"]}


def _not_a_list(field: str, items: Any) -> ErrorRecord:
    text = f"the field {field!r} holds a value of type {type(items).__name__}, not a list of items"
    return {"type": "TypeError", "bases": ["Exception"], "message": text, "where": "over", "permanent": True}
