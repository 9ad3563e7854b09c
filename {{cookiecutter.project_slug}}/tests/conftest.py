"""Tests run with the SDK's strict typing, as the app does (it is set in local.settings.json).

`graph_host` has every graph of this project, `app_host` serves the whole app on a free port; both have a clock that
moves only when a test moves it.
"""

import os

from azure_functions_durable_graph.fixtures import app_host, graph_host

__all__ = ["app_host", "graph_host"]

os.environ.setdefault("AZURE_FUNCTIONS_DURABLE_STRICT_TYPING", "1")
