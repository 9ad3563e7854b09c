"""Sub-orchestrations, and the management of instances."""

from typing import Any

import pytest
from functions import child, double, listener
from hub import Hub

from azure_functions_durable_graph.errors import HostError
from azure_functions_durable_graph.host.engine.messages import Resume, Suspend, Terminate

# --- children ---------------------------------------------------------------------------------------------------------


def test_a_child_answers_its_parent() -> None:
    def main(context: Any) -> Any:
        return (yield context.call_sub_orchestrator("child", 21))

    hub = Hub(main, child, double)
    hub.run("main")

    assert hub.output() == 42


def test_a_failing_child_fails_in_the_parent() -> None:
    def main(context: Any) -> Any:
        try:
            yield context.call_sub_orchestrator("child", "bad", "c")
        except Exception as error:
            return str(error)

    hub = Hub(main, child, double)
    hub.run("main")

    assert "Orchestrator function 'child' failed: bad child" in hub.output()
    assert hub.get("c").status == "Failed"


def test_a_child_whose_id_is_alive_is_refused() -> None:
    def main(context: Any) -> Any:
        return (yield context.call_sub_orchestrator("listener", None, "taken"))

    hub = Hub(main, listener)
    hub.run("listener", instance_id="taken")

    assert hub.run("main").status == "Failed"
    assert "already exists" in hub.output()


# --- life cycle -------------------------------------------------------------------------------------------------------


def test_a_terminated_instance_is_over_and_answers_nothing() -> None:
    hub = Hub(listener)
    hub.run("listener")

    assert hub.send(Terminate("i", "enough")).status == "Terminated"
    assert hub.output() == "enough"
    assert hub.raise_event("word", "a").status == "Terminated"


def test_a_suspended_instance_keeps_its_events_for_later() -> None:
    hub = Hub(listener)
    hub.run("listener")

    hub.send(Suspend("i", "lunch"))
    hub.raise_event("word", "a")
    assert hub.raise_event("word", "b").status == "Suspended"

    hub.send(Resume("i", "back"))
    assert hub.output() == ['"a"', '"b"']


def test_a_live_id_cannot_be_started_again_but_a_finished_one_can() -> None:
    hub = Hub(listener, double)
    hub.run("listener")
    with pytest.raises(HostError, match="already exists"):
        hub.run("listener")

    hub.send(Terminate("i", "enough"))
    assert hub.run("listener").status == "Running"
