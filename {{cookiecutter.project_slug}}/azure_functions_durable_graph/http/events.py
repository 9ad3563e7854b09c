"""Answer a run that asks for an event."""

from __future__ import annotations

import contextlib
from typing import Any

from pydantic import ValidationError

from ..graph.names import did_you_mean
from ..graph.registration import GraphRegistration
from ..graph.states import load
from ..history.record import RunRecord
from ..run.messages import OpenWait
from .api import (
    Api,
    find_run,
    finished_problem,
    invalid,
    poll_until,
    read_children,
)
from .values import Problem, Request, Response, read_json, read_wait

EVENT_WAIT = 5.0
"""Seconds that a posted event waits for the run to ask for it, unless `?wait=` says otherwise."""


async def post_event(api: Api, request: Request) -> Response:
    """202: the run asks for this event, and it was raised under the address of that wait.

    `?wait=` bounds how long the request waits: before, for the run to ask, and after, for the run to have taken the
    event. A client that posts one event after another thus finds the next wait, and not the one it has answered.
    """
    event = request.params["event"]
    deadline = api.monotonic() + read_wait(request, default=EVENT_WAIT)
    record = await find_run(api, request)
    if record.finished:
        raise finished_problem(record)
    payload = read_json(request, api.max_body_bytes, empty={})
    _check_event(_graph_of(api, record), event, payload)
    record = await poll_until(api, request, deadline, lambda record: record.finished or bool(_find_wait(record, event)))
    if record.finished:
        raise finished_problem(record)
    asking, wait = await _find_asking(api, record, event)
    if asking is not record:
        _check_event(_graph_of(api, asking), event, payload)
    await api.runs.raise_event(asking.id, wait["address"], payload)
    with contextlib.suppress(Exception):  # the event is accepted: whatever fails from here on must not deny it
        await poll_until(api, request, deadline, lambda record: wait not in record.waits)
    return Response(202, {"id": record.id, "event": event, "resume_node": wait["resume_node"]})


async def _find_asking(
    api: Api, record: RunRecord, event: str, above: frozenset[str] = frozenset()
) -> tuple[RunRecord, OpenWait]:
    """The run that asks for the event, this one or one below it, and its wait. Problem: 409."""
    own = next((wait for wait in record.custom_status.get("waits", ()) if wait["event"] == event), None)
    if own is not None:
        return record, own
    for child in await read_children(api, record, above):
        if _find_wait(child, event):
            return await _find_asking(api, child, event, above | {record.id})
    asked = ", ".join(sorted({repr(wait["event"]) for wait in record.waits})) or "no event"
    raise Problem("event-not-awaited", f"the run is {record.status} and asks for {asked}, not for {event!r}")


def _graph_of(api: Api, record: RunRecord) -> GraphRegistration | None:
    plan = record.run["plan"]
    return api.registry.find(plan["graph"], plan["hash"])


def _check_event(graph: GraphRegistration | None, event: str, payload: Any) -> None:
    """Refuse at the door what the graph could never apply. A graph with subgraphs may ask for their events."""
    if graph is None:
        return
    code = graph.events.get(event)
    if code is None and any(node.kind == "subgraph" for node in graph.manifest.nodes.values()):
        return
    if code is None:
        text = f"graph {graph.graph_name!r} never asks for {event!r}; {did_you_mean(event, graph.events)}"
        raise Problem("event-not-awaited", text)
    if code.payload_model is not None:
        try:
            load(code.payload_model, payload)
        except ValidationError as error:
            raise invalid(f"the payload of {event!r} is not valid", error, "payload") from None


def _find_wait(record: RunRecord, event: str) -> OpenWait | None:
    return next((wait for wait in record.waits if wait["event"] == event), None)
