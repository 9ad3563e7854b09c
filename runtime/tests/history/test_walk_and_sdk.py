"""The walk goes where the SDK goes: random histories, lost activities included, end at the same place in both."""

from __future__ import annotations

import json
import warnings
from collections import Counter
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from chance import BEGIN, Played, random_run
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from azure_functions_durable_graph.azure import sdk
from azure_functions_durable_graph.history import walk
from azure_functions_durable_graph.history.walk import follow
from azure_functions_durable_graph.host.engine import history_events as hist

SEEDS = st.integers(0, 2**32)

pytestmark = pytest.mark.filterwarnings("ignore:Potential duplicate Task completion")


@given(SEEDS, st.integers(0, 40), st.sampled_from([0.0, 0.2, 0.6]))
@settings(max_examples=150)
def test_with_the_ids_of_the_history_the_walk_ends_where_the_sdk_ends(seed: int, rounds: int, lost: float) -> None:
    dice = Random(seed)
    played = Played(random_run(dice), dice, lost=lost).go(rounds)

    followed = follow("r", played.run, played.raw)  # type: ignore[arg-type]

    assert followed.incomplete is None
    assert followed.over == played.over
    stands = {
        key: value for key, value in played.traversal.run.items() if key != "discarded"
    }  # for the next generation
    assert followed.traversal.run == stands
    assert followed.traversal.turns == played.traversal.turns


@given(SEEDS, st.integers(0, 40), st.sampled_from([0.0, 0.2, 0.6]))
@settings(max_examples=150)
def test_without_ids_as_the_api_shows_it_the_walk_ends_there_too(seed: int, rounds: int, lost: float) -> None:
    """Which of several activities was lost can be told only once the others are back.

    Until then it changes nothing, but where the first failure stops the others.
    """
    dice = Random(seed)
    played = Played(random_run(dice, races=not lost), dice, lost=lost).go(rounds)
    assume(timers_are_told_apart(played.shown))

    followed = follow("r", played.run, played.shown)  # type: ignore[arg-type]

    def place(run: Any) -> Any:
        return {key: run.get(key) for key in ("node", "step", "state", "trail", "event", "attempt", "pause")}

    assert followed.incomplete is None
    assert followed.over == played.over
    assert place(followed.traversal.run) == place(played.traversal.run)


def timers_are_told_apart(history: list[dict[str, Any]]) -> bool:
    """Whether each timer that fired has a time of its own.

    Here a timer may fire after it was cancelled, and one of the same time, for a pause of no seconds, much later.
    """
    set_ = Counter(event["FireAt"] for event in history if event["EventType"] == "TimerCreated")
    return all(set_[event["FireAt"]] == 1 for event in history if event["EventType"] == "TimerFired")


def program(seed: int, log: list[Any]) -> Any:
    """An orchestrator that yields tasks new and old, compounds of both, and notes what it is given."""

    def run(context: Any) -> Any:
        dice = Random(seed)
        known: list[Any] = []
        for number in range(dice.randint(1, 8)):
            fresh = [_task(context, dice, f"{number}.{index}") for index in range(dice.randint(1, 3))]
            known += fresh
            asked = dice.choice(
                [
                    fresh[0],
                    context.task_all(fresh),
                    context.task_any(fresh),
                    dice.choice(known),
                ]
            )
            try:
                value = yield asked
            except Exception as error:
                log.append(str(error))
            else:
                log.append(known.index(value) if value in known else value)
        log.append("end")

    return run


def _task(context: Any, dice: Random, name: str) -> Any:
    kind = dice.choice(["activity", "activity", "event", "timer"])
    if kind == "event":
        return context.wait_for_external_event(name)
    if kind == "timer":
        return context.create_timer(context.current_utc_datetime + timedelta(hours=1))
    return context.call_activity("x", {"node": name, "step": 0})


def random_history(dice: Random) -> list[dict[str, Any]]:
    """Answers to ids and names that may be open, or not yet, or not any more."""
    events = [hist.event(hist.ORCHESTRATOR_STARTED, BEGIN)]
    events.append(hist.execution_started(BEGIN, "o", "r", "x", None, None))
    ids = dice.sample(range(24), 24)[: dice.randint(0, 24)] + [dice.randrange(24) for _ in range(3)]
    for index, task_id in enumerate(ids):
        now = BEGIN + timedelta(minutes=index)
        events.append(hist.event(hist.ORCHESTRATOR_STARTED, now))
        kind = dice.choice([hist.TASK_COMPLETED, hist.TASK_COMPLETED, hist.TASK_FAILED, hist.TIMER_FIRED])
        answer: dict[str, Any] = {"TimerId": task_id} if kind == hist.TIMER_FIRED else {"TaskScheduledId": task_id}
        if kind == hist.TASK_COMPLETED:
            answer["Result"] = json.dumps({"value": index})
        if kind == hist.TASK_FAILED:
            answer |= {"Reason": f"r{index}", "Details": "d"}
        events.append(hist.event(kind, now, **answer))
        if dice.random() < 0.4:
            name = f"{dice.randrange(8)}.{dice.randrange(3)}"
            events.append(hist.event(hist.EVENT_RAISED, now, Name=name, Input=json.dumps(f"e{index}")))
    return events


@given(SEEDS, SEEDS)
@settings(max_examples=300)
def test_tasks_and_compounds_old_and_new_are_settled_as_the_sdk_settles_them(first: int, second: int) -> None:
    """Whatever is yielded: a value that is there already, a failure, a compound that fails while others go on."""
    by_sdk: list[Any] = []
    by_walk: list[Any] = []
    history = random_history(Random(second))
    context = {"history": history, "input": "null", "instanceId": "r", "isReplaying": False}
    context |= {"parentInstanceId": None, "upperSchemaVersion": 1, "upperSchemaVersionNew": 2}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        sdk.episode_runner(program(first, by_sdk))(json.dumps(context))
    raw = [{**event, "EventType": hist.NAMES[event["EventType"]]} for event in history]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "drive", lambda traversal: program(first, by_walk)(traversal.context))
        follow("r", random_run(Random(0)), raw)  # type: ignore[arg-type]

    assert by_walk == by_sdk
