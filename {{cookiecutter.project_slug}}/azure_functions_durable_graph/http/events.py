"""Answer a run that asks for an event, and see what has become of an answer."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ..errors import PayloadTooLarge
from ..graph.names import did_you_mean
from ..graph.registration import GraphRegistration
from ..graph.sizes import check_value
from ..graph.states import load
from ..history.record import RunRecord
from ..history.views import wait_id, wait_line
from ..run.messages import OpenWait
from .answers import Answer, Fate, answer_to, at_its_end, fate_of, known_fate, make_mark, read_answer, same_key
from .api import Api, find_run, finished_problem, graph_of, invalid, poll, poll_until
from .values import Problem, Request, Response, read_json, read_key, read_wait

EVENT_WAIT = 5.0
"""Seconds that a posted event waits for the run to ask for it and to take it, unless `?wait=` says otherwise."""


@dataclass(frozen=True)
class _Posted:
    """What a client has posted. `wait_id` names the one wait that is meant, where there are several."""

    event: str
    payload: Any
    mark: str
    keyed: bool
    wait_id: str | None

    def candidates(self, record: RunRecord) -> list[tuple[RunRecord, OpenWait]]:
        """The open waits that this may answer, each with the run that asks."""
        return [
            (run, wait)
            for run in record.tree()
            for wait in run.own_waits
            if wait["event"] == self.event and self.wait_id in (None, wait_id(record, run, wait))
        ]

    def fate_of_wait(self, record: RunRecord) -> Fate:
        """What would become of an answer to the wait that is meant."""
        run_id, _, address = (self.wait_id or "").rpartition("/")
        asking = next((run for run in record.tree() if run.id == (run_id or record.id)), None)
        answer = read_answer(f"{address}.{self.mark}")
        return Fate.NOT_ASKED if asking is None or answer is None else fate_of(answer, asking)

    def taken_by(self, record: RunRecord) -> tuple[RunRecord, Answer] | None:
        """The run that has taken an answer under this key before, and that answer."""
        found = [
            (run, Answer(self.event, step, mark))
            for run in record.tree()
            for step, mark in run.taken
            if self.keyed and same_key(mark, self.mark)
        ]
        return next((one for one in found if one[1].mark == self.mark), next(iter(found), None))


async def post_event(api: Api, request: Request) -> Response:
    """200: the run has applied this event. 202: it was raised, and the Location tells what becomes of it.

    `?wait=` bounds how long the request waits: before, for the run to ask, and after, for the run to have taken an
    answer. An event whose key the run has taken already is not raised again.
    """
    deadline = api.monotonic() + read_wait(request, default=EVENT_WAIT)
    record = await find_run(api, request)
    posted = _read(api, request)
    told = await _told(api, record, posted)
    if told is None:
        graph = graph_of(api, record)
        if not _has_subgraphs(graph):
            _check_event(graph, posted)
        record = await poll_until(api, request, deadline, functools.partial(_is_ready, posted))
        told = await _told(api, record, posted)
    if told is not None:
        return told
    asking, wait = _pick(record, posted)
    if _has_subgraphs(graph_of(api, record)):
        _check_event(graph_of(api, asking), posted)
    return await _raise(api, request, asking, wait, posted, deadline)


async def get_event(api: Api, request: Request) -> Response:
    """200: what has become of an answer: pending, applied or discarded."""
    record = await find_run(api, request)
    answer = read_answer(request.params["event_id"])
    fate = Fate.NOT_ASKED if answer is None else await known_fate(api, answer, record)
    if answer is None or fate is Fate.NOT_ASKED:
        text = f"the run {record.id!r} has not asked for such an event; use the Location of the response to the event"
        raise Problem("event-not-found", text)
    if fate is Fate.FORGOTTEN:
        raise Problem("event-not-found", "the run has taken so many answers since that it no longer remembers this one")
    reason = {"reason": _DISCARDED[fate][1]} if fate in _DISCARDED else {}
    outcome = "discarded" if reason else fate.value
    return Response(200, {**_line(record.id, answer, outcome), **reason})


def _read(api: Api, request: Request) -> _Posted:
    event, key = request.params["event"], read_key(request)
    payload = read_json(request, api.max_body_bytes, empty={})
    try:
        check_value(payload, api.registry.most_bytes, f"the payload of {event}")
    except PayloadTooLarge as error:
        raise Problem("body-too-large", str(error)) from None
    mark = make_mark(key or api.unique(), event, payload)
    return _Posted(event, payload, mark, key is not None, request.query.get("wait_id"))


def _is_ready(posted: _Posted, record: RunRecord) -> bool:
    """Whether there is nothing left to wait for before the event is raised, or refused."""
    if record.finished or posted.candidates(record) or posted.taken_by(record) is not None:
        return True
    return posted.fate_of_wait(record) in _DISCARDED


async def _told(api: Api, record: RunRecord, posted: _Posted) -> Response | None:
    """The answer for a key that was taken before. Problems: 410 for a run that is over, 422 for a key in other use."""
    found = posted.taken_by(record)
    if found is None and posted.keyed and record.finished:
        found = posted.taken_by(await at_its_end(api, record))
    if found is not None:
        run, answer = found
        if answer.mark != posted.mark:
            raise Problem("key-reused", "the run has taken another answer under this Idempotency-Key; use a new one")
        return Response(200, _line(run.id, answer, Fate.APPLIED.value))
    if record.finished:
        raise finished_problem(record)
    return None


def _pick(record: RunRecord, posted: _Posted) -> tuple[RunRecord, OpenWait]:
    """The wait that is answered, and the run that asks. Problem: 409."""
    found = posted.candidates(record)
    if len(found) == 1:
        return found[0]
    if found:
        text = f"{len(found)} runs are asking for {posted.event!r}: pick one with ?wait_id="
        raise Problem("event-ambiguous", text, waits=[wait_line(record, run, wait) for run, wait in found])
    fate = posted.fate_of_wait(record)
    if fate in _DISCARDED:
        code, text = _DISCARDED[fate]
        raise Problem(code, f"wait {posted.wait_id!r}: {text}")
    if posted.wait_id is not None:
        open_ = [wait_id(record, run, wait) for run in record.tree() for wait in run.own_waits]
        text = (
            f"the run has no open wait {posted.wait_id!r} for {posted.event!r}; {did_you_mean(posted.wait_id, open_)}"
        )
        raise Problem("event-not-awaited", text)
    asked = ", ".join(sorted({repr(wait["event"]) for wait in record.waits})) or "no event"
    raise Problem("event-not-awaited", f"the run is {record.status} and asks for {asked}, not for {posted.event!r}")


async def _raise(
    api: Api, request: Request, asking: RunRecord, wait: OpenWait, posted: _Posted, deadline: float
) -> Response:
    """Raise the event, and say what has become of it by the deadline. Problems: 409, 410."""
    answer = answer_to(wait, posted.mark)
    if answer is None:  # a status that was made by hand
        raise Problem("event-not-awaited", f"the run's wait for {posted.event!r} cannot be answered")
    try:
        await api.runs.raise_event(asking.id, wait["address"], {"id": posted.mark, "payload": posted.payload})
        failure = None
    except Exception as error:  # the event may have arrived all the same: what the run says counts
        failure = error
    fate = await _fate_by(api, asking.id, answer, deadline if failure is None else api.monotonic())
    if fate in _DISCARDED:
        code, text = _DISCARDED[fate]
        raise Problem(code, f"run {asking.id!r}: {text}", event_id=str(answer))
    if fate is Fate.APPLIED:
        return Response(200, {**_line(asking.id, answer, fate.value), "resume_node": wait["resume_node"]})
    if failure is not None:
        raise failure
    location = f"{request.root}/runs/{asking.id}/events/{answer}"
    line = {**_line(asking.id, answer, Fate.PENDING.value), "resume_node": wait["resume_node"]}
    return Response(202, line, {"Location": location, "Retry-After": "1"})


async def _fate_by(api: Api, run_id: str, answer: Answer, deadline: float) -> Fate:
    """What is known of an event by the deadline. It was raised: a look that fails must not turn that into an error."""

    async def look() -> Fate:
        try:
            record = await api.runs.get(run_id)
            return Fate.PENDING if record is None else await known_fate(api, answer, record)
        except Exception:
            return Fate.PENDING

    known = {*_DISCARDED, Fate.APPLIED}
    return await poll(api, look, deadline, known.__contains__, lambda _: [run_id])


_DISCARDED: dict[Fate, tuple[str, str]] = {
    Fate.ANSWERED: ("event-answered", "another answer was applied to this wait"),
    Fate.EXPIRED: ("event-expired", "the wait was over before this answer reached the run"),
    Fate.ENDED: ("run-finished", "the run ended without taking this answer"),
}
"""How an answer was lost: the problem that its sender gets, and a sentence."""


def _line(run_id: str, answer: Answer, outcome: str) -> dict[str, Any]:
    return {
        "id": run_id,
        "event": answer.event,
        "event_id": str(answer),
        "step": answer.step,
        "outcome": outcome,
    }


def _has_subgraphs(graph: GraphRegistration | None) -> bool:
    """Whether a run of the graph may ask for events of other graphs. Then the graph that asks judges the payload."""
    return graph is None or any(node.graph for node in graph.manifest.nodes.values())


def _check_event(graph: GraphRegistration | None, posted: _Posted) -> None:
    """Refuse at the door what the graph could never apply."""
    if graph is None:
        return
    event = posted.event
    code = graph.events.get(event)
    if code is None:
        text = f"graph {graph.graph_name!r} never asks for {event!r}; {did_you_mean(event, graph.events)}"
        raise Problem("event-not-awaited", text)
    if code.payload_model is not None:
        try:
            load(code.payload_model, posted.payload)
        except ValidationError as error:
            raise invalid(f"the payload of {event!r} is not valid", error, "payload") from None
