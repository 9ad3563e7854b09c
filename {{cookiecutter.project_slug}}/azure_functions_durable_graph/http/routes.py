"""The one table of HTTP routes.

It feeds the Azure app, the local host and the OpenAPI document, so that none of them can drift. It is data only: an app
reads it at every cold start.
"""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, eq=False, repr=False)
class Route:
    """One verb and path.

    `handler` is `module:function`, loaded when it is needed. `answers` maps each status to what it means, `shows` a
    status to the name of its model in `responses`; `body` names the request's model in `bodies`, `query` and `headers`
    what it reads of those.
    """

    name: str
    method: str
    path: str
    handler: str
    summary: str
    answers: dict[int, str]
    body: str | None = None
    query: tuple[str, ...] = ()
    headers: tuple[str, ...] = ()
    anonymous: bool = False
    shows: dict[int, str] = field(default_factory=dict)


_RUN_404 = {404: "there is no such run"}
_GRAPH_404 = {404: "there is no such graph"}
_FAULTY = {500: "the graph does not fit the app's other graphs"}
_BODY = {400: "the body is not JSON", 413: "the body is too large", 422: "the request is not valid"}

ROUTES: tuple[Route, ...] = (
    Route(
        "start_run",
        "POST",
        "graphs/{graph}/runs",
        "runs:start_run",
        "Start a run",
        {202: "the run was started", 200: "the run had been started before", 409: "the id is in use", **_GRAPH_404}
        | _BODY
        | _FAULTY,
        body="StartRequest",
        headers=("Idempotency-Key",),
        shows={202: "Started", 200: "Run"},
    ),
    Route(
        "get_run",
        "GET",
        "runs/{id}",
        "runs:get_run",
        "Get a run",
        {200: "the run", 422: "wait is not valid", **_RUN_404},
        query=("wait",),
        shows={200: "Run"},
    ),
    Route(
        "list_runs",
        "GET",
        "runs",
        "listing:list_runs",
        "List runs",
        {200: "a page of runs", 404: "there is no such graph", 422: "status, a time, limit or cursor is not valid"},
        query=("graph", "status", "since", "until", "tag.KEY", "limit", "cursor"),
        shows={200: "RunPage"},
    ),
    Route(
        "get_history",
        "GET",
        "runs/{id}/history",
        "runs:get_history",
        "Get the steps of a run",
        {200: "its steps and events", **_RUN_404},
        shows={200: "History"},
    ),
    Route(
        "post_event",
        "POST",
        "runs/{id}/events/{event}",
        "events:post_event",
        "Answer a run that waits for an event",
        {
            200: "the run has applied this event, once",
            202: "the event was raised, and the Location shows what becomes of it",
            409: "the event was not applied: the run is not asking for it, or has taken another answer",
            410: "the run has finished without applying it",
            **_RUN_404,
        }
        | _BODY,
        query=("wait", "wait_id"),
        headers=("Idempotency-Key",),
        shows={200: "Answer", 202: "Answer"},
    ),
    Route(
        "get_event",
        "GET",
        "runs/{id}/events/{event_id}",
        "events:get_event",
        "Get the outcome of an answer",
        {200: "pending, applied or discarded", 404: "there is no such run, or no such event"},
        shows={200: "Answer"},
    ),
    Route(
        "cancel_run",
        "POST",
        "runs/{id}/cancel",
        "steering:cancel_run",
        "Cancel a run",
        {202: "the run is being terminated", 410: "the run has finished", **_RUN_404} | _BODY,
        body="CancelRequest",
        shows={202: "Steered"},
    ),
    Route(
        "suspend_run",
        "POST",
        "runs/{id}/suspend",
        "steering:suspend_run",
        "Suspend a run: no node begins until it is resumed",
        {202: "the run is being suspended", 410: "the run has finished", **_RUN_404} | _BODY,
        body="SuspendRequest",
        shows={202: "Steered"},
    ),
    Route(
        "resume_run",
        "POST",
        "runs/{id}/resume",
        "steering:resume_run",
        "Resume a run",
        {202: "the run is being resumed", 410: "the run has finished", **_RUN_404} | _BODY,
        body="ResumeRequest",
        shows={202: "Steered"},
    ),
    Route(
        "restart_run",
        "POST",
        "runs/{id}/restart",
        "repeating:restart_run",
        "Start a run again as a new run, from its start or from a node that it has visited",
        {202: "the new run was started", 200: "it had been started before", 409: "the state at the node is not known"}
        | _RUN_404
        | _BODY
        | _FAULTY,
        body="RestartRequest",
        headers=("Idempotency-Key",),
        shows={202: "Started", 200: "Run"},
    ),
    Route(
        "retry_run",
        "POST",
        "runs/{id}/retry",
        "repeating:retry_run",
        "Continue a failed run as a new run, from the node that failed",
        {202: "the new run was started", 200: "it had been started before", 409: "the run has not failed"}
        | _RUN_404
        | _FAULTY
        | {422: "the request is not valid"},
        headers=("Idempotency-Key",),
        shows={202: "Started", 200: "Run"},
    ),
    Route(
        "delete_run",
        "DELETE",
        "runs/{id}",
        "deleting:delete_run",
        "Delete a finished run with its history, and all runs that it has started",
        {204: "the run was deleted", 409: "the run, or one that it has started, has not finished", **_RUN_404}
        | {503: "there are more runs than one request deletes: repeat it"},
    ),
    Route(
        "list_graphs",
        "GET",
        "graphs",
        "describing:list_graphs",
        "List the graphs",
        {200: "the graphs"},
        shows={200: "GraphList"},
    ),
    Route(
        "get_graph",
        "GET",
        "graphs/{graph}",
        "listing:get_graph",
        "Get a graph, its versions and how many live runs each has",
        {200: "the graph", **_GRAPH_404},
        shows={200: "Graph"},
    ),
    Route(
        "get_manifest",
        "GET",
        "graphs/{graph}/manifest",
        "describing:get_manifest",
        "Get the manifest of a graph: of the newest version, or of the one that runs of a hash use",
        {200: "the manifest, and where the graph is defined in the code", **_GRAPH_404},
        query=("hash",),
        shows={200: "Manifest"},
    ),
    Route(
        "get_diagram",
        "GET",
        "graphs/{graph}/diagram",
        "describing:get_diagram",
        "Draw a graph",
        {200: "Mermaid text", **_GRAPH_404},
    ),
    Route("get_openapi", "GET", "openapi.json", "describing:get_openapi", "This API as OpenAPI", {200: "the document"}),
    Route(
        "get_health",
        "GET",
        "health",
        "describing:get_health",
        "Liveness",
        {200: "the app is up"},
        anonymous=True,
        shows={200: "Health"},
    ),
)
