"""The Durable management API: what the SDK's client calls, and people with curl.

Every answer is empty or JSON: any other text breaks the SDK's client. Errors carry `Message` and `ExceptionMessage`
(the client of 1.7 needs the latter).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

from ..errors import HostError
from .history import decoded, shown, timestamp
from .host import LocalHost
from .instance import Instance
from .messages import Message, RaiseEvent, Resume, Suspend, Terminate

PATH = "runtime/webhooks/durabletask"
"""Where the API is served. The real host has a second, private address for the SDK; here one serves both."""

PAGE = 100

CONTINUATION = "x-ms-continuation-token"


@dataclass(frozen=True)
class Answer:
    """Status, JSON body (None: empty) and headers."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Management:
    """Serves the API of one host. `base_url` is scheme, host and port."""

    def __init__(self, host: LocalHost, base_url: str) -> None:
        self._host = host
        self._base = f"{base_url}/{PATH}"

    def client_binding(self) -> str:
        """The JSON that a durable client parameter is made from."""
        query = self._query()
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
                "managementUrls": self._urls("INSTANCEID", query),
            }
        )

    def handle(self, method: str, path: str, query: Mapping[str, str], body: bytes, token: str = "") -> Answer:
        """Answer one request; `path` is the raw path below PATH, without slashes around, `token` a continuation."""
        lowered = {**{key.lower(): value for key, value in query.items()}, "continuation": token}
        for verb, pattern, handler in _ROUTES:
            found = re.fullmatch(pattern, path)
            if found and verb == method:
                names = {key: unquote(value) for key, value in found.groupdict().items() if value is not None}
                try:
                    return handler(self, names, lowered, body)
                except HostError as error:
                    return _error(400, str(error))
        return _error(404, f"the management API has no {method} {path!r}")

    def start(self, names: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Answer:
        """202, or 400 for an unknown name and bad JSON, or 409 where the id is alive."""
        wanted = names.get("id")
        if wanted is not None and (fault := _id_fault(wanted)):
            return _error(400, fault)
        existing = self._host.store.load(wanted) if wanted else None
        if existing is not None and not existing.terminal:
            return _error(409, f"An Orchestration instance with the status {existing.status} already exists.")
        instance_id = self._host.start(names["name"], _compact(body), wanted)
        urls = self._urls(instance_id, self._query())
        return Answer(202, urls, {"Location": urls["statusQueryGetUri"], "Retry-After": "10"})

    def get(self, names: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Answer:
        """200 for a finished instance, 202 for a live one, 404 for none."""
        instance = self._host.store.load(names["id"])
        if instance is None:
            return Answer(404)
        view = status_view(instance, show_input=query.get("showinput", "true").lower() != "false")
        if query.get("showhistory", "").lower() == "true":
            events = [json.loads(text) for text in instance.history]
            view["historyEvents"] = shown(events, query.get("showhistoryoutput", "").lower() == "true")
        if instance.terminal:
            return Answer(200, view)
        location = f"{self._base}/instances/{instance.id}?{self._query()}"
        return Answer(202, view, {"Location": location, "Retry-After": "5"})

    def list_(self, names: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Answer:
        """200: a page of the instances that fit, and the token of the next in a header."""
        wanted = {status.lower() for status in query.get("runtimestatus", "").split(",") if status}
        prefix = query.get("instanceidprefix", "")
        found = [
            instance
            for instance in self._host.store.all()
            if instance.id.startswith(prefix) and (not wanted or instance.status.lower() in wanted)
        ]
        offset, top = _number(query["continuation"], 0), _number(query.get("top", ""), PAGE)
        page = [status_view(instance, show_input=True) for instance in found[offset : offset + top]]
        more = offset + top < len(found)
        return Answer(200, page, {CONTINUATION: str(offset + top) if more else ""})

    def raise_event(self, names: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Answer:
        """202, 404 or 410; 400 for a body that is no JSON."""
        gone = self._unless_live(names["id"])
        if gone is None:
            self._host.send(RaiseEvent(names["id"], names["event"], _compact(body) or "null"))
        return gone or Answer(202)

    def change(self, names: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Answer:
        """Terminate, suspend or resume: 202, 404, 410, or 500 in a state that does not allow it."""
        instance = self._host.store.load(names["id"])
        gone = self._unless_live(names["id"])
        if gone is not None or instance is None:
            return gone or Answer(404)
        verb, reason = names["verb"], query.get("reason", "")
        if (verb == "resume") != (instance.status == "Suspended") and verb != "terminate":
            return _error(500, f"an instance that is {instance.status} cannot {verb}")
        self._host.send(_CHANGES[verb](instance.id, reason))
        return Answer(202)

    def purge(self, names: Mapping[str, str], query: Mapping[str, str], body: bytes) -> Answer:
        """200, 404, or 412 for a live instance."""
        instance = self._host.store.load(names["id"])
        if instance is None:
            return Answer(404)
        if not instance.terminal:
            return _error(412, f"an instance that is {instance.status} cannot be purged")
        self._host.store.delete(instance.id)
        return Answer(200, {"instancesDeleted": 1})

    def _unless_live(self, instance_id: str) -> Answer | None:
        instance = self._host.store.load(instance_id)
        if instance is None:
            return Answer(404)
        return Answer(410) if instance.terminal else None

    def _query(self) -> str:
        return f"taskHub={self._host.settings.hub_name}&connection=Storage&code=local"

    def _urls(self, instance_id: str, query: str) -> dict[str, str]:
        here = f"{self._base}/instances/{instance_id}"
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


def status_view(instance: Instance, show_input: bool) -> dict[str, Any]:
    """The status payload: input decoded once, output and custom status decoded where they are JSON."""
    return {
        "name": instance.name,
        "instanceId": instance.id,
        "runtimeStatus": instance.status,
        "input": decoded(instance.input) if show_input else None,
        "customStatus": decoded(instance.custom_status),
        "output": decoded(instance.output),
        "createdTime": timestamp(instance.created)[:19] + "Z",
        "lastUpdatedTime": timestamp(instance.updated)[:19] + "Z",
    }


def _number(text: str, default: int) -> int:
    return int(text) if text.isascii() and text.isdigit() else default


def _compact(body: bytes) -> str | None:
    if not body.strip():
        return None
    try:
        return json.dumps(json.loads(body))
    except ValueError:
        raise HostError("the request body is not JSON") from None


def _id_fault(instance_id: str) -> str | None:
    if instance_id.startswith("@"):
        return "Instance IDs must not start with '@'."
    if len(instance_id) > 256 or re.search(r"[/\\#?\x00-\x1f\x7f-\x9f]", instance_id):
        return (
            "Instance IDs must not be longer than 256 characters nor contain '/', '\\', '#', '?' or control characters."
        )
    return None


def _error(status: int, message: str) -> Answer:
    return Answer(status, {"Message": message, "ExceptionMessage": message, "ExceptionType": "", "StackTrace": ""})


_CHANGES: dict[str, Callable[[str, str], Message]] = {"terminate": Terminate, "suspend": Suspend, "resume": Resume}

_Handler = Callable[[Management, Mapping[str, str], Mapping[str, str], bytes], Answer]

_ROUTES: tuple[tuple[str, str, _Handler], ...] = (
    ("POST", r"orchestrators/(?P<name>[^/]+)(/(?P<id>[^/]+))?", Management.start),
    ("GET", r"instances/(?P<id>[^/]+)", Management.get),
    ("GET", r"instances/?", Management.list_),
    ("POST", r"instances/(?P<id>[^/]+)/raiseEvent/(?P<event>[^/]+)", Management.raise_event),
    ("POST", r"instances/(?P<id>[^/]+)/(?P<verb>terminate|suspend|resume)", Management.change),
    ("DELETE", r"instances/(?P<id>[^/]+)", Management.purge),
)
