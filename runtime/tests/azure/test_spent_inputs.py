"""The input of an activity or a child goes out until its result is in the history, and not one episode longer."""

from __future__ import annotations

import json
from random import Random
from types import SimpleNamespace
from typing import Any

from chance import Played, random_run
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from azure_functions_durable_graph import ManifestBuilder
from azure_functions_durable_graph.azure import sdk
from azure_functions_durable_graph.azure.sparing import SparingContext
from azure_functions_durable_graph.graph.names import ORCHESTRATOR
from azure_functions_durable_graph.host.app.worker import Worker
from azure_functions_durable_graph.host.engine import actions as act
from azure_functions_durable_graph.host.engine.actions import Action, Outcome
from azure_functions_durable_graph.run.orchestrator import orchestrate
from azure_functions_durable_graph.testing import GraphHost


class Sparing(Played):
    """A run whose orchestrator gets the context that the app gives it."""

    def _orchestrate(self, context: Any) -> Any:
        return super()._orchestrate(SparingContext(context))


@given(st.integers(0, 2**32), st.integers(0, 40), st.sampled_from([0.0, 0.3]))
@settings(max_examples=150)
def test_a_run_takes_the_same_way_and_only_inputs_with_a_result_are_empty(seed: int, rounds: int, lost: float) -> None:
    whole, sparing = (
        kind(random_run(Random(seed)), Random(seed + 1), lost=lost).go(rounds) for kind in (Played, Sparing)
    )

    assert sparing.history == whole.history
    assert without_inputs(sparing.outcome) == without_inputs(whole.outcome)
    done = {event["TaskScheduledId"] for event in sparing.history if "TaskScheduledId" in event}
    pairs = zip(sparing._leaves(sparing.outcome), whole._leaves(whole.outcome), strict=True)
    for number, (sent, complete) in enumerate(pairs):
        spent = number in done and sent.kind in (act.ACTIVITY, act.CHILD)
        assert sent.data.get("input") == ("null" if spent else complete.data.get("input"))


def without_inputs(outcome: Outcome) -> Any:
    return (outcome.done, outcome.error, outcome.output, outcome.custom_status, [*map(_bare, outcome.actions)])


def _bare(action: Action) -> Any:
    data = {key: value for key, value in action.data.items() if key not in ("input", "compoundActions")}
    return action.kind, data, [*map(_bare, action.children)]


class State(BaseModel):
    """A state that is told from "null"."""

    text: str = "x" * 1000
    count: int = 0


def test_the_app_sends_one_state_however_many_nodes_have_run(monkeypatch: Any) -> None:
    builder = ManifestBuilder("line", State).set_entrypoint("n0")
    for number in range(6):
        following = f"n{number + 1}"
        builder.add_node(f"n{number}", lambda state: {"count": state.count + 1}, next_node=following)
    graph = builder.add_node("n6", lambda state: None, terminal=True).build()
    sent: list[list[str]] = []
    call = Worker.orchestrate

    async def watched(worker: Worker, name: str, context: str) -> Outcome:
        outcome = await call(worker, name, context)
        if name == ORCHESTRATOR:
            sent.append([action.data["input"] for action in outcome.actions])
        return outcome

    monkeypatch.setattr(Worker, "orchestrate", watched)
    run = GraphHost(graph).start("line", {})

    assert run.status == "completed"
    assert run.state.count == 6
    spent = [[given == "null" for given in inputs] for inputs in sent]
    assert spent[:3] == [[False], [True, False], [True, True, False]]
    assert all(spent[-1])


class OtherContext:
    """A context of an SDK whose actions are something else."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def call_activity(self, name: str, input_: Any) -> Any:
        """A task without an action."""
        self.asked.append((name, input_))
        return SimpleNamespace(action={"name": name, "input": input_})


def test_an_sdk_with_other_tasks_sends_inputs_as_it_does() -> None:
    context = OtherContext()

    task = SparingContext(context).call_activity("node", {"a": 1})

    assert task.action == {"name": "node", "input": {"a": 1}}
    assert context.asked[-1] == ("node", {"a": 1})


def test_the_state_can_be_read_twice() -> None:
    """The SDK reads the actions again where it reports an error."""
    played = Sparing(random_run(Random(3)), Random(3))
    contexts: list[Any] = []

    def kept(context: Any) -> Any:
        contexts.append(context)
        return orchestrate(SparingContext(context), json.loads(json.dumps(played.run)))

    given = {"history": played.history, "input": "null", "instanceId": "r", "isReplaying": False}
    first = sdk.episode_runner(kept)(json.dumps({**given, "parentInstanceId": None, "upperSchemaVersionNew": 2}))
    again = [action.to_json() for action in contexts[0]._actions[0]]

    assert again == json.loads(first)["actions"][0]
