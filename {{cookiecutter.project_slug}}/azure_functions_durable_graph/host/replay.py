"""Replays a recorded run against today's code, through the real SDK.

Two things are checked event by event: that today's orchestrator schedules exactly what the recorded run scheduled, and
that the graphs registered today can still run it: its version, nodes, states and decisions all exist.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from ..azure import sdk
from ..errors import HistoryError
from ..graph.decisions import RouteDecision
from ..graph.registration import GraphRegistration
from ..graph.states import apply_patch, load
from ..history.arrivals import child_key
from ..history.recording import RecordedRun
from ..history.walk import identity
from ..run.orchestrator import orchestrate
from ..work.registry import Registry
from .engine import actions as act
from .engine import history_events as hist
from .engine.actions import Action, Outcome, outcome_of_error, outcome_of_state

_TAKES_ID = frozenset({act.ACTIVITY, act.TIMER, act.CHILD})


Seen = Callable[[str, Outcome, float], None]
"""Told of every call of the orchestrator: its context (JSON), what it answered, and the seconds that it took."""


def replay(run: RecordedRun, registry: Registry, seen: Seen | None = None) -> None:
    """Raise HistoryError, naming the first difference between the recording and today's code, if there is one."""
    plan = run.input["plan"]
    graph = registry.find(plan["graph"], plan["hash"])
    if graph is None:
        raise HistoryError(
            f"{run.id}: no registered graph {plan['graph']!r} serves runs of version {plan['version']!r} "
            f"({plan['hash'][:12]}); keep that version registered, or remove the recording once no run needs it"
        )
    _Replay(run, graph, seen).go()


class _Replay:
    """One replay: the history grows by one recorded event at a time."""

    def __init__(self, run: RecordedRun, graph: GraphRegistration, seen: Seen | None) -> None:
        self.run = run
        self.seen = seen
        self.graph = graph
        self.state = run.input["state"]
        self.answered: set[int] = set()
        began = _beginning(run)
        start = hist.execution_started(began, "", run.id, "", json.dumps(json.dumps(run.input)), None)
        self.history = [hist.event(hist.ORCHESTRATOR_STARTED, began), start]
        self.call = sdk.episode_runner(lambda context: orchestrate(context, run.input))

    def go(self) -> None:
        self._check_state(0)
        outcome = self._episode()
        for number, event in enumerate(self.run.events, start=1):
            if outcome.done or outcome.error is not None:
                raise self._differs(number, f"today the run has already ended: {outcome.error or 'completed'}")
            _FEEDS[event["kind"]](self, number, event, outcome)
            outcome = self._episode()
        self._check_end(outcome)

    def _episode(self) -> Outcome:
        context = {
            "history": self.history,
            "input": json.dumps(self.run.input),
            "instanceId": self.run.id,
            "isReplaying": False,
            "parentInstanceId": None,
            "upperSchemaVersion": 1,
            "upperSchemaVersionNew": 2,
        }
        began = time.perf_counter()
        try:
            outcome = outcome_of_state(self.call(json.dumps(context)))
        except Exception as error:  # the SDK raises to report that the orchestrator raised
            outcome = outcome_of_error(error)
        if self.seen is not None:
            self.seen(json.dumps(context), outcome, time.perf_counter() - began)
        return outcome

    def _activity(self, number: int, event: Mapping[str, Any], outcome: Outcome) -> None:
        result = event["result"]
        wanted = identity(result)
        calls = [(task_id, json.loads(action.data["input"])) for task_id, action in self._open(outcome, act.ACTIVITY)]
        open_calls = {identity(call): task_id for task_id, call in calls}
        if wanted not in open_calls:
            asked = ", ".join(f"node {node!r} at step {step}" for node, step, *_ in open_calls) or "no node"
            raise self._differs(number, f"node {wanted[0]!r} ran at step {wanted[1]}, but today it would be {asked}")
        self._check_result(number, result)
        task_id = open_calls[wanted]
        self.answered.add(task_id)
        self._feed(number, hist.TASK_COMPLETED, TaskScheduledId=task_id, Result=json.dumps(result))

    def _event(self, number: int, event: Mapping[str, Any], outcome: Outcome) -> None:
        self._feed(number, hist.EVENT_RAISED, Name=event["name"], Input=event["input"])

    def _timer(self, number: int, event: Mapping[str, Any], outcome: Outcome) -> None:
        open_ = self._open(outcome, act.TIMER)
        timers = [task_id for task_id, leaf in sorted(open_, key=lambda one: bool(one[1].data.get("isCanceled")))]
        if not timers:
            raise self._differs(number, "a timer fired, but today the run sets none")
        self.answered.add(timers[0])
        self._feed(number, hist.TIMER_FIRED, TimerId=timers[0], FireAt=event["at"])

    def _child(self, number: int, event: Mapping[str, Any], outcome: Outcome) -> None:
        children = self._children(number, event, outcome)
        if not children:
            raise self._differs(number, "a subgraph returned, but today the run starts none")
        self.answered.add(children[0])
        if "result" in event:
            self._feed(number, hist.CHILD_COMPLETED, TaskScheduledId=children[0], Result=json.dumps(event["result"]))
        else:
            reason = event["reason"]
            self._feed(number, hist.CHILD_FAILED, TaskScheduledId=children[0], Reason=reason, Details=None)

    def _children(self, number: int, event: Mapping[str, Any], outcome: Outcome) -> list[int]:
        """The open children that may have returned: the one that is named, or first those that are not named later."""
        keys = [(task_id, ("child", leaf.data.get("instanceId"))) for task_id, leaf in self._open(outcome, act.CHILD)]
        named = child_key(event.get("result"))
        if named is not None:
            return [task_id for task_id, key in keys if key == named]
        later = [child_key(other.get("result")) for other in self.run.events[number:]]
        return [task_id for task_id, key in sorted(keys, key=lambda one: one[1] in later)]

    def _feed(self, number: int, kind: int, **members: Any) -> None:
        now = _time(self.run.events[number - 1]["at"])
        self.history += [hist.event(hist.ORCHESTRATOR_STARTED, now), hist.event(kind, now, **members)]

    def _open(self, outcome: Outcome, kind: int) -> list[tuple[int, Action]]:
        """What the run awaits now, by task id: activities, timers and children are numbered in order."""
        leaves = [leaf for action in outcome.actions for leaf in action.leaves() if leaf.kind in _TAKES_ID]
        numbered = enumerate(leaves)
        return [(n, leaf) for n, leaf in numbered if leaf.kind == kind and n not in self.answered]

    def _check_result(self, number: int, result: Mapping[str, Any]) -> None:
        """Check that today's graph has the node, and can read the state that it left."""
        manifest, node = self.graph.manifest, result["node"]
        if node not in manifest.nodes:
            raise self._differs(number, f"node {node!r} ran, but today graph {manifest.graph_name!r} does not have it")
        for target in RouteDecision.from_dict(result["decision"]).targets if "decision" in result else ():
            if target not in manifest.nodes:
                raise self._differs(number, f"node {node!r} led to {target!r}, which is no longer a node")
        if "branch" not in result and "item" not in result:  # what branches and items return is merged later
            self.state = apply_patch(self.state, result.get("patch", {}), result.get("unset"))
        self._check_state(number)

    def _check_state(self, number: int) -> None:
        try:
            load(self.graph.state_model, self.state)
        except ValidationError as error:
            raise self._differs(number, f"its state can no longer be read: {error}") from None

    def _check_end(self, outcome: Outcome) -> None:
        number = len(self.run.events)
        done = {"Completed": outcome.done, "Failed": outcome.error is not None}.get(self.run.runtime_status)
        if done is False:
            raise self._differs(number, f"the run ended as {self.run.runtime_status}, but today it continues")
        if self.run.runtime_status == "Completed" and hist.decode(outcome.output) != self.run.output:
            raise self._differs(number, f"its output was {self.run.output}, but today it is {outcome.output}")
        if self.run.runtime_status not in ("Terminated", "Suspended"):
            status = hist.decode(outcome.custom_status)
            if status != self.run.custom_status:
                raise self._differs(number, f"its status was {self.run.custom_status}, but today it is {status}")

    def _differs(self, number: int, text: str) -> HistoryError:
        return HistoryError(f"{self.run.id}, event {number} of {len(self.run.events)}: {text}")


_FEEDS = {"activity": _Replay._activity, "event": _Replay._event, "timer": _Replay._timer, "child": _Replay._child}


def _beginning(run: RecordedRun) -> datetime:
    """When the generation began: the run's start, or the end of the last step before it."""
    trail = run.input["trail"]
    return _time(trail[-1]["at"] if trail else run.input["started_at"])


def _time(text: Any) -> datetime:
    return datetime.fromisoformat(_six_digits(str(text)))


def _six_digits(text: str) -> str:
    """.NET writes up to seven fractional digits; Python 3.10 reads six, and does not accept 'Z'."""
    text = text.replace("Z", "+00:00")
    head, dot, tail = text.partition(".")
    if not dot:
        return text
    digits = "".join(c for c in tail.split("+")[0] if c.isdigit())
    return f"{head}.{digits[:6]:0<6}+00:00"
