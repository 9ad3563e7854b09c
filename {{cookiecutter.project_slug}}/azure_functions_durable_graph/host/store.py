"""The local host's store for instances and entities: SQLite, on disk or in memory.

`save` and `delete` only note what has changed; `commit` writes all of it in one transaction, and must come before any
caller is answered. In WAL mode with `synchronous=NORMAL`, what was committed survives a crash of the process at any
time. An instance's history has one row per event and is append-only, so that a long history is not written again.
"""

from __future__ import annotations

import contextlib
import sqlite3
import weakref
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

from ..errors import HostError
from .engine.entity import Entity
from .engine.history_events import timestamp
from .engine.instance import Instance, Listed

FORMAT = 3

_UNREADABLE = (sqlite3.Error, ValueError, TypeError, LookupError, AttributeError)
"""What reading raises if the file, or a row in it, is damaged."""

T = TypeVar("T", Instance, Entity)

CACHED = 500
"""How many instances, and how many entities, are cached, not counting those that are not committed yet."""

_SCHEMA = """
CREATE TABLE instances (
    number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, live INTEGER NOT NULL, status TEXT NOT NULL,
    created TEXT NOT NULL, data TEXT NOT NULL, input TEXT
);
CREATE INDEX live_instances ON instances (live) WHERE live;
CREATE TABLE history (
    id TEXT NOT NULL, position INTEGER NOT NULL, data TEXT NOT NULL, PRIMARY KEY (id, position)
) WITHOUT ROWID;
CREATE TABLE entities (id TEXT PRIMARY KEY, live INTEGER NOT NULL, updated TEXT NOT NULL, data TEXT NOT NULL);
"""


class StoreError(HostError):
    """The file can no longer be read or written: the host cannot continue."""


class SqliteStore:
    """Instances by id, in the order of their start, and entities."""

    def __init__(self, path: Path | None = None) -> None:
        """Open or create the file; None keeps everything in memory. Raises HostError for a file that is not ours.

        Every method raises StoreError once the file cannot be read or written; nothing of a commit is kept then.
        """
        self._name = "in memory" if path is None else str(path)
        self._instances: OrderedDict[str, Instance] = OrderedDict()
        self._entities: OrderedDict[str, Entity] = OrderedDict()
        self._changed: dict[str, Instance | Entity | None] = {}
        self.on_commit: Callable[[Instance], None] = lambda instance: None
        """Called with each instance that was committed."""
        try:
            if path is not None:
                path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(
                ":memory:" if path is None else path, isolation_level=None, check_same_thread=False, timeout=1
            )
        except (sqlite3.Error, OSError) as error:
            raise _cannot_open(path, error) from None
        self._close = weakref.finalize(self, self._db.close)  # CPython 3.13 warns about connections that are not closed
        try:
            self._db.execute("PRAGMA locking_mode=EXCLUSIVE")  # two hosts on one file would both run what is ready
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._prepare()
            ((self._number,),) = self._rows("SELECT coalesce(max(number), 0) FROM instances")
        except (HostError, *_UNREADABLE) as error:
            self._close()
            raise (error if isinstance(error, HostError) else _cannot_open(path, error)) from None

    def load(self, instance_id: str) -> Instance | None:
        """The instance with its history, or None."""
        if instance_id in self._instances:
            self._instances.move_to_end(instance_id)
            return self._instances[instance_id]
        if instance_id in self._changed:  # deleted, but not yet committed
            return None
        with self._reading(instance_id):
            found = self._rows("SELECT data, input FROM instances WHERE id = ?", (instance_id,))
            if not found:
                return None
            events = self._rows("SELECT data FROM history WHERE id = ? ORDER BY position", (instance_id,))
            ((data, given),) = found
            return self._keep(self._instances, Instance.from_text(data, given, [event for (event,) in events]))

    def save(self, instance: Instance) -> None:
        """Note that the instance has changed."""
        self._changed[instance.id] = self._keep(self._instances, instance)

    def delete(self, instance_id: str) -> None:
        """Forget the instance."""
        self._instances.pop(instance_id, None)
        self._changed[instance_id] = None

    def load_entity(self, entity_id: str) -> Entity | None:
        """The entity, or None. Its id begins with "@", which no instance's does."""
        if entity_id in self._entities:
            self._entities.move_to_end(entity_id)
            return self._entities[entity_id]
        with self._reading(entity_id):
            found = self._rows("SELECT data FROM entities WHERE id = ?", (entity_id,))
            return self._keep(self._entities, Entity.from_text(*found[0])) if found else None

    def save_entity(self, entity: Entity) -> None:
        """Note that the entity has changed."""
        self._changed[entity.id] = self._keep(self._entities, entity)

    @property
    def changed(self) -> bool:
        """Whether there is anything to commit."""
        return bool(self._changed)

    def commit(self) -> None:
        """Write everything that has changed, or nothing if that fails."""
        if not self._changed:
            return
        try:
            self._db.execute("BEGIN IMMEDIATE")
            for key, item in self._changed.items():
                if item is None:
                    self._db.execute("DELETE FROM history WHERE id = ?", (key,))
                    self._db.execute("DELETE FROM instances WHERE id = ?", (key,))
                elif isinstance(item, Entity):
                    row = (item.id, bool(item.queue), timestamp(item.updated), item.to_text())
                    self._db.execute("INSERT OR REPLACE INTO entities VALUES (?, ?, ?, ?)", row)
                else:
                    self._write(item)
            self._db.execute("COMMIT")
        except BaseException as error:
            if self._db.in_transaction:  # a full disk has already ended it
                self._db.execute("ROLLBACK")
            if not isinstance(error, sqlite3.Error):
                raise
            raise StoreError(
                f"the store {self._name} cannot be written ({error}). Nothing that was accepted is lost: "
                "free some space, or fix the cause, and start again"
            ) from error
        for item in self._changed.values():
            if isinstance(item, Instance):
                item.stored = len(item.history)
                self.on_commit(item)
        self._changed.clear()

    def _write(self, item: Instance) -> None:
        row = (not item.terminal, item.status, item.to_text())
        if item.stored:
            self._db.execute("UPDATE instances SET live = ?, status = ?, data = ? WHERE id = ?", (*row, item.id))
        else:  # a new instance, or a rewritten history, with which the input may have changed
            self._number += 1
            self._db.execute(
                "INSERT INTO instances (live, status, data, number, id, created, input) VALUES (?, ?, ?, ?, ?, ?, ?) "
                "ON CONFLICT (id) DO UPDATE SET live = excluded.live, status = excluded.status, data = excluded.data, "
                "created = excluded.created, input = excluded.input",
                (*row, self._number, item.id, timestamp(item.created), item.input),
            )
            self._db.execute("DELETE FROM history WHERE id = ?", (item.id,))
        self._db.executemany(
            "INSERT INTO history VALUES (?, ?, ?)",
            ((item.id, position, item.history[position]) for position in range(item.stored, len(item.history))),
        )

    def find(
        self,
        *,
        prefix: str = "",
        statuses: Iterable[str] = (),
        created_from: datetime | None = None,
        created_to: datetime | None = None,
        after: int = 0,
        limit: int = -1,
        inputs: bool = False,
    ) -> list[tuple[int, Listed]]:
        """What a list shows of instances, each with its number, in the order of their start from `after` on.

        Without `inputs` none is read. No statuses means all of them; a negative limit means no limit.
        """
        self.commit()
        wanted = sorted({status.lower() for status in statuses})
        lowest, highest = (timestamp(moment) if moment else None for moment in (created_from, created_to))
        with self._reading("the list of instances"):
            rows = self._rows(
                f"SELECT number, data, {'input' if inputs else 'NULL'} FROM instances "
                "WHERE number > ? AND substr(id, 1, ?) = ? "
                "AND created >= coalesce(?, '') AND created <= coalesce(?, '~') "
                f"AND (? OR lower(status) IN ({','.join('?' * len(wanted))})) ORDER BY number LIMIT ?",
                (after, len(prefix), prefix, lowest, highest, not wanted, *wanted, limit),
            )
            return [(number, Listed.from_text(data, given)) for number, data, given in rows]

    def live(self) -> list[Instance]:
        """Every instance that has not ended."""
        self.commit()
        with self._reading("the list of instances"):
            rows = self._rows("SELECT id FROM instances WHERE live ORDER BY number")
        found = (self.load(instance_id) for (instance_id,) in rows)
        return [instance for instance in found if instance is not None]

    def entities(self, name: str = "", *, busy: bool = False) -> list[Entity]:
        """Every entity, those of one name, or those with queued operations."""
        self.commit()
        prefix = f"@{name.lower()}@" if name else "@"
        with self._reading("the list of entities"):
            rows = self._rows(
                "SELECT data FROM entities WHERE substr(id, 1, ?) = ? AND live >= ? ORDER BY id",
                (len(prefix), prefix, busy),
            )
            return [Entity.from_text(data) for (data,) in rows]

    def close(self) -> None:
        """Write what has changed, and close the file, also if that fails: nobody else could open it."""
        try:
            self.commit()
        finally:
            self._db.close()

    def abandon(self) -> None:
        """Close the file as it was at the last commit."""
        self._db.close()

    def _rows(self, query: str, values: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """All rows of a query. An open cursor, which a traceback may keep alive, would lock the file beyond `close`."""
        with contextlib.closing(self._db.execute(query, values)) as cursor:
            return cursor.fetchall()

    @contextlib.contextmanager
    def _reading(self, what: str) -> Iterator[None]:
        try:
            yield
        except _UNREADABLE as error:
            raise StoreError(
                f"the store {self._name} cannot be read at {what!r} ({type(error).__name__}: {error}); "
                "remove it, or choose another store"
            ) from error

    def _keep(self, cache: OrderedDict[str, T], item: T) -> T:
        cache[item.id] = item
        cache.move_to_end(item.id)
        for oldest in list(islice(cache, max(0, len(cache) - CACHED))):
            if oldest not in self._changed:
                del cache[oldest]
        return item

    def _prepare(self) -> None:
        ((found,),) = self._rows("PRAGMA user_version")
        if found not in (0, FORMAT):
            age = "a newer" if found > FORMAT else "an older"
            raise HostError(
                f"the store {self._name} was written by {age} release (format {found}, this one knows {FORMAT}); "
                "use that release, or choose another store"
            )
        if found == 0:
            self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {FORMAT}; COMMIT;")


def _cannot_open(path: Path | None, error: Exception) -> HostError:
    if "locked" in str(error):
        return HostError(f"the store {path} is in use by another host; stop it, or choose another store")
    return HostError(f"the store {path} cannot be opened ({error}); remove it, or choose another store")
