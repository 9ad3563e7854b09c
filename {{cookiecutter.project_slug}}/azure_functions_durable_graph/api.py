"""What the HTTP routes do with runs, host-neutral: values in, values out. Floor 5.

A handler talks to the Durable engine through the `Runs` port alone. Clock, sleep and ids come in with `Api`.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, Protocol

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from .errors import PayloadError
from .graph import GraphRegistration
from .http import Problem, Request, Response, read_json, read_wait
from .messages import OpenWait, RunInput
from .names import RUN_ID_RULE, hint, is_run_id, new_run_id
from .records import RunRecord, history_view, run_view
from .registry import Registry
from .starting import new_run
from .states import load

EVENT_WAIT = 5.0
"""Seconds that a posted event waits for the run to ask for it, unless `?wait=` says otherwise."""


Handler = Callable[["Api", Request], Awaitable[Response]]


class IdTaken(Exception):  # noqa: N818 - an outcome that `start` reports, not a failure
    """The run id is in use, by a run of ours or by another orchestration in the hub."""


class Runs(Protocol):
    """What the API may ask of the Durable engine. Unknown ids and foreign orchestrations are None alike."""

    async def start(self, run_id: str, run: RunInput, *, fresh: bool) -> None:
        """Start a run. `fresh`: the id was just made, so it need not be looked up. Raises IdTaken."""
        ...

    async def get(self, run_id: str, *, history: bool = False) -> RunRecord | None: ...

    async def page(self, statuses: Collection[str], cursor: str, limit: int) -> tuple[list[RunRecord], str]:
        """One page of runs in these runtime statuses of the engine, and the cursor of the next ("" at the end)."""
        ...

    async def raise_event(self, run_id: str, address: str, payload: Any) -> None: ...

    async def terminate(self, run_id: str, reason: str) -> None: ...


@dataclass(frozen=True)
class Api:
    """One request's surroundings: the graphs, the engine, and the outside world as functions."""

    registry: Registry
    runs: Runs
    now: Callable[[], datetime]
    monotonic: Callable[[], float]
    sleep: Callable[[float], Awaitable[None]]
    unique: Callable[[], str]
    max_body_bytes: int


class StartRequest(BaseModel):
    """Body of POST graphs/{graph}/runs."""

    model_config = ConfigDict(extra="forbid")

    input: dict[str, Any] = Field(default_factory=dict)
    instance_id: str | None = None
    metadata: dict[str, Any] = Field(default_factory=dict)
    on_conflict: Literal["fail", "return"] = "fail"

    @field_validator("instance_id")
    @classmethod
    def _valid_id(cls, value: str | None) -> str | None:
        if value is not None and not is_run_id(value):
            raise ValueError(f"a run id is {RUN_ID_RULE}")
        return value


class CancelRequest(BaseModel):
    """Body of POST runs/{id}/cancel."""

    model_config = ConfigDict(extra="forbid")

    reason: str = Field(default="cancelled over HTTP", max_length=1000)


async def start_run(api: Api, request: Request) -> Response:
    """202: started. 200: `on_conflict` is "return" and the run was there."""
    graph = find_graph(api, request)
    body = _validated(StartRequest, read_json(request, api.max_body_bytes, empty={}))
    run = run_input(graph, body.input, body.metadata, api.now())
    run_id = body.instance_id or new_run_id(graph.graph_name, api.unique())
    try:
        await api.runs.start(run_id, run, fresh=body.instance_id is None)
    except IdTaken:
        record = await api.runs.get(run_id, history=True)
        if body.on_conflict == "return" and record and record.run["plan"]["graph"] == graph.graph_name:
            return Response(200, run_view(record), {"Location": f"{request.root}/runs/{run_id}"})
        raise Problem("run-exists", f"the id {run_id!r} is in use; choose another, or send none") from None
    location = f"{request.root}/runs/{run_id}"
    answer = {
        "id": run_id,
        "graph": graph.graph_name,
        "version": graph.manifest.version,
        "graph_hash": graph.graph_hash,
        "status": "pending",
        "status_url": location,
    }
    return Response(202, answer, {"Location": location, "Retry-After": "1"})


def run_input(graph: GraphRegistration, given: dict[str, Any], metadata: dict[str, Any], now: datetime) -> RunInput:
    """The orchestration input of a new run. Problem 422 with pydantic's details for an input that is no state."""
    try:
        return new_run(graph, given, metadata, now.isoformat(timespec="milliseconds"))
    except ValidationError as error:
        raise _invalid("the input is no valid state of the graph", error, "input") from None
    except PayloadError as error:
        raise Problem("invalid", str(error)) from None


async def get_run(api: Api, request: Request) -> Response:
    """200: the run; with `?wait=` as soon as it is settled, or after so many seconds."""
    deadline = api.monotonic() + read_wait(request, default=0.0)
    record = await _polled(api, request, deadline, lambda record: record.settled)
    if record.status != "completed":
        record = await _with_children(api, record.id, history=True) or record
    return Response(200, run_view(record))


async def get_history(api: Api, request: Request) -> Response:
    """200: the steps of the run."""
    return Response(200, history_view(await _found(api, request, history=True)))


async def post_event(api: Api, request: Request) -> Response:
    """202: the run asks for this event, and it was raised under the address of that wait.

    `?wait=` bounds how long the request waits: before, for the run to ask, and after, for the run to have taken the
    event. A client that posts one event after another thus finds the next wait, and not the one it has answered.
    """
    event = request.params["event"]
    deadline = api.monotonic() + read_wait(request, default=EVENT_WAIT)
    record = await _found(api, request)
    if record.finished:
        raise _gone(record)
    payload = read_json(request, api.max_body_bytes, empty={})
    _check_event(_graph_of(api, record), event, payload)
    record = await _polled(api, request, deadline, lambda record: record.finished or bool(_asks(record, event)))
    if record.finished:
        raise _gone(record)
    asking, wait = await _who_asks(api, record, event)
    if asking is not record:
        _check_event(_graph_of(api, asking), event, payload)
    await api.runs.raise_event(asking.id, wait["address"], payload)
    with contextlib.suppress(Exception):  # the event is accepted: whatever fails from here on must not deny it
        await _polled(api, request, deadline, lambda record: wait not in record.waits)
    return Response(202, {"id": record.id, "event": event, "resume_node": wait["resume_node"]})


async def cancel_run(api: Api, request: Request) -> Response:
    """202: the run, and those that it has started, are being terminated. A node at work ends; its result is dropped."""
    record = await _found(api, request)
    body = _validated(CancelRequest, read_json(request, api.max_body_bytes, empty={}))
    if record.finished:
        raise _gone(record)
    await _terminate(api, record, body.reason)
    return Response(202, {"id": record.id, "reason": body.reason})


async def _terminate(api: Api, record: RunRecord, reason: str) -> None:
    """The run first, so that it does not take the end of its children for a failure."""
    await api.runs.terminate(record.id, reason)
    for child in await _children(api, record):
        if not child.finished:
            await _terminate(api, child, reason)


def find_graph(api: Api, request: Request) -> GraphRegistration:
    """The graph that the route names. Problem: 404."""
    name = request.params["graph"]
    graph = api.registry.default(name)
    if graph is None:
        raise Problem(
            "graph-not-found",
            f"there is no graph {name!r}; {hint(name, (g.graph_name for g in api.registry.defaults()))}",
        )
    return graph


async def _found(api: Api, request: Request, *, history: bool = False) -> RunRecord:
    run_id = request.params["id"]
    record = await _with_children(api, run_id, history) if is_run_id(run_id) else None
    if record is None:
        raise Problem("run-not-found", f"there is no run {run_id!r}")
    return record


async def _with_children(api: Api, run_id: str, history: bool = False) -> RunRecord | None:
    """The run, with the open waits of the runs that it has started."""
    record = await api.runs.get(run_id, history=history)
    if record is None or not record.children:
        return record
    return record.with_waits_of(await _children(api, record))


async def _children(api: Api, record: RunRecord) -> list[RunRecord]:
    found = [await _with_children(api, child) for child in record.children]
    return [child for child in found if child is not None]


async def _who_asks(api: Api, record: RunRecord, event: str) -> tuple[RunRecord, OpenWait]:
    """The run that asks for the event, this one or one below it, and its wait. Problem: 409."""
    own = next((wait for wait in record.custom_status.get("waits", ()) if wait["event"] == event), None)
    if own is not None:
        return record, own
    for child in await _children(api, record):
        if _asks(child, event):
            return await _who_asks(api, child, event)
    asked = ", ".join(sorted({repr(wait["event"]) for wait in record.waits})) or "no event"
    raise Problem("event-not-awaited", f"the run is {record.status} and asks for {asked}, not for {event!r}")


async def _polled(api: Api, request: Request, deadline: float, done: Callable[[RunRecord], bool]) -> RunRecord:
    """The run as soon as `done`, or as it is at the deadline. Looks often at first, then once a second."""
    pause = 0.05
    while True:
        record = await _found(api, request)
        left = deadline - api.monotonic()
        if done(record) or left <= 0:
            return record
        await api.sleep(min(pause, left))
        pause = min(pause * 2, 1.0)


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
        text = f"graph {graph.graph_name!r} never asks for {event!r}; {hint(event, graph.events)}"
        raise Problem("event-not-awaited", text)
    if code.payload_model is not None:
        try:
            load(code.payload_model, payload)
        except ValidationError as error:
            raise _invalid(f"the payload of {event!r} is not valid", error, "payload") from None


def _asks(record: RunRecord, event: str) -> OpenWait | None:
    return next((wait for wait in record.waits if wait["event"] == event), None)


def _gone(record: RunRecord) -> Problem:
    return Problem("run-finished", f"the run {record.id!r} is {record.status}")


def _validated(model: type[StartRequest] | type[CancelRequest], body: Any) -> Any:
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise _invalid("the body is not valid", error, "body") from None


def _invalid(detail: str, error: ValidationError, root: str) -> Problem:
    details = [
        {"loc": [root, *item["loc"]], "msg": item["msg"], "type": item["type"]}
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = f"{'.'.join(map(str, details[0]['loc']))}: {details[0]['msg']}" if details else ""
    return Problem("invalid", f"{detail}: {first}", errors=details)
