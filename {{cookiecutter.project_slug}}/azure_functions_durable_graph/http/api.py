"""What every route has to hand: the graphs, the engine as a port, and the look-ups that answer with a problem.

A handler talks to the Durable engine through the `Runs` port alone. Clock, sleep and ids come in with `Api`.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol, TypeVar

from pydantic import BaseModel, ValidationError

from ..graph.names import did_you_mean, is_run_id
from ..graph.registration import GraphRegistration
from ..history.record import Head, RunHead, RunRecord
from ..run.messages import EventEnvelope, RunInput
from ..work.registry import Registry
from .values import Problem, Request, Response

Body = TypeVar("Body", bound=BaseModel)
T = TypeVar("T")

Handler = Callable[["Api", Request], Awaitable[Response]]


MOST_CHILDREN, DEEPEST_CHILD = 100, 50
"""How many runs, and how deep, are looked at below one run."""


_NONE: frozenset[str] = frozenset()

Watch = Callable[[Collection[str], float], Awaitable[None]]
"""Waits until one of these runs has come to rest, at most so many seconds."""


class IdTaken(Exception):  # noqa: N818 - an outcome that `start` reports, not a failure
    """The run id is in use, by a run of ours or by another orchestration in the hub."""


class Runs(Protocol):
    """What the API may ask of the Durable engine. Unknown ids and foreign orchestrations are None alike."""

    async def start(self, run_id: str, run: RunInput, *, fresh: bool) -> None:
        """Start a run. `fresh`: the id was just made, so it need not be looked up. Raises IdTaken."""
        ...

    async def get(self, run_id: str, *, history: bool = False) -> RunRecord | None: ...

    async def page(
        self, statuses: Collection[str], cursor: str, limit: int, since: datetime | None = None
    ) -> tuple[list[RunHead], str]:
        """One page of runs in these runtime statuses of the engine, and the cursor of the next ("" at the end).

        `since` leaves out what the engine knows to be older; a run that is not may still have been started before.
        """
        ...

    async def beginning(self, prefix: str, cursor: str, limit: int) -> tuple[list[RunHead], str]:
        """One page of the runs whose ids begin so, in any status, and the cursor of the next page ("" at the end)."""
        ...

    def watch(self) -> Watch | None:
        """From now on; None if the engine does not tell, so that one has to look again."""
        ...

    async def raise_event(self, run_id: str, address: str, event: EventEnvelope) -> None: ...

    async def terminate(self, run_id: str, reason: str) -> None: ...

    async def suspend(self, run_id: str, reason: str) -> None: ...

    async def resume(self, run_id: str, reason: str) -> None: ...

    async def progress(self, run_id: str) -> list[dict[str, Any]]:
        """What nodes of a run have reported of their progress, each with its node, step and value."""
        ...

    async def purge(self, run_id: str) -> bool:
        """Delete a finished run with its history. False where there was none."""
        ...


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


def find_graph(api: Api, request: Request) -> GraphRegistration:
    """The graph that the route names. Problem: 404."""
    name = request.params["graph"]
    graph = api.registry.default(name)
    if graph is None:
        raise Problem(
            "graph-not-found",
            f"there is no graph {name!r}; {did_you_mean(name, (g.graph_name for g in api.registry.defaults()))}",
        )
    return graph


def graph_of(api: Api, record: RunRecord) -> GraphRegistration | None:
    """The graph to which a run is pinned, or its successor, if this deployment has it."""
    plan = record.run["plan"]
    return api.registry.find(plan["graph"], plan["hash"])


async def find_run(api: Api, request: Request, *, history: bool = False) -> RunRecord:
    """The run that the route names. Problem: 404."""
    run_id = request.params["id"]
    record = await read_run(api, run_id, history) if is_run_id(run_id) else None
    if record is None:
        raise Problem("run-not-found", f"there is no run {run_id!r}")
    return record


FIRST_PAUSE, LONGEST_PAUSE = 0.01, 1.0
"""Seconds between two looks at a run: most runs of a few nodes move on within the first hundredth of a second."""


async def read_run(api: Api, run_id: str, history: bool = False) -> RunRecord | None:
    """The run, with the runs that it waits for.

    A run is read before its children: an answer that a child has taken is seen in the child, or, once that has ended,
    in the run.
    """
    record = await api.runs.get(run_id, history=history)
    return None if record is None else await with_children(api.runs.get, record)


async def with_children(
    look: Callable[[str], Awaitable[RunHead | None]], run: Head, above: frozenset[str] = _NONE
) -> Head:
    """The run with what it waits for, at any depth. `look` finds a run by its id.

    A custom status is what somebody has written: only runs that were started as children count, and none that stands
    `above` itself.
    """
    known = above | {run.id}
    wanted = [child for child in dict.fromkeys(run.children) if child not in known][:MOST_CHILDREN]
    found = [await look(child) for child in wanted] if len(known) <= DEEPEST_CHILD else []
    children = [child for child in found if child is not None and child.is_child]
    return run.with_children([await with_children(look, child, known) for child in children])


async def poll_until(api: Api, request: Request, deadline: float, done: Callable[[RunRecord], bool]) -> RunRecord:
    """The run as soon as `done`, or as it is at the deadline. Problem: 404."""
    look = functools.partial(find_run, api, request)
    return await poll(api, look, deadline, done, lambda record: [run.id for run in record.tree()])


async def poll(
    api: Api,
    look: Callable[[], Awaitable[T]],
    deadline: float,
    done: Callable[[T], bool],
    runs: Callable[[T], Collection[str]],
) -> T:
    """What `look` sees as soon as it is `done`, or at the deadline.

    Looks again when one of the `runs` has come to rest, and once a second; where the engine does not tell that, often
    at first.
    """
    pause = FIRST_PAUSE
    while True:
        watch = api.runs.watch()  # before the look: what happens after it is not missed
        seen = await look()
        left = deadline - api.monotonic()
        if done(seen) or left <= 0:
            return seen
        if watch is not None:
            await watch(runs(seen), min(LONGEST_PAUSE, left))
        else:
            await api.sleep(min(pause, left))
            pause = min(pause * 1.5, LONGEST_PAUSE)


def finished_problem(record: RunRecord) -> Problem:
    """The answer for a run that is over."""
    return Problem("run-finished", f"the run {record.id!r} is {record.status}")


def validated(model: type[Body], body: Any) -> Body:
    """A request's body as its model. Problem: 422."""
    try:
        return model.model_validate(body)
    except ValidationError as error:
        raise invalid("the body is not valid", error, "body") from None


def invalid(detail: str, error: ValidationError, root: str) -> Problem:
    """A problem 422 with pydantic's details below `root`; values, which may be secret, are left out."""
    details = [
        {"loc": [root, *item["loc"]], "msg": item["msg"], "type": item["type"]}
        for item in error.errors(include_url=False, include_context=False, include_input=False)
    ]
    first = f"{'.'.join(map(str, details[0]['loc']))}: {details[0]['msg']}" if details else ""
    return Problem("invalid", f"{detail}: {first}", errors=details)


def unknown_keys(root: str, hints: Mapping[str, str]) -> Problem:
    """A problem 422 that names keys which nobody reads, each with a hint."""
    errors = [{"loc": [root, key], "msg": f"unknown key; {hint}", "type": "unknown_key"} for key, hint in hints.items()]
    named = ". ".join(f"{root}.{key}: unknown key; {hint}" for key, hint in hints.items())
    return Problem("invalid", named, errors=errors)
