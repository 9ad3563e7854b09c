"""Start a run, and see it."""

from __future__ import annotations

import asyncio
import json
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from ..declare.graph_set import faults_of_run
from ..errors import InputError, PayloadError, PayloadTooLarge
from ..graph.fields import input_names, unknown_fields
from ..graph.names import did_you_mean, new_run_id
from ..graph.plain_json import digest
from ..graph.registration import GraphRegistration
from ..graph.sizes import MOST_BYTES
from ..graph.states import schema_for_people
from ..history.record import RunRecord
from ..history.views import history_view, run_view
from ..run.inputs import original_input
from ..run.messages import RunInput
from ..work.starting import new_run
from ..work.trace_context import read_trace, trace_id
from .api import (
    Api,
    IdTaken,
    find_graph,
    find_run,
    graph_of,
    invalid,
    poll_until,
    read_run,
    unknown_keys,
    validated,
)
from .bodies import StartRequest
from .values import Problem, Request, Response, read_json, read_key, read_wait

KEY_DIGITS = 32
"""Hex digits of an idempotency key in the id of the run that it has started."""


async def start_run(api: Api, request: Request) -> Response:
    """202: started. 200: the run was there, and `on_conflict` is "return" or the key is that of its start."""
    graph = find_graph(api, request)
    refuse_faulty(api, graph)
    given = read_json(request, api.max_body_bytes, empty={})
    _refuse_misplaced(graph, given)
    body = validated(StartRequest, given)
    run = run_input(graph, body.input, body.metadata, api.now(), most_bytes=api.registry.most_bytes)
    if body.tags:
        run["tags"] = body.tags
    key = read_key(request)
    if key is not None and body.instance_id is not None:
        raise Problem("invalid", "an Idempotency-Key determines the run's id: send the key or instance_id, not both")
    made = api.unique() if key is None else digest(key)[:KEY_DIGITS]
    run_id = body.instance_id or new_run_id(graph.graph_name, made)
    try:
        await api.runs.start(run_id, run, fresh=body.instance_id is None and key is None)
    except IdTaken:
        return await _found(api, request, run_id, run, body.on_conflict == "return", key is not None)
    return started(request, run_id, run)


async def _found(api: Api, request: Request, run_id: str, run: RunInput, wanted: bool, keyed: bool) -> Response:
    """200: the run that has the id, where the client asked for it. Problems: 409; 422 for a key in other use."""
    record = await read_run(api, run_id, history=True)
    if record is None or record.run["plan"]["graph"] != run["plan"]["graph"] or not (wanted or keyed):
        raise Problem("run-exists", f"the id {run_id!r} is in use; choose another, or send none") from None
    if keyed and digest(record.run["input"]) != digest(original_input(run)):
        raise Problem("key-reused", f"the run {run_id!r} was started under this Idempotency-Key with another input")
    return Response(200, view(api, record), {"Location": f"{request.root}/runs/{run_id}"})


def started(request: Request, run_id: str, run: RunInput) -> Response:
    """202: a run was started."""
    plan, location = run["plan"], f"{request.root}/runs/{run_id}"
    answer = {
        "id": run_id,
        "graph": plan["graph"],
        "version": plan["version"],
        "graph_hash": plan["hash"],
        "status": "pending",
        "status_url": location,
    }
    return Response(202, answer, {"Location": location, "Retry-After": "1"})


def run_input(
    graph: GraphRegistration,
    given: dict[str, Any],
    metadata: dict[str, Any],
    now: datetime,
    where: str = "input",
    *,
    most_bytes: int = MOST_BYTES,
) -> RunInput:
    """The orchestration input of a new run.

    Problems: 413 for an input that is too large, 422 for one (`where`) that does not fit the graph's state.
    """
    try:
        return new_run(graph, given, metadata, now.isoformat(timespec="milliseconds"), most_bytes)
    except InputError as error:
        raise unknown_keys(where, error.unknown) from None
    except ValidationError as error:
        raise invalid(f"the {where} does not match the state of graph {graph.graph_name!r}", error, where) from None
    except PayloadTooLarge as error:
        raise Problem("body-too-large", str(error)) from None
    except PayloadError as error:
        raise Problem("invalid", str(error)) from None


def refuse_faulty(api: Api, graph: GraphRegistration) -> None:
    """Problem 500 where a run could only park or fail: a subgraph that is missing, or does not fit."""
    faults = faults_of_run(graph, api.registry.by_name)
    if faults:
        raise Problem("graph-faulty", " ".join(map(str, faults)))


def _refuse_misplaced(graph: GraphRegistration, body: Any) -> None:
    """Keys of a start that it does not have. The usual mistake: fields of the state that do not stand in "input"."""
    if not isinstance(body, dict):
        return
    fields = input_names(graph.state_model)
    hints = {}
    for key in unknown_fields(StartRequest, body):
        belongs = f'it is a field of the state: put it under "input", as in {{"input": {{{json.dumps(key)}: …}}}}'
        hints[key] = belongs if key in fields else did_you_mean(key, StartRequest.model_fields)
    if hints:
        raise unknown_keys("body", hints)


async def get_run(api: Api, request: Request) -> Response:
    """200: the run; with `?wait=` as soon as it is settled, or after so many seconds."""
    deadline = api.monotonic() + read_wait(request, default=0.0)
    record = await poll_until(api, request, deadline, lambda record: record.is_idle)
    if record.status != "completed":
        record = await read_run(api, record.id, history=True) or record
    shown = view(api, record)
    reports = await _progress(api, record)
    return Response(200, {**shown, "progress": reports} if reports else shown)


async def _progress(api: Api, record: RunRecord) -> list[dict[str, Any]]:
    """What the running nodes have reported, those of the runs below as well, which are named then.

    A step before the run's is over: its report is left from a call that was lost. Several steps may share an activity.
    """
    running = [one for one in record.tree() if one.status in ("running", "suspended")]
    found = await asyncio.gather(*(api.runs.progress(one.id) for one in running))
    pairs = [(one, report) for one, reports in zip(running, found, strict=True) for report in reports]
    return [
        {**report, **({} if one is record else {"run": one.id})} for one, report in pairs if report["step"] >= one.step
    ]


async def get_history(api: Api, request: Request) -> Response:
    """200: the steps of the run."""
    record = await find_run(api, request, history=True)
    return Response(200, {**history_view(record), "status": record.status})


def view(api: Api, record: RunRecord) -> dict[str, Any]:
    """A run as it is shown, with the JSON Schema of each payload that it asks for."""
    shown = run_view(record)
    trace = read_trace(record.run.get("trace"))
    if trace is not None:
        shown["trace_id"] = trace_id(trace)
    asked = [(run, wait) for run in record.tree() for wait in run.own_waits]
    for line, (run, wait) in zip(shown["waits"], asked, strict=True):
        graph = graph_of(api, run)
        code = None if graph is None else graph.events.get(wait["event"])
        if code is not None and code.payload_model is not None:
            line["payload_schema"] = schema_for_people(code.payload_model, by_alias=True)
    return shown
