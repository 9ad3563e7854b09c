"""Steer a run: cancel, suspend, resume."""

from __future__ import annotations

import contextlib

from ..history.record import RunRecord
from .api import DEEPEST_CHILD, Api, Runs, find_run, finished_problem, validated
from .bodies import CancelRequest, ResumeRequest, SuspendRequest
from .values import Problem, Request, Response, read_json


async def cancel_run(api: Api, request: Request) -> Response:
    """202: the run, and those that it has started, are being terminated. A node at work ends; its result is dropped."""
    record = await find_run(api, request)
    body = validated(CancelRequest, read_json(request, api.max_body_bytes, empty={}))
    if record.finished:
        raise finished_problem(record)
    await _terminate(api, record, body.reason)
    return Response(202, {"id": record.id, "reason": body.reason})


async def _terminate(api: Api, record: RunRecord, reason: str) -> None:
    """The run first, so that it does not take the end of its children for a failure."""
    await api.runs.terminate(record.id, reason)
    for child in record.open_children:
        with contextlib.suppress(Problem):  # one that has ended by itself needs no end
            await _terminate(api, child, reason)


async def stop_child(runs: Runs, run_id: str, reason: str, depth: int = 0) -> None:
    """Terminate a run that another run has started and needs no more, and those below it."""
    record = await runs.get(run_id)
    if record is None or record.finished or depth > DEEPEST_CHILD:
        return
    with contextlib.suppress(Problem):  # it has ended by itself meanwhile
        await runs.terminate(run_id, reason)
    for child in record.children:
        await stop_child(runs, child, reason, depth + 1)


async def suspend_run(api: Api, request: Request) -> Response:
    """202: the run, and those that it has started, begin nothing more. Nodes at work end; what arrives is kept."""
    record = await find_run(api, request)
    body = validated(SuspendRequest, read_json(request, api.max_body_bytes, empty={}))
    if record.finished:
        raise finished_problem(record)
    for run in record.tree():
        if run.status != "suspended":
            with _forgiving(run, record):
                await api.runs.suspend(run.id, body.reason)
    return Response(202, {"id": record.id, "reason": body.reason})


async def resume_run(api: Api, request: Request) -> Response:
    """202: the run, and those that it has started, go on with what has arrived meanwhile."""
    record = await find_run(api, request)
    body = validated(ResumeRequest, read_json(request, api.max_body_bytes, empty={}))
    if record.finished:
        raise finished_problem(record)
    for run in record.tree():
        if run.status == "suspended":
            with _forgiving(run, record):
                await api.runs.resume(run.id, body.reason)
    return Response(202, {"id": record.id, "reason": body.reason})


def _forgiving(run: RunRecord, asked: RunRecord) -> contextlib.AbstractContextManager[None]:
    """A child that has ended by itself meanwhile is no obstacle."""
    return contextlib.nullcontext() if run is asked else contextlib.suppress(Problem)
