"""Every route as a method with types. The rules are those of the routes: nothing is decided here."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from datetime import datetime
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ValidationError

from ..errors import ApiError
from ..graph.names import RUN_ID_RULE, Status, is_run_id
from ..graph.states import dump_to_send
from ..http.responses import (
    Answer,
    Graph,
    GraphList,
    GraphRow,
    Health,
    History,
    Manifest,
    Run,
    RunPage,
    RunRow,
    Started,
    Step,
)
from ..http.values import Response
from .door import BY_NAME, Call, Door

Shown = TypeVar("Shown", bound=BaseModel)

RunRef = str | RunRow | Started
"""A run, or its id."""

LONG_POLL = 20.0
"""Seconds that one request waits for a run. Longer ones would hold a connection that proxies like to cut."""

FIRST_PAUSE, LAST_PAUSE = 0.1, 5.0
"""Seconds between two looks at a run that waits for something else than its own work."""


class GraphCalls:
    """The API of an app with graphs, in async code. Each method is one route, and raises ApiError for its problems.

    A run is named by its id, or by what a method has returned for it.
    """

    def __init__(self, door: Door) -> None:
        self._door = door

    async def start(
        self,
        graph: str,
        input: BaseModel | Mapping[str, Any] | None = None,  # noqa: A002 - the word of the API
        *,
        key: str | None = None,
        instance_id: str | None = None,
        on_conflict: Literal["fail", "return"] = "fail",
        metadata: Mapping[str, Any] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Started:
        """Start a run of a graph; `input` is its state model, or a dict.

        `key` determines the run's id: a repeat with the same key finds the first run instead of starting another. It is
        sent as the Idempotency-Key; a queue message's id is a good one. `instance_id` sets the id itself.
        """
        body: dict[str, Any] = {"input": plain_input(input), "on_conflict": on_conflict}
        body |= {} if instance_id is None else {"instance_id": instance_id}
        body |= {} if metadata is None else {"metadata": dict(metadata)}
        body |= {} if tags is None else {"tags": dict(tags)}
        return await self._ask(Started, "start_run", {"graph": graph}, body=body, key=key)

    async def get(self, run: RunRef, *, wait: float = 0.0) -> Run:
        """A run; with `wait` (seconds, at most 60) as soon as it has finished or waits for something."""
        return await self._ask(Run, "get_run", {"id": run_id(run)}, {"wait": wait or None})

    async def list(
        self,
        *,
        graph: str | None = None,
        status: Status | None = None,
        since: datetime | None = None,
        until: datetime | None = None,
        tags: Mapping[str, str] | None = None,
        limit: int | None = None,
        cursor: str | None = None,
    ) -> RunPage:
        """A page of runs that match all of these; `cursor` is that of the page before."""
        query: dict[str, Any] = {"graph": graph, "status": status, "limit": limit, "cursor": cursor}
        query |= {"since": moment_text(since), "until": moment_text(until)}
        query |= {f"tag.{name}": value for name, value in (tags or {}).items()}
        return await self._ask(RunPage, "list_runs", query=query)

    async def history(self, run: RunRef) -> History:
        """The steps of a run, and the events that have reached it."""
        return await self._ask(History, "get_history", {"id": run_id(run)})

    async def follow(self, run: RunRef, *, every: float = 0.5) -> AsyncIterator[Step]:
        """Yield each step of a run once it is over, from the first one that is known until the run has finished.

        It looks every `every` seconds, and down to a tenth as often while nothing happens. If the run takes many steps
        between two looks, some may be missing: their numbers then are, too.
        """
        seen: set[tuple[int, str]] = set()
        pause = every
        while True:
            known = len(seen)
            history = await self.history(run)
            over = history.status in ("completed", "failed", "cancelled")
            newest = max((step.step for step in history.steps), default=0)
            for step in history.steps:
                if (step.step, step.node) not in seen and (over or step.step < newest or step.has_led_on):
                    seen.add((step.step, step.node))
                    yield step
            if over:
                return
            pause = every if len(seen) > known else min(pause * 1.5, every * 10)
            await self._door.pause(pause)

    async def wait(
        self, run: RunRef, *, until: Literal["finished", "idle"] = "finished", timeout: float | None = None
    ) -> Run:
        """The run once it has finished or, with `until="idle"`, once it has finished or waits for something.

        Raises TimeoutError after `timeout` seconds.
        """
        end = None if timeout is None else self._door.clock() + timeout
        pause = FIRST_PAUSE
        while True:
            left = LONG_POLL if end is None else max(0.0, end - self._door.clock())
            seen = await self.get(run, wait=min(LONG_POLL, left))
            if seen.finished or (until == "idle" and seen.status not in ("pending", "running")):
                return seen
            if end is not None and self._door.clock() >= end:
                raise TimeoutError(f"the run {seen.id!r} is still {seen.status} after {timeout:g} seconds")
            if seen.status not in ("pending", "running"):  # the request did not wait: the run is idle
                await self._door.pause(pause if end is None else min(pause, max(0.0, end - self._door.clock())))
                pause = min(pause * 2, LAST_PAUSE)

    async def send(
        self,
        run: RunRef,
        event: str,
        payload: Any = None,
        *,
        key: str | None = None,
        wait: float | None = None,
        wait_id: str | None = None,
    ) -> Answer:
        """Answer a run that waits for an event. `payload` is its payload model, or JSON.

        The outcome is `applied`, exactly once; or `pending`, if that is not known within `wait` seconds (by default 5):
        `get_answer` says later what became of it. An ApiError with the status 409 or 410 means that it never was and
        never will be applied. A repeat with the same `key` is the same answer, and is applied once.
        """
        path, query = {"id": run_id(run), "event": event}, {"wait": wait, "wait_id": wait_id}
        return await self._ask(Answer, "post_event", path, query, body=plain_payload(payload), key=key)

    async def get_answer(self, answer: Answer) -> Answer:
        """What has become of an answer by now."""
        return await self._ask(Answer, "get_event", {"id": answer.id, "event_id": answer.event_id})

    async def cancel(self, run: RunRef, reason: str | None = None) -> None:
        """Cancel a run and its subgraphs. ApiError 410 if it has finished."""
        await self._steer("cancel_run", run, reason)

    async def suspend(self, run: RunRef, reason: str | None = None) -> None:
        """Suspend a run: no node begins until it is resumed. ApiError 410 if it has finished."""
        await self._steer("suspend_run", run, reason)

    async def resume(self, run: RunRef, reason: str | None = None) -> None:
        """Resume a suspended run. ApiError 410 if it has finished."""
        await self._steer("resume_run", run, reason)

    async def restart(
        self,
        run: RunRef,
        *,
        node: str | None = None,
        state: BaseModel | Mapping[str, Any] | None = None,
        key: str | None = None,
    ) -> Started:
        """Start the run again as a new run, as it was started or from a `node` that it has visited."""
        body: dict[str, Any] = {} if node is None else {"node": node}
        body |= {} if state is None else {"state": plain_input(state)}
        return await self._ask(Started, "restart_run", {"id": run_id(run)}, body=body, key=key)

    async def retry(self, run: RunRef, *, key: str | None = None) -> Started:
        """Continue a failed run as a new run, from the node that failed."""
        return await self._ask(Started, "retry_run", {"id": run_id(run)}, key=key)

    async def delete(self, run: RunRef) -> None:
        """Delete a finished run, its history and all runs that it started. ApiError 409 if one has not finished."""
        await self._send("delete_run", {"id": run_id(run)})

    async def graphs(self) -> tuple[GraphRow, ...]:
        """Every graph of the app, by name."""
        return tuple((await self._ask(GraphList, "list_graphs")).graphs)

    async def graph(self, name: str) -> Graph:
        """One graph: its manifest, its versions, and how many live runs each has."""
        return await self._ask(Graph, "get_graph", {"graph": name})

    async def manifest(self, name: str, *, graph_hash: str | None = None) -> Manifest:
        """The manifest of a graph's newest version, or of the one that runs of a hash use."""
        return await self._ask(Manifest, "get_manifest", {"graph": name}, {"hash": graph_hash})

    async def health(self) -> Health:
        """Whether the app is up: raises ApiError or, for a remote client, ApiUnreachable if it is not."""
        return await self._ask(Health, "get_health")

    async def diagram(self, name: str) -> str:
        """The picture of a graph, as Mermaid text."""
        response = await self._send("get_diagram", {"graph": name})
        if not response.content_type.startswith("text/plain"):
            raise _unreadable(response, "a diagram")
        return str(response.body)

    async def _steer(self, route: str, run: RunRef, reason: str | None) -> None:
        await self._send(route, {"id": run_id(run)}, body={} if reason is None else {"reason": reason})

    async def _ask(
        self,
        model: type[Shown],
        route: str,
        params: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        *,
        body: Any = None,
        key: str | None = None,
    ) -> Shown:
        response = await self._send(route, params, query, body=body, key=key)
        try:
            return model.model_validate(response.body)
        except ValidationError:
            raise _unreadable(response, f"a {model.__name__}") from None

    async def _send(
        self,
        route: str,
        params: Mapping[str, str] | None = None,
        query: Mapping[str, Any] | None = None,
        *,
        body: Any = None,
        key: str | None = None,
    ) -> Response:
        call = Call(BY_NAME[route], params or {}, query or {}, body, key)
        response = await self._door.send(call)
        if response.status >= 300:
            raise api_error(response)
        if response.status not in call.route.answers:  # anybody's page is a 200, and nothing was cancelled or deleted
            raise _unreadable(response, "one of this API")
        return response


def _unreadable(response: Response, wanted: str) -> ApiError:
    text = f"the response is not {wanted}: is this the address of an app with durable graphs?"
    return ApiError(response.status, "unreadable", text)


def run_id(run: RunRef) -> str:
    """The id of a run. Raises ApiError, as the API would, for a text that no run can have as its id."""
    text = run if isinstance(run, str) else run.id
    if not is_run_id(text):
        raise ApiError(404, "run-not-found", f"there is no run {text!r}: an id has {RUN_ID_RULE}")
    return text


def plain_input(given: BaseModel | Mapping[str, Any] | None) -> dict[str, Any]:
    """The input of a run as JSON. Raises PayloadError, which names the field, for a value that has no JSON form."""
    return dump_to_send(given) if isinstance(given, BaseModel) else dict(given or {})


def plain_payload(given: Any) -> Any:
    """An event's payload as JSON. Raises PayloadError for a model that would not arrive as a whole."""
    return dump_to_send(given) if isinstance(given, BaseModel) else given


def moment_text(moment: datetime | None) -> str | None:
    """A time as the API reads it; one without a zone is local time."""
    return None if moment is None else moment.astimezone().isoformat()


def api_error(response: Response) -> ApiError:
    """The error of a response that is a problem."""
    problem = dict(response.body) if isinstance(response.body, Mapping) else {}
    code = str(problem.pop("type", "")).rpartition(":")[2] or "unknown"
    detail = str(problem.pop("detail", "") or problem.pop("title", "") or f"the app answered {response.status}")
    members = {key: value for key, value in problem.items() if key not in ("title", "status")}
    return ApiError(response.status, code, detail, members)
