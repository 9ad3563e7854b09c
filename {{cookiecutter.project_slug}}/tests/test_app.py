"""The app as Azure loads it. In Azure an import error means "no functions found", although the deployment succeeded."""

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
