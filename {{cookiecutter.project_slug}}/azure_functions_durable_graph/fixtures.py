"""pytest fixtures for a project's `conftest.py`.

    from azure_functions_durable_graph.fixtures import app_host, graph_host

They find the app in the project's function_app.py. They need pytest, which is not installed in Azure.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator

import pytest

from .azure.app import DurableGraphApp
from .host.app.loader import only
from .hosting import AppHost
from .testing import GraphHost


def find_app() -> DurableGraphApp:
    """The DurableGraphApp in the project's function_app.py."""
    return only(DurableGraphApp, "DurableGraphApp", importlib.import_module("function_app"))


@pytest.fixture
def graph_host() -> Iterator[GraphHost]:
    """All graphs of the project on a host in memory, with a clock that a test moves."""
    registry = find_app().registry
    graphs = (version for graph in registry.defaults() for version in registry.versions(graph.graph_name))
    with GraphHost(*graphs, max_payload_bytes=registry.most_bytes) as host:
        yield host


@pytest.fixture
def app_host() -> Iterator[AppHost]:
    """The project's whole function app, served over HTTP on a free port, with a clock that a test moves."""
    with AppHost(find_app().function_app) as host:
        yield host
