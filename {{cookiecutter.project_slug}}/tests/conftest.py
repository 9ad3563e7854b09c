"""Tests run as the app does: with the SDK's strict typing, which local.settings.json sets for the app.

`graph_host` holds every graph of this project, `app_host` serves the whole app on a free port; both have a clock that
only moves when a test moves it.
"""

import os

from azure_functions_durable_graph.fixtures import app_host, graph_host

__all__ = ["app_host", "graph_host"]

os.environ.setdefault("AZURE_FUNCTIONS_DURABLE_STRICT_TYPING", "1")
