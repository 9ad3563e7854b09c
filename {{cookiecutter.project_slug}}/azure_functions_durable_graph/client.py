"""A client of an app that is served somewhere: on this machine, in a test, in Azure. It needs httpx.

    with GraphClient(url) as client:
        run = client.start("order_flow", {"order_id": "A-1"})
        path = [step.node for step in client.follow(run)]

    assert path == ["validate", "ship"]

Functions of the app itself use `DurableGraphApp.client`, which has the same methods and needs no HTTP; this module is
not deployed to Azure.
"""

from __future__ import annotations

from .errors import ApiError, ApiUnreachable
from .http.responses import (
    Answer,
    Graph,
    GraphRow,
    Health,
    History,
    Manifest,
    Progress,
    Run,
    RunPage,
    RunRow,
    Started,
    Step,
    Wait,
)

try:
    from .remote.clients import AsyncGraphClient, GraphClient
except ModuleNotFoundError as error:
    if error.name != "httpx":
        raise
    text = "azure_functions_durable_graph.client needs httpx: install 'httpx>=0.28,<1' where the client runs"
    raise ModuleNotFoundError(text, name="httpx") from None

__all__ = [
    "Answer",
    "ApiError",
    "ApiUnreachable",
    "AsyncGraphClient",
    "Graph",
    "GraphClient",
    "GraphRow",
    "Health",
    "History",
    "Manifest",
    "Progress",
    "Run",
    "RunPage",
    "RunRow",
    "Started",
    "Step",
    "Wait",
]
