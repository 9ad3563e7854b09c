"""The management API's part for entities."""

from __future__ import annotations

from ..engine.entity import Entity, entity_id
from ..engine.history_events import decode, timestamp
from ..engine.messages import EntityCalled
from ..local_host import LocalHost
from .management_values import Answer, Asked, error


def read(host: LocalHost, asked: Asked) -> Answer:
    """200 with the state, 404 for an entity that does not exist."""
    entity = host.store.load_entity(_id(asked))
    if entity is None or not entity.exists:
        return Answer(404)
    return Answer(200, decode(entity.state))


def signal(host: LocalHost, asked: Asked) -> Answer:
    """202 (the SDK accepts no other status), or 400 for an unknown entity."""
    name = asked.names["name"]
    if not host.worker.has_entity(name):
        return error(400, f"The function '{name}' doesn't exist, is disabled, or is not an entity function.")
    host.send(EntityCalled(_id(asked), asked.query.get("op", ""), asked.json()))
    return Answer(202)


def delete(host: LocalHost, asked: Asked) -> Answer:
    """202: the operation "delete" has been queued."""
    host.send(EntityCalled(_id(asked), "delete", None))
    return Answer(202)


def list_(host: LocalHost, asked: Asked) -> Answer:
    """200: the entities that exist, of one name or all of them, with their states if `fetchState` is true."""
    first, last = asked.moment("lastOperationTimeFrom"), asked.moment("lastOperationTimeTo")
    found = [
        entity
        for entity in host.store.entities(asked.names.get("name") or "")
        if entity.exists and (first is None or entity.updated >= first) and (last is None or entity.updated <= last)
    ]
    states = asked.flag("fetchState")
    return Answer(200, [_view(entity, states) for entity in found[: asked.number("top", len(found))]])


def _id(asked: Asked) -> str:
    key = asked.names["key"]
    return entity_id(asked.names["name"], "" if key == "$" else key)


def _view(entity: Entity, state: bool) -> dict[str, object]:
    return {
        "entityId": {"name": entity.name, "key": entity.key},
        "lastOperationTime": timestamp(entity.updated)[:19] + "Z",
        "state": decode(entity.state) if state else None,
    }
