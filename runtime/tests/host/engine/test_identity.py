"""The ids that the engine assigns are those that the SDK counts: checked with random orchestrators.

Every program is a tree of activities, retries, timers, signals, events, entities, compounds and children. At the end of
each episode the engine's next id must be the SDK's own counter, and it must await the same ids: these are read from the
context that the program ran in. A program is followed up to where it would hang in Azure (the engine names the action):
from there on Azure's own count and the SDK's differ, if a retry is still going on.
"""

import contextlib
import random
from datetime import timedelta
from typing import Any

import azure.durable_functions as df
import pytest
from azure.durable_functions.models.Task import TimerTask
from hub import Hub

from azure_functions_durable_graph.host.engine.actions import CALL_ENTITY, TIMER
from azure_functions_durable_graph.host.engine.instance import Instance
from azure_functions_durable_graph.host.engine.messages import EpisodeFinished, RaiseEvent, TaskAnswered

PROGRAMS = 1000
PER_TEST = 50

LEAVES = ("activity", "activity", "retry", "timer", "wait", "signal", "child", "child_retry", "long_timer", "entity")


def program(dice: random.Random, depth: int = 0) -> list[Any]:
    """Some steps, each a kind with its parameters."""
    return [step(dice, depth) for _ in range(dice.randint(1, 4 - depth))]


def step(dice: random.Random, depth: int) -> Any:
    if depth < 2 and dice.random() < 0.35:
        kind = dice.choice(["all", "any"])
        return kind, [step(dice, depth + 1) for _ in range(dice.randint(1, 3))]
    return dice.choice(LEAVES), dice.random()


def task_of(context: Any, step: Any, given: str) -> Any:
    """The SDK's task for a step; None for a signal, which has none."""
    kind, more = step
    if kind in ("all", "any"):
        tasks = [task_of(context, inner, f"{given}.{number}") for number, inner in enumerate(more)]
        found = [task for task in tasks if task is not None]
        return (context.task_all if kind == "all" else context.task_any)(found) if found else None
    retry = df.RetryOptions(1000, 1 + int(more * 3))
    now = context.current_utc_datetime
    return {
        "activity": lambda: context.call_activity("work", given),
        "retry": lambda: context.call_activity_with_retry("work", retry, given),
        "timer": lambda: context.create_timer(now + timedelta(minutes=more * 10)),
        "long_timer": lambda: context.create_timer(now + timedelta(days=4 + more * 10)),
        "wait": lambda: context.wait_for_external_event(f"event{int(more * 3)}"),
        "signal": lambda: context.signal_entity(df.EntityId("log", "k"), "add", given) and None,
        "child": lambda: context.call_sub_orchestrator("inner", given),
        "child_retry": lambda: context.call_sub_orchestrator_with_retry("inner", retry, given),
        "entity": lambda: context.call_entity(df.EntityId("log", "k"), "add", given),
    }[kind]()  # type: ignore[no-untyped-call]


def open_in_engine(instance: Instance) -> dict[int, bool]:
    """The ids that are awaited, and whether each is a timer's. A call of an entity is awaited under another name."""
    return {
        leaf.task_id: leaf.pausing or leaf.kind == TIMER
        for leaf in instance.leaves
        if not leaf.finished and leaf.task_id is not None and leaf.kind != CALL_ENTITY
    }


def open_in_sdk(context: Any) -> dict[int, bool]:
    """The same, as the SDK has it."""
    return {
        key: isinstance(task, TimerTask) or getattr(task.action_repr, "metadata", None) == "-WithRetry timer"
        for key, task in context.open_tasks.items()
        if isinstance(key, int) and task._api_name != "CallEntityAction"
    }


class Watched:
    """A hub on which one program runs; compares the ids after every episode of it."""

    def __init__(self, seed: int) -> None:
        self.dice = random.Random(seed)
        self.steps = program(self.dice)
        self.failing = random.Random(seed)
        self.compared = 0
        self.together = seed % 2 == 0
        self.answers: list[TaskAnswered] = []
        self.over = False

        def work(given: str) -> str:
            if self.failing.random() < 0.4:
                raise ValueError(given)
            return given

        def inner(context: Any) -> Any:
            return (yield context.call_activity("work", context.get_input()))

        def log(context: Any) -> None:
            context.set_state("x")
            context.set_result("x")

        def main(context: Any) -> Any:
            self.context = context
            for number, one in enumerate(self.steps):
                task = task_of(context, one, str(number))
                if task is None:
                    continue
                with contextlib.suppress(Exception):
                    yield task
            return "end"

        self.hub = Hub(main, inner, work, entities=(log,))
        self.send = self.hub.host.send
        self.hub.host.send = self.compare  # type: ignore[method-assign]

    def compare(self, message: Any) -> None:
        """Let the engine have the message; after an episode of the program, its ids must be the SDK's."""
        if self.together and isinstance(message, TaskAnswered):
            self.answers.append(message)  # they are delivered when all is quiet, so that an episode takes several
            return
        self.send(message)
        if not isinstance(message, EpisodeFinished) or message.instance_id != "i":
            return
        instance = self.hub.get()
        if instance.stalled_on is not None or message.outcome.error is not None:
            self.over = True  # an error is the SDK's own defect with nested compounds: its counter says nothing then
        if not self.over:
            self.compared += 1
            assert instance.next_id == self.context._sequence_number, self.steps
            if not message.outcome.done:  # then the SDK reads no further events
                assert open_in_engine(instance) == open_in_sdk(self.context), self.steps

    def run(self) -> None:
        """Run the program to its end, or as far as it goes, with events and time coming at random."""
        self.hub.run("main")
        for _ in range(30):
            while self.answers:
                answers, self.answers = self.answers, []
                for answer in answers:
                    self.send(answer)
                self.hub.send_nothing()
            if self.over or self.hub.get().terminal:
                return
            if self.dice.random() < 0.6:
                names = self.dice.sample(["event0", "event1", "event2"], self.dice.randint(1, 3))
                self.hub.send(*(RaiseEvent("i", name, '"1"') for name in names))
            else:
                self.hub.advance(timedelta(minutes=self.dice.choice([1, 30, 60 * 24 * 3])))


@pytest.mark.parametrize("first", range(0, PROGRAMS, PER_TEST))
def test_the_ids_are_those_that_the_sdk_counts(first: int) -> None:
    compared = []
    for seed in range(first, first + PER_TEST):
        watched = Watched(seed)
        watched.run()
        compared.append(watched.compared)

    assert sum(compared) > 5 * PER_TEST
    assert compared.count(0) < PER_TEST // 5
