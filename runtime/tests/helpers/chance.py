"""Runs by chance: random plans, and a host that answers the real SDK with whatever the dice say.

No graph is registered and no user code runs: what activities answer is made up, so that every turn that a history can
take is taken, activities that are lost included.
"""

from __future__ import annotations

import json
from datetime import datetime, timedelta, timezone
from random import Random
from typing import Any

from azure_functions_durable_graph.azure import sdk
from azure_functions_durable_graph.azure.sparing import SparingContext
from azure_functions_durable_graph.graph.names import ORCHESTRATOR
from azure_functions_durable_graph.host.engine import actions as act
from azure_functions_durable_graph.host.engine import history_events as hist
from azure_functions_durable_graph.host.engine.actions import Action, Outcome, outcome_of_error, outcome_of_state
from azure_functions_durable_graph.run.orchestrator import drive
from azure_functions_durable_graph.run.traversal import Traversal

_FAILED = {"error": {"type": "ValueError", "bases": ["Exception"], "message": "no", "where": "handler"}}
BEGIN = datetime(2030, 1, 1, tzinfo=timezone.utc)
NODES = ("a", "b", "c", "d", "e")
EVENTS = ("yes", "no")


def random_plan(dice: Random) -> dict[str, Any]:
    """Nodes of every kind, with retries and error edges, and routes that lead anywhere."""
    nodes: dict[str, Any] = {name: _random_node(dice, name) for name in NODES}
    return {"graph": "g", "version": "1", "hash": "h", "max_steps": dice.choice([3, 30]), "nodes": nodes}


def _random_node(dice: Random, name: str) -> dict[str, Any]:
    kind = dice.choice(["task", "task", "parallel", "map", "subgraph", "wait"])
    node: dict[str, Any] = {"kind": kind} if kind != "task" else {"routed": dice.random() < 0.7}
    if dice.random() < 0.7:
        node["next"] = dice.choice(NODES)
    if kind == "parallel":
        node["branches"] = [f"{name}{n}" for n in range(dice.randint(1, 4))]
    if kind in ("parallel", "map"):
        node |= {"stop_when": dice.choice([1, 2, "first_failure"])} if dice.random() < 0.3 else {}
        node |= {"deadline": dice.choice([5.0, 86400.0 * 4])} if dice.random() < 0.3 else {}
    if kind == "map":
        node |= {"over": "items", "into": "sizes", "limit": dice.randint(1, 3)}
        node |= {"group": 2} if dice.random() < 0.6 else {}
        node |= {"graph": "child", "output": {"sizes": "w"}} if "group" in node and dice.random() < 0.5 else {}
    if kind == "subgraph":
        node["output"] = {"v": "w"}
    if kind == "wait":
        node["seconds"] = dice.choice([0.0, 5.0, 86400.0 * 8])
    if dice.random() < 0.6:
        node["retry"] = {"max_attempts": dice.randint(1, 3), "first": 1.0, "backoff": 2.0, "longest": None}
        node["retry"] |= {"retry_on": ["Exception"], "give_up_on": []}
    if dice.random() < 0.5:
        node["on_error"] = {"*": dice.choice(NODES)}
    return node


def random_run(dice: Random, *, races: bool = True) -> dict[str, Any]:
    """The input of a run of a random plan; branches are nodes of the plan, too.

    In `races` something may follow as soon as one of many is back.
    """
    plan = random_plan(dice)
    for node in () if races else plan["nodes"].values():
        node.pop("stop_when", None)
        node.pop("deadline", None)
        if "graph" in node:  # its runs all begin at once, and none again
            node.pop("retry", None)
            node["limit"] = 50
    for name in [branch for node in list(plan["nodes"].values()) for branch in node.get("branches", ())]:
        plan["nodes"][name] = {"retry": plan["nodes"][dice.choice(NODES)].get("retry")}
        if dice.random() < 0.3:  # not a single task: a run of its own
            plan["nodes"][name]["routed"] = True
    state: dict[str, Any] = {
        "v": 0,
        "items": list(range(45 if dice.random() < 0.05 else dice.randint(0, 7))),
        "sizes": [],
    }
    return {
        **(_random_share(dice, plan["nodes"]["a"], state["items"]) if races else {}),
        "format": 1,
        "plan": plan,
        "input": {},
        "metadata": {},
        "started_at": BEGIN.isoformat(),
        "state": state,
        "node": "a",
        "step": 0,
        "trail": [],
    }


def _random_share(dice: Random, node: dict[str, Any], items: list[int]) -> dict[str, Any]:
    """What makes the run a part of a map, now and then."""
    if node.get("kind") != "map" or "group" not in node or dice.random() < 0.4:
        return {}
    share = {"run": "whole", "node": "a", "items": [[index, item] for index, item in enumerate(items)]}
    share["limit"] = node["limit"]
    if "deadline" in node:
        share["until"] = (BEGIN + timedelta(seconds=node["deadline"])).isoformat()
    if "stop_when" in node:
        share |= {"stop_when": node["stop_when"], "above": "whole"}
    return {"share": share, "child": True}


class Unsparing(SparingContext):
    """The SDK's context as it is, with what the runtime reads of it besides."""

    def call_activity(self, name: str, input_: Any = None) -> Any:
        """Schedule an activity with its input, in every episode."""
        return self._context.call_activity(name, input_)


class Played:
    """One generation of a run, played through the real SDK: its history, its outcome, where its traversal stands."""

    def __init__(self, run: dict[str, Any], dice: Random, *, lost: float = 0.2) -> None:
        self.run, self.dice, self.lost = run, dice, lost
        self.now = BEGIN
        self.history: list[dict[str, Any]] = [self._event(hist.ORCHESTRATOR_STARTED)]
        self.history.append(hist.execution_started(self.now, ORCHESTRATOR, "r", "x", json.dumps(json.dumps(run)), None))
        self.answered: set[int] = set()
        self.scheduled = 0
        self.runner = sdk.episode_runner(self._orchestrate)
        self.outcome = self._episode()

    def go(self, rounds: int) -> Played:
        """Let up to so many batches of events arrive."""
        for _ in range(rounds):
            batch = [] if self.over else self._batch()
            if not batch:
                break
            self.history += [self._event(hist.ORCHESTRATOR_STARTED), *batch]
            self.outcome = self._episode()
        return self

    @property
    def over(self) -> bool:
        """Whether the orchestrator has returned, raised or continued as new."""
        return self.outcome.done or self.outcome.error is not None

    @property
    def raw(self) -> list[dict[str, Any]]:
        """The history by names, with the ids and the clock that the SDK gets."""
        return [{**event, "EventType": hist.NAMES[event["EventType"]]} for event in self.history]

    @property
    def shown(self) -> list[dict[str, Any]]:
        """The history as the management API shows it: without ids and without a clock."""
        return hist.render_events(self.history, outputs=True)

    def _orchestrate(self, context: Any) -> Any:
        known = context if isinstance(context, SparingContext) else Unsparing(context)
        self.traversal = Traversal(known, json.loads(json.dumps(self.run)))
        return (yield from drive(self.traversal))

    def _episode(self) -> Outcome:
        context = {"history": self.history, "input": "null", "instanceId": "r", "isReplaying": False}
        context |= {"parentInstanceId": None, "upperSchemaVersion": 1, "upperSchemaVersionNew": 2}
        try:
            outcome = outcome_of_state(self.runner(json.dumps(context)))
        except Exception as error:  # the SDK raises to report that the orchestrator raised
            outcome = outcome_of_error(error)
        leaves = self._leaves(outcome)
        for number in range(self.scheduled, len(leaves)):
            self.history += self._scheduling(number, leaves[number])
        self.scheduled = len(leaves)
        return outcome

    def _leaves(self, outcome: Outcome) -> list[Action]:
        found = [leaf for action in outcome.actions for leaf in action.leaves()]
        return [leaf for leaf in found if leaf.kind in (act.ACTIVITY, act.TIMER, act.CHILD)]

    def _scheduling(self, number: int, leaf: Action) -> list[dict[str, Any]]:
        if leaf.kind == act.TIMER:
            return [hist.event(hist.TIMER_CREATED, self.now, number, FireAt=leaf.data["fireAt"])]
        kind = hist.TASK_SCHEDULED if leaf.kind == act.ACTIVITY else hist.CHILD_CREATED
        return [hist.event(kind, self.now, number, Name=leaf.name)]

    def _event(self, kind: int, **members: Any) -> dict[str, Any]:
        return hist.event(kind, self.now, **members)

    def _batch(self) -> list[dict[str, Any]]:
        """Some of what is open is answered, in any order; events come early, late, twice, and to nobody."""
        leaves = enumerate(self._leaves(self.outcome))
        open_ = [(number, leaf) for number, leaf in leaves if number not in self.answered]
        ready = [(number, leaf) for number, leaf in open_ if self._may_fire(leaf)]
        chosen = self.dice.sample(ready, self.dice.randint(min(1, len(ready)), len(ready)))
        times = [fire_at(leaf) for _, leaf in chosen if leaf.kind == act.TIMER]
        self.now = max([self.now + timedelta(seconds=1), *times])
        self.answered |= {number for number, _ in chosen}
        batch = [self._answer(number, leaf) for number, leaf in chosen]
        waits = [leaf.name for action in self.outcome.actions for leaf in action.leaves() if leaf.kind == act.WAIT]
        for name in self.dice.sample(waits, self.dice.randint(0, len(waits))) if waits else []:
            batch.append(self._event(hist.EVENT_RAISED, Name=name, Input=json.dumps(json.dumps({"payload": 1}))))
        if self.dice.random() < 0.1:
            name = f"{self.dice.choice(EVENTS)}.{self.dice.randint(0, 6)}"
            batch.append(self._event(hist.EVENT_RAISED, Name=name, Input='"{}"'))
        self.dice.shuffle(batch)
        return batch

    def _may_fire(self, leaf: Action) -> bool:
        """A cancelled timer fires now and then, where the host was at it already."""
        return not leaf.data.get("isCanceled") or self.dice.random() < 0.1

    def _answer(self, number: int, leaf: Action) -> dict[str, Any]:
        if leaf.kind == act.TIMER:
            return self._event(hist.TIMER_FIRED, TimerId=number, FireAt=leaf.data["fireAt"])
        child = leaf.kind == act.CHILD
        if self.dice.random() < self.lost:
            kind = hist.CHILD_FAILED if child else hist.TASK_FAILED
            return self._event(kind, TaskScheduledId=number, Reason=f"lost {number}", Details="{}")
        result = self._child(leaf) if child else self._result(json.loads(leaf.data["input"]))
        kind = hist.CHILD_COMPLETED if child else hist.TASK_COMPLETED
        return self._event(kind, TaskScheduledId=number, Result=json.dumps(result))

    def _child(self, leaf: Action) -> dict[str, Any]:
        answer, start = self._ending(), json.loads(leaf.data["input"])
        if "share" in start:
            kinds = [_FAILED, {"value": {"w": 1}}, *([{"stopped": True}] if "stop_when" in start["share"] else [])]
            results = [self.dice.choice(kinds) for _ in start["share"]["items"]]
            return {"state": {}, "id": leaf.data["instanceId"], "results": results}
        if "item" in start:
            return {**answer, "id": leaf.data["instanceId"]}
        if "branch" not in start:
            return answer
        written = {"fields": ["v"] if self.dice.random() < 0.3 else [], "updates": [], "merge": False}
        return {**answer, "id": leaf.data["instanceId"], "written": written}

    def _ending(self) -> dict[str, Any]:
        error = {"type": "ValueError", "bases": ["Exception"], "message": "no", "where": "handler", "node": "x"}
        return {"error": error} if self.dice.random() < 0.3 else {"state": {"v": 1, "w": 7}}

    def _result(self, call: dict[str, Any]) -> dict[str, Any]:
        stopped = {"node": call["node"], "step": call["step"], "stopped": True}
        return stopped if "stop" in call else self._result_of_node(call)

    def _result_of_node(self, call: dict[str, Any]) -> dict[str, Any]:
        kept = ("node", "step", "branch", "item", "attempt", "apply_only")
        result = {key: call[key] for key in kept if key in call}
        chance = self.dice.random()
        if chance < 0.05:
            return {**result, "missing": True}
        if chance < 0.25:
            error = {"type": "ValueError", "bases": ["Exception"], "message": "no", "where": "handler"}
            return {**result, "error": error}
        node = self.run["plan"]["nodes"][call["node"]]
        if "item" in call and "graph" in node:
            return {**result, "child": {"plan": {"graph": "child"}}}
        if "item" in call:
            return {**result, "value": self.dice.randint(0, 9)}
        if "branch" in call:
            return {**result, "patch": {}, "writes": {"sizes": [1]} if self.dice.random() < 0.2 else {}}
        result["patch"] = {"v": self.dice.randint(0, 9)}
        if node.get("routed"):
            result["decision"] = self._decision()
        if node.get("kind") == "subgraph":
            result["child"] = {"plan": {"graph": "child"}}
        return result

    def _decision(self) -> dict[str, Any]:
        deadline: dict[str, Any] = {"timeout": self.dice.choice([3.0, 86400.0 * 7]), "timeout_node": "b"}
        limit = deadline if self.dice.random() < 0.6 else {}
        target = self.dice.choice(NODES)
        return self.dice.choice(
            [
                {"action": "next", "next_node": target},
                {"action": "wait_for_event", "event_name": "yes", "resume_node": target, **limit},
                {"action": "wait_for_any", "events": dict.fromkeys(EVENTS, target), **limit},
                {"action": "sleep", "duration": self.dice.choice([0.0, 9.0]), "resume_node": target},
                {"action": "complete"},
            ]
        )


def fire_at(leaf: Action) -> datetime:
    """The time of a timer."""
    return datetime.fromisoformat(leaf.data["fireAt"].replace("Z", "+00:00"))
