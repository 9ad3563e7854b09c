"""The app as Azure loads it. An import error there means "no functions found" behind a green deployment."""

from azure_functions_durable_graph.dev.loader import index_app
from function_app import app, runtime


def test_the_app_loads_with_its_graphs() -> None:
    names = {function.name for function in index_app(app).functions}

    assert {"durable_graph_run", "durable_graph_node", "durable_graph_start_run"} <= names
{%- if cookiecutter.include_samples %}
    assert [graph.graph_name for graph in runtime.registry.defaults()] == [
        "content_classifier",
        "order_flow",
        "support_agent",
    ]
{%- else %}
    assert runtime.registry.defaults() == []  # change this with your first graph
{%- endif %}
