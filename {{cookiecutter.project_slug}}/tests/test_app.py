"""The app as Azure loads it. An import error there means "no functions found" behind a green deployment."""

import json
import urllib.request

import graphs
from azure_functions_durable_graph.dev.loader import index_app
from azure_functions_durable_graph.hosting import AppHost
from azure_functions_durable_graph.registry import registrations_in
from function_app import app, runtime


def test_the_app_loads_with_its_graphs() -> None:
    names = {function.name for function in index_app(app).functions}

    assert {"durable_graph_run", "durable_graph_node", "durable_graph_start_run"} <= names


def test_every_graph_of_the_package_is_deployed() -> None:
    expected = {graph.graph_name for graph in registrations_in(graphs)}

    assert {graph.graph_name for graph in runtime.registry.defaults()} == expected


def test_the_app_answers_over_http(app_host: AppHost) -> None:
    with urllib.request.urlopen(f"{app_host.url}/api/health", timeout=30) as response:
        assert json.load(response)["status"] == "ok"
