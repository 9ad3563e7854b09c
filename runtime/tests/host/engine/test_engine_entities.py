"""Entities, called and signalled, in the protocol of the SDK and the extension."""

import json
from datetime import datetime, timezone
from typing import Any

import azure.durable_functions as df
import pytest
from hub import Hub

from azure_functions_durable_graph.host.engine.actions import outcome_of_state
from azure_functions_durable_graph.host.engine.messages import EntityCalled, EpisodeFinished, RaiseEvent, StartInstance
from azure_functions_durable_graph.host.engine.state_machine import Engine
from azure_functions_durable_graph.host.store import SqliteStore

KEY = df.EntityId("Counter", "K")


def counter(context: Any) -> None:
    """Operations: add, get, fail, delete."""
    value = context.get_state(lambda: 0)
    operation = context.operation_name
    if operation == "add":
        value += context.get_input()
        context.set_state(value)
    elif operation == "break":
        context.set_state(-1)
        raise ValueError("no such thing")
    elif operation == "delete":
        context.destruct_on_exit()
        return
    context.set_result(value)


def test_a_call_answers_with_the_result() -> None:
    def main(context: Any) -> Any:
        first = yield context.call_entity(KEY, "add", 2)
        second = yield context.call_entity(KEY, "add", 40)
        return [first, second, (yield context.call_entity(KEY, "get"))]

    hub = Hub(main, entities=(counter,))
    hub.run("main")

    assert hub.output() == [2, 42, 42]
    assert hub.host.store.load_entity("@counter@K").state == "42"  # type: ignore[union-attr]


def test_names_have_no_case_and_keys_do() -> None:
    def main(context: Any) -> Any:
        yield context.call_entity(df.EntityId("COUNTER", "K"), "add", 1)
        yield context.call_entity(df.EntityId("counter", "k"), "add", 10)
        return (yield context.call_entity(KEY, "get"))

    hub = Hub(main, entities=(counter,))
    hub.run("main")

    assert hub.output() == 1


def test_a_signal_is_not_waited_for_and_is_not_lost() -> None:
    def main(context: Any) -> Any:
        for _ in range(3):
            context.signal_entity(KEY, "add", 5)
        yield context.create_timer(context.current_utc_datetime)
        return (yield context.call_entity(KEY, "get"))

    hub = Hub(main, entities=(counter,))
    hub.run("main")

    assert hub.output() == 15


def test_a_failing_operation_raises_and_keeps_what_it_did_to_the_state() -> None:
    def main(context: Any) -> Any:
        try:
            yield context.call_entity(KEY, "break")
        except Exception as error:
            return [str(error), (yield context.call_entity(KEY, "get"))]

    hub = Hub(main, entities=(counter,))
    hub.run("main")

    assert hub.output() == ["no such thing", -1]


def test_an_unknown_entity_fails_with_a_message_instead_of_hanging() -> None:
    def main(context: Any) -> Any:
        yield context.call_entity(df.EntityId("nobody", "K"), "get")

    hub = Hub(main)

    assert hub.run("main").status == "Failed"
    assert "The function 'nobody' doesn't exist, is disabled, or is not an entity function." in hub.output()


def test_calls_are_raced_and_gathered_like_any_task() -> None:
    def main(context: Any) -> Any:
        calls = [context.call_entity(df.EntityId("counter", key), "add", len(key)) for key in ("a", "bb", "ccc")]
        timer = context.create_timer(context.current_utc_datetime)
        sums = yield context.task_all(calls)
        yield timer
        return sums

    hub = Hub(main, entities=(counter,))
    hub.run("main")

    assert hub.output() == [1, 2, 3]


def test_what_comes_while_a_batch_is_at_work_waits_for_the_next() -> None:
    hub = Hub(entities=(counter,))
    for number in (1, 2, 3):
        hub.host.send(EntityCalled("@counter@K", "add", f'"{number}"'))
    entity = hub.host.store.load_entity("@counter@K")
    assert entity is not None
    assert (entity.at_work, len(entity.queue)) == (1, 3)

    hub.send_nothing()

    entity = hub.host.store.load_entity("@counter@K")
    assert entity is not None
    assert (entity.state, entity.queue, entity.at_work) == ("6", [], 0)


def test_an_entity_that_deletes_itself_exists_no_more() -> None:
    def main(context: Any) -> Any:
        yield context.call_entity(KEY, "add", 1)
        yield context.call_entity(KEY, "delete")
        return (yield context.call_entity(KEY, "add", 1))

    hub = Hub(main, entities=(counter,))
    hub.run("main")

    assert hub.output() == 1


@pytest.mark.parametrize("fault", ["json", "sdk"])
def test_a_batch_that_cannot_be_run_at_all_fails_its_callers(fault: str) -> None:
    def sick(context: Any) -> None:
        context.set_state(object() if fault == "json" else {1: object()})

    def main(context: Any) -> Any:
        yield context.call_entity(df.EntityId("sick", "K"), "any")

    hub = Hub(main, entities=(sick,))

    assert hub.run("main").status == "Failed"
    assert "Entity function 'sick' failed" in hub.output()


def test_the_history_shows_the_request_and_its_answer() -> None:
    def main(context: Any) -> Any:
        yield context.call_entity(KEY, "add", 2)

    hub = Hub(main, entities=(counter,))
    hub.run("main")

    sent = next(event for event in hub.events() if event["EventType"] == 14)
    raised = next(event for event in hub.events() if event["EventType"] == 15)
    assert (sent["EventId"], sent["InstanceId"]) == (0, "@counter@K")
    assert raised["Name"] in sent["Input"]
    assert raised["Input"] == '{"result": "2"}'


def test_an_entity_that_never_answers_does_not_keep_the_instance_open() -> None:
    """In Azure a call of an entity waits for an event, and open waits do not count."""
    call = {"actionType": 7, "instanceId": "@counter@K", "operation": "get", "input": "null"}
    wait = {"actionType": 6, "externalEventName": "go", "reason": "ExternalEvent"}
    state = {"actions": [[{"actionType": 11, "compoundActions": [call, wait]}]], "schemaVersion": 2}
    now = datetime(2030, 1, 1, tzinfo=timezone.utc)
    engine = Engine(SqliteStore())

    def answer(**more: Any) -> None:
        engine.apply(now, EpisodeFinished("i", "e", outcome_of_state(json.dumps({**state, **more}))))

    engine.apply(now, StartInstance("i", "main", "e", None))
    answer(isDone=False)
    engine.apply(now, RaiseEvent("i", "go", "1"))
    answer(isDone=True, output="on")

    instance = engine.store.load("i")
    assert instance is not None
    assert (instance.status, instance.output) == ("Completed", '"on"')
