"""The files of a new app, as the template writes those of the first one (a test compares the two)."""

from __future__ import annotations

FUNCTION_APP = '''"""The function app. Azure Functions loads this file; so does the local host."""

from pathlib import Path

import azure.functions as func

import graphs
from azure_functions_durable_graph import DurableGraphApp

runtime = DurableGraphApp(auth_level=func.AuthLevel.{level})
runtime.register_package(graphs)
runtime.register_lock(Path(__file__).with_name("graphs.lock.json"))

app = runtime.function_app
'''

GRAPHS = '''"""Your graphs, one module each. Every GraphRegistration at the top level of a module in this package is deployed."""
'''

CONFTEST = '''"""Tests run with the SDK's strict typing, as the app does (it is set in local.settings.json).

`graph_host` has every graph of this project, `app_host` serves the whole app on a free port; both have a clock that
moves only when a test moves it.
"""

import os

from azure_functions_durable_graph.fixtures import app_host, graph_host

__all__ = ["app_host", "graph_host"]

os.environ.setdefault("AZURE_FUNCTIONS_DURABLE_STRICT_TYPING", "1")
'''

TEST_APP = '''"""The app as Azure loads it. In Azure an import error means "no functions found", although the deployment succeeded."""

import graphs
from azure_functions_durable_graph.client import GraphClient
from azure_functions_durable_graph.hosting import AppHost
from azure_functions_durable_graph.testing import registrations_in
from function_app import runtime


def test_the_app_loads_with_its_graphs(app_host: AppHost) -> None:
    assert {"durable_graph_run", "durable_graph_node", "durable_graph_start_run"} <= app_host.functions


def test_every_graph_of_the_package_is_deployed() -> None:
    expected = {graph.graph_name for graph in registrations_in(graphs)}

    assert {graph.graph_name for graph in runtime.registry.defaults()} == expected


def test_the_app_answers_over_http(app_host: AppHost) -> None:
    with GraphClient(app_host.url) as client:
        assert client.health().status == "ok"
'''

TEST_HISTORIES = '''"""Recorded runs are replayed against today's code: a change that a run in flight would not survive fails the test.

Record a run with `nox -s record -- RUN_ID`, and commit the file in tests/histories/.
"""

from pathlib import Path

from azure_functions_durable_graph.testing import replay_recording
from function_app import runtime

HISTORIES = Path(__file__).parent / "histories"


def test_every_recorded_run_goes_the_same_way_today() -> None:
    for path in sorted(HISTORIES.glob("*.json")):
        replay_recording(path, runtime)
'''

HISTORIES = """Recorded runs, one JSON file each, created by `nox -s record -- RUN_ID`. They can contain data of real runs: record runs of
a test environment, or remove what must not be in git.
"""
