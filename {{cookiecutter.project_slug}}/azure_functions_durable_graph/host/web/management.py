"""The Durable management API: what the SDK's client calls, or a person with curl.

Every response is empty or JSON: the SDK's client fails on any other text.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from urllib.parse import unquote

from ...errors import HostError
from ..engine.history_events import render_events
from ..engine.instance import TERMINAL
from ..engine.lifecycle import rewind_problem
from ..engine.messages import Message, RaiseEvent, Resume, Rewind, Suspend, Terminate
from ..local_host import LocalHost
from ..store import StoreError
from . import management_entities as entity_api
from .management_values import (
    CONTINUATION,
    Answer,
    Asked,
    error,
    final_answer,
    id_in_use,
    id_problem,
    page_after,
    status_view,
    unavailable,
    waiting_of,
)

PATH = "runtime/webhooks/durabletask"
"""Where the API is served. The real host has a second, private address for the SDK; here one address serves both."""

PAGE = 100


class Management:
    """Serves the API of one host. `base_url` is scheme, host and port."""

    def __init__(self, host: LocalHost, base_url: str) -> None:
        self._host = host
        self._base = f"{base_url}/{PATH}"
        self.client_binding = self._client_binding()
        """The JSON that a durable client parameter is made from."""

    def _client_binding(self) -> str:
        start = f"{self._base}/orchestrators/{{functionName}}[/{{instanceId}}]?code=local"
        wait = f"{start}&timeout={{timeoutInSeconds}}&pollingInterval={{intervalInSeconds}}"
        return json.dumps(
            {
                "taskHubName": self._host.settings.hub_name,
                "rpcBaseUrl": f"{self._base}/",
                "baseUrl": self._base,
                "requiredQueryStringParameters": "code=local",
                "creationUrls": {
                    "createNewInstancePostUri": start,
                    "createAndWaitOnNewInstancePostUri": wait,
                },
                "managementUrls": self._urls("INSTANCEID"),
            }
        )

    async def answer(self, method: str, path: str, query: Mapping[str, str], body: bytes, token: str = "") -> Answer:
        """Like `handle`; a start with `timeout` (seconds) waits for the end, polling every `pollingInterval`."""
        answer = self.handle(method, path, query, body, token)
        lowered = {key.lower(): value for key, value in query.items()}
        if answer.status != 202 or "timeout" not in lowered or not path.startswith("orchestrators/"):
            return answer
        await self._host.committed()
        pause, timeout = waiting_of(lowered)
        for _ in range(-(-timeout // pause)):
            instance = self._host.store.load(answer.body["id"])
            if instance is None or instance.terminal:
                break
            await asyncio.sleep(pause)
        instance = self._host.store.load(answer.body["id"])
        return answer if instance is None or not instance.terminal else final_answer(instance)

    def handle(self, method: str, path: str, query: Mapping[str, str], body: bytes, token: str = "") -> Answer:
        """Answer one request; `path` is the raw path below PATH without outer slashes, `token` a continuation token.

        What it has changed must be committed (`LocalHost.committed`) before the response may be sent. Raises HostError
        if the host cannot continue.
        """
        if self._host.failure is not None:  # a list would commit what was applied until then
            raise self._host.failure
        lowered = {key.lower(): value for key, value in query.items()}
        for verb, pattern, handler in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and verb == method:
                names = {key: unquote(value) for key, value in found.groupdict().items() if value is not None}
                try:
                    return handler(self, Asked(names, lowered, body, token))
                except StoreError as failure:
                    raise self._host.fail(failure) from None
                except HostError as refusal:
                    if self._host.failure is not None:
                        raise
                    return error(400, str(refusal))
        return error(404, f"the management API has no {method} {path!r}")

    def start(self, asked: Asked) -> Answer:
        """202, 400 for an unknown name or invalid JSON, or 409 if an instance with that id is live."""
        waiting_of(asked.query)
        wanted = asked.names.get("id")
        if wanted is not None and (problem := id_problem(wanted)):
            return error(400, problem)
        existing = self._host.store.load(wanted) if wanted else None
        if existing is not None and not existing.terminal:
            return id_in_use(existing)
        return self._started(self._host.start(asked.names["name"], asked.json(), wanted))

    def get(self, asked: Asked) -> Answer:
        """200 for a finished instance, 202 for a live one, 404 for none; 500 for a failed one, if the query says so."""
        instance = self._host.store.load(asked.names["id"])
        if instance is None:
            return Answer(404)
        view = status_view(instance, show_input=asked.flag("showInput", True))
        if asked.flag("showHistory"):
            events = [json.loads(text) for text in instance.history]
            view["historyEvents"] = render_events(events, asked.flag("showHistoryOutput"))
        if instance.terminal:
            as_error = instance.status == "Failed" and asked.flag("returnInternalServerErrorOnFailure")
            return Answer(500 if as_error else 200, view)
        location = f"{self._base}/instances/{instance.id}?{self._query}"
        return Answer(202, view, {"Location": location, "Retry-After": "5"})

    def list_(self, asked: Asked) -> Answer:
        """200: a page of matching instances, and the token of the next page in a header."""
        top, show_input = asked.number("top", PAGE), asked.flag("showInput", True)
        found = self._host.store.find(
            prefix=asked.query.get("instanceidprefix", ""),
            statuses=asked.words("runtimeStatus"),
            created_from=asked.moment("createdTimeFrom"),
            created_to=asked.moment("createdTimeTo"),
            after=page_after(asked.token),
            limit=top + 1,
            inputs=show_input,
        )
        page = [status_view(instance, show_input) for _, instance in found[:top]]
        more = len(found) > top > 0
        return Answer(200, page, {CONTINUATION: str(found[top - 1][0]) if more else ""})

    def raise_event(self, asked: Asked) -> Answer:
        """202, 404 or 410; 400 for a body that is not JSON."""
        instance = self._host.store.load(asked.names["id"])
        if instance is None or instance.terminal:
            return unavailable(instance)
        self._host.send(RaiseEvent(instance.id, asked.names["event"], asked.json() or "null"))
        return Answer(202)

    def change(self, asked: Asked) -> Answer:
        """Terminate, suspend or resume: 202, 404, 410, or 500 in a state that does not allow it."""
        instance, verb = self._host.store.load(asked.names["id"]), asked.names["verb"]
        if instance is None or instance.terminal:
            return unavailable(instance)
        if (verb == "resume") != (instance.status == "Suspended") and verb != "terminate":
            return error(500, f"an instance that is {instance.status} cannot {verb}")
        self._host.send(_CHANGES[verb](instance.id, asked.query.get("reason", "")))
        return Answer(202)

    def rewind(self, asked: Asked) -> Answer:
        """202, 404, or 412 for an instance that has not failed, or that continued after a failure."""
        instance = self._host.store.load(asked.names["id"])
        if instance is None:
            return Answer(404)
        if instance.status != "Failed":
            return error(412, f"only a failed instance can be rewound; {instance.id} is {instance.status}")
        if problem := rewind_problem(instance):
            return error(412, f"{instance.id} cannot be rewound: {problem}")
        self._host.send(Rewind(instance.id, asked.query.get("reason", "")))
        return Answer(202)

    def restart(self, asked: Asked) -> Answer:
        """202: the same name and input again, under a new id (the default) or the old one; 404; 409 while it runs."""
        instance = self._host.store.load(asked.names["id"])
        if instance is None:
            return Answer(404)
        anew = asked.flag("restartWithNewInstanceId", True)
        if not anew and not instance.terminal:
            return id_in_use(instance)
        return self._started(self._host.start(instance.name, instance.input, None if anew else instance.id))

    def purge(self, asked: Asked) -> Answer:
        """200, 404, or 412 for a live instance."""
        instance = self._host.store.load(asked.names["id"])
        if instance is None:
            return Answer(404)
        if not instance.terminal:
            return error(412, f"an instance that is {instance.status} cannot be purged")
        self._host.store.delete(instance.id)
        return Answer(200, {"instancesDeleted": 1})

    def purge_many(self, asked: Asked) -> Answer:
        """200 with the count; 404 if nothing matches. Live instances are never purged, whatever the filter says."""
        since = asked.moment("createdTimeFrom")
        if since is None:
            return error(400, "purging by filter needs createdTimeFrom")
        wanted = asked.words("runtimeStatus")
        ended = {status for status in TERMINAL if not wanted or status.lower() in {word.lower() for word in wanted}}
        found = (
            self._host.store.find(statuses=ended, created_from=since, created_to=asked.moment("createdTimeTo"))
            if ended
            else []
        )
        for _, instance in found:
            self._host.store.delete(instance.id)
        return Answer(200, {"instancesDeleted": len(found)}) if found else Answer(404)

    def _started(self, instance_id: str) -> Answer:
        urls = self._urls(instance_id)
        return Answer(202, urls, {"Location": urls["statusQueryGetUri"], "Retry-After": "10"})

    @property
    def _query(self) -> str:
        return f"taskHub={self._host.settings.hub_name}&connection=Storage&code=local"

    def _urls(self, instance_id: str) -> dict[str, str]:
        here, query = f"{self._base}/instances/{instance_id}", self._query
        return {
            "id": instance_id,
            "statusQueryGetUri": f"{here}?{query}",
            "sendEventPostUri": f"{here}/raiseEvent/{{eventName}}?{query}",
            "purgeHistoryDeleteUri": f"{here}?{query}",
            "restartPostUri": f"{here}/restart?{query}",
            **{
                f"{verb}PostUri": f"{here}/{verb}?reason={{text}}&{query}"
                for verb in ("terminate", "rewind", "suspend", "resume")
            },
        }


_CHANGES: dict[str, Callable[[str, str], Message]] = {"terminate": Terminate, "suspend": Suspend, "resume": Resume}

_Handler = Callable[[Management, Asked], Answer]


def _entity(handler: Callable[[LocalHost, Asked], Answer]) -> _Handler:
    return lambda management, asked: handler(management._host, asked)


_ROUTES: tuple[tuple[str, str, _Handler], ...] = (
    ("POST", r"orchestrators/(?P<name>[^/]+)(/(?P<id>[^/]+))?", Management.start),
    ("GET", r"instances/(?P<id>[^/]+)", Management.get),
    ("GET", r"instances/?", Management.list_),
    ("POST", r"instances/(?P<id>[^/]+)/raiseEvent/(?P<event>[^/]+)", Management.raise_event),
    ("POST", r"instances/(?P<id>[^/]+)/(?P<verb>terminate|suspend|resume)", Management.change),
    ("POST", r"instances/(?P<id>[^/]+)/rewind", Management.rewind),
    ("POST", r"instances/(?P<id>[^/]+)/restart", Management.restart),
    ("DELETE", r"instances/(?P<id>[^/]+)", Management.purge),
    ("DELETE", r"instances/?", Management.purge_many),
    ("GET", r"entities/(?P<name>[^/]+)/(?P<key>[^/]+)", _entity(entity_api.read)),
    ("POST", r"entities/(?P<name>[^/]+)/(?P<key>[^/]+)", _entity(entity_api.signal)),
    ("DELETE", r"entities/(?P<name>[^/]+)/(?P<key>[^/]+)", _entity(entity_api.delete)),
    ("GET", r"entities(/(?P<name>[^/]+)?)?", _entity(entity_api.list_)),
)
