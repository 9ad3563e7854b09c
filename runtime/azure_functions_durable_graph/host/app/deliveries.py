"""What a trigger that somebody fires by hand delivers: the data and the metadata that the worker would get for it."""

from __future__ import annotations

import itertools
import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from typing import Any

from azure.functions import meta

from ...errors import HostError

_SEQUENCE = itertools.count(1)


@dataclass(frozen=True)
class Delivery:
    """One call of a function by its trigger."""

    datum: meta.Datum
    metadata: Mapping[str, meta.Datum]


def _queue(given: Any, properties: Mapping[str, Any]) -> Delivery:
    """A message of a storage queue. Names and types: `QueueMessageInConverter` of azure-functions."""
    now = datetime.now(timezone.utc)
    own = {
        "Id": str(uuid.uuid4()),
        "DequeueCount": 1,
        "InsertionTime": now.isoformat(),
        "ExpirationTime": (now + timedelta(days=7)).isoformat(),
        "NextVisibleTime": (now + timedelta(minutes=10)).isoformat(),
        "PopReceipt": "local",
    }
    return Delivery(_content(given), _metadata({**own, **properties}))


def _service_bus(given: Any, properties: Mapping[str, Any]) -> Delivery:
    """A message of Service Bus; `UserProperties` is how its converter tells one message from many."""
    own = {
        "MessageId": uuid.uuid4().hex,
        "SequenceNumber": next(_SEQUENCE),
        "DeliveryCount": 1,
        "EnqueuedTimeUtc": datetime.now(timezone.utc).isoformat(),
        "LockToken": str(uuid.uuid4()),
        "UserProperties": {},
        "ApplicationProperties": {},
    }
    return Delivery(_content(given), _metadata({**own, **properties}))


def _event_grid(given: Any, properties: Mapping[str, Any]) -> Delivery:
    """An event; what is not an event of either schema becomes the data of one."""
    event = _parsed(given)
    if not (isinstance(event, dict) and ("eventType" in event or "specversion" in event)):
        now = datetime.now(timezone.utc).isoformat()
        event = {"topic": "local", "subject": "local", "eventType": "Local", "eventTime": now, "data": event}
        event |= {"id": str(uuid.uuid4()), "dataVersion": "1"}
    return Delivery(meta.Datum(json.dumps({**event, **properties}), "json"), {})


def _blob(given: Any, properties: Mapping[str, Any]) -> Delivery:
    """A blob by its content: there is no storage from which it could be read by its name."""
    content = _content(given)
    name = str(properties.get("BlobTrigger", "local/blob"))
    own = {"BlobTrigger": name, "Uri": f"http://127.0.0.1/{name}", "Properties": {"Length": len(content.value)}}
    return Delivery(content, _metadata({**own, "Metadata": {}, **properties}))


def _timer(given: Any, properties: Mapping[str, Any]) -> Delivery:
    return Delivery(meta.Datum(json.dumps({"IsPastDue": False, **properties}), "json"), {})


BY_HAND: Mapping[str, Callable[[Any, Mapping[str, Any]], Delivery]] = {
    "queueTrigger": _queue,
    "serviceBusTrigger": _service_bus,
    "eventGridTrigger": _event_grid,
    "blobTrigger": _blob,
    "timerTrigger": _timer,
}
"""Triggers that can be fired by hand."""

ID_PROPERTIES = {"queueTrigger": "Id", "serviceBusTrigger": "MessageId", "eventGridTrigger": "id"}
"""Where the id of a message is: by it a message is known again that is delivered twice."""


def delivery(
    kind: str, given: Any, message_id: str | None = None, properties: Mapping[str, Any] | None = None
) -> Delivery:
    """What a trigger of that kind delivers. Text and bytes are the message itself; anything else is written as JSON.

    Raises HostError for what has no JSON form.
    """
    own = {} if message_id is None or kind not in ID_PROPERTIES else {ID_PROPERTIES[kind]: message_id}
    try:
        return BY_HAND[kind](given, {**own, **(properties or {})})
    except (TypeError, ValueError, RecursionError) as error:
        raise HostError(f"this message cannot be delivered by the {kind}: {error}") from None


def _content(given: Any) -> meta.Datum:
    if isinstance(given, (bytes, bytearray)):
        return meta.Datum(bytes(given), "bytes")
    return meta.Datum(given if isinstance(given, str) else "" if given is None else json.dumps(given), "string")


def _parsed(given: Any) -> Any:
    return json.loads(given) if isinstance(given, (str, bytes, bytearray)) else given


def _metadata(values: Mapping[str, Any]) -> dict[str, meta.Datum]:
    return {name: _datum(value) for name, value in values.items()}


def _datum(value: Any) -> meta.Datum:
    if isinstance(value, str):
        return meta.Datum(value, "string")
    return meta.Datum(value, "int") if type(value) is int else meta.Datum(json.dumps(value), "json")
