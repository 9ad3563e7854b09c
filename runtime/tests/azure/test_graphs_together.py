"""The graphs of an app are looked at together once all are registered: at once in tests, quietly in Azure."""

from __future__ import annotations

import logging
from pathlib import Path

import pytest
from apps import APP, command_line, write_app
from reviews import YES, parent, review, undeploy

from azure_functions_durable_graph import DurableGraphApp
from azure_functions_durable_graph.errors import RegistrationError
from azure_functions_durable_graph.hosting import AppHost
from azure_functions_durable_graph.testing import GraphHost, Problem, run_graph

FAULT = "graph 'article', version '1', node 'check': runs the unknown graph 'review'"


def broken() -> DurableGraphApp:
    runtime = DurableGraphApp()
    runtime.register_registration(parent())
    return runtime


def test_a_test_hears_of_a_fault_before_a_run() -> None:
    with pytest.raises(RegistrationError, match=FAULT):
        GraphHost(parent())
    with pytest.raises(RegistrationError, match=FAULT):
        run_graph(parent(), {})
    with pytest.raises(RegistrationError, match=FAULT):
        AppHost(broken().function_app)


def test_the_order_of_registration_does_not_matter() -> None:
    assert GraphHost(parent(), review()).start("article", {}).waits == ["verdict"]
    assert GraphHost(review(), parent()).start("article", {}).waits == ["verdict"]


def test_the_worker_loads_the_app_all_the_same_and_the_log_says_it_once(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.WARNING):
        functions = broken().function_app.get_functions()

    assert "durable_graph_run" in {function.get_function_name() for function in functions}
    assert [FAULT in record.message for record in caplog.records] == [True]


def test_a_start_of_a_graph_with_a_fault_is_refused_with_the_sentence() -> None:
    host = GraphHost(parent(), review())
    undeploy(host, "review")

    with pytest.raises(Problem, match=f"500 graph-faulty: {FAULT}"):
        host.start("article", {})


def test_runs_in_flight_and_sound_graphs_do_not_hear_of_it() -> None:
    host = GraphHost(parent(), review(), parent("other", "review"))
    run, sound = host.start("article", {}), host.start("review", {"draft": "d"})
    undeploy(host, "article")

    run.send("verdict", YES)
    sound.send("verdict", YES)

    assert sound.status == "completed"
    assert host.start("review", {"draft": "again"}).waits == ["verdict"]


@pytest.mark.parametrize("command", ["lock", "serve"])
def test_the_commands_refuse_it_in_plain_words(tmp_path: Path, command: str) -> None:
    subgraph = 'builder.add_subgraph("sub", graph="reviw", next_node="end")\n    return builder.add_event'
    write_app(
        tmp_path, ("return builder.add_event", subgraph), ('targets=["end"]', 'targets=["end", "sub"]'), source=APP
    )

    answer = command_line(command, tmp_path)

    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr
    assert "node 'sub': runs the unknown graph 'reviw'. Did you mean 'review'?" in answer.stderr
