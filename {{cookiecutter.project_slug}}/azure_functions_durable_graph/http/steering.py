"""Steer a run: cancel, suspend, resume."""

from __future__ import annotations

import contextlib
import functools

from ..graph.plan import may_start_runs
from ..history.record import RunRecord
from .api import DEEPEST_CHILD, Api, Runs, find_run, finished_problem, poll, validated
from .bodies import CancelRequest, ResumeRequest, SuspendRequest
from .values import Problem, Request, Response, read_json

_NONE: frozenset[str] = frozenset()

CANCEL_WAIT = 5.0
"""Seconds in which all runs that a request cancels are given time to end, each before those that it has started."""


async def cancel_run(api: Api, request: Request) -> Response:
    """202: the run, and those that it has started, are being terminated. A node at work ends; its result is dropped."""
    record = await find_run(api, request)
    body = validated(CancelRequest, read_json(request, api.max_body_bytes, empty={}))
    if record.finished:
        raise finished_problem(record)
    await _terminate(api, record, body.reason, api.monotonic() + CANCEL_WAIT)
    return Response(202, {"id": record.id, "reason": body.reason})


async def _terminate(api: Api, record: RunRecord, reason: str, deadline: float, above: frozenset[str] = _NONE) -> None:
    """The run first, so that it does not take the end of its children for a failure.

    Until it has ended it may start more of them, so the engine is given a moment to end it.
    """
    await api.runs.terminate(record.id, reason)
    look = functools.partial(api.runs.get, record.id)
    ended = await poll(api, look, deadline, lambda run: run is None or run.finished, lambda _: [record.id])
    known = above | {record.id}
    for child in (ended or record).started if len(known) <= DEEPEST_CHILD else ():
        run = None if child in known else await api.runs.get(child)
        if run is not None and run.is_child and not run.finished:
            with contextlib.suppress(Problem):  # one that has ended by itself needs no end
                await _terminate(api, run, reason, deadline, known)


async def stop_child(runs: Runs, run_id: str, reason: str, above: frozenset[str] = _NONE) -> bool:
    """Terminate a run that another run has started and needs no more, and those below it.

    Whether it has to be asked for once more when it has ended: until then it may start another run.
    """
    record = await runs.get(run_id)
    if record is None or not record.is_child or run_id in above or len(above) > DEEPEST_CHILD:
        return False
    if not record.finished:
        with contextlib.suppress(Problem):  # it has ended by itself meanwhile
            await runs.terminate(run_id, reason)
    for child in record.started:
        await stop_child(runs, child, reason, above | {run_id})
    own = record.run.get("branch", {}).get("node")
    return not record.finished and may_start_runs(record.run["plan"], besides=own)


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
