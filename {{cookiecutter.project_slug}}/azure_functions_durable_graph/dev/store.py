"""Where the local host keeps its instances: SQLite, on disk or in memory. The one module that knows it.

One row an instance, one transaction a message: `save` returns when the row is written. In WAL mode with
`synchronous=NORMAL` a row that was written survives the death of the process at any instant.
"""

from __future__ import annotations

import sqlite3
import weakref
from pathlib import Path

from ..errors import HostError
from .instance import Instance

VERSION = 1

_SCHEMA = """
CREATE TABLE instances (
    id TEXT PRIMARY KEY, number INTEGER NOT NULL, live INTEGER NOT NULL, data TEXT NOT NULL
);
CREATE INDEX live_instances ON instances (live) WHERE live;
"""


class SqliteStore:
    """Instances by id, in the order of their start. Those that are live are kept in memory as well."""

    def __init__(self, path: Path | None = None) -> None:
        """Open or make the file; None keeps everything in memory. Raises HostError for a file that is not ours."""
        if path is not None:
            path.parent.mkdir(parents=True, exist_ok=True)
        try:
            self._db = sqlite3.connect(
                ":memory:" if path is None else path, isolation_level=None, check_same_thread=False
            )
            weakref.finalize(self, self._db.close)  # CPython 3.13 warns of a connection that is dropped open
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._migrate(path)
        except sqlite3.DatabaseError as error:
            raise HostError(f"the store {path} cannot be opened ({error}); remove it, or name another") from None
        self._number = int(self._db.execute("SELECT coalesce(max(number), 0) FROM instances").fetchone()[0])
        self._live: dict[str, Instance] = {}

    def load(self, instance_id: str) -> Instance | None:
        """The instance, or None."""
        if instance_id in self._live:
            return self._live[instance_id]
        row = self._db.execute("SELECT data FROM instances WHERE id = ?", (instance_id,)).fetchone()
        return None if row is None else self._kept(Instance.from_text(row[0]))

    def save(self, instance: Instance) -> None:
        """Write the instance down."""
        self._number += 1
        self._db.execute(
            "INSERT INTO instances VALUES (?, ?, ?, ?) "
            "ON CONFLICT (id) DO UPDATE SET live = excluded.live, data = excluded.data",
            (instance.id, self._number, not instance.terminal, instance.to_text()),
        )
        self._kept(instance)

    def delete(self, instance_id: str) -> None:
        """Forget the instance."""
        self._live.pop(instance_id, None)
        self._db.execute("DELETE FROM instances WHERE id = ?", (instance_id,))

    def all(self) -> list[Instance]:
        """Every instance."""
        rows = self._db.execute("SELECT id, data FROM instances ORDER BY number").fetchall()
        return [self._live.get(instance_id) or Instance.from_text(data) for instance_id, data in rows]

    def live(self) -> list[Instance]:
        """Every instance that is not over."""
        rows = self._db.execute("SELECT id FROM instances WHERE live ORDER BY number").fetchall()
        found = (self.load(instance_id) for (instance_id,) in rows)
        return [instance for instance in found if instance is not None]

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    def _kept(self, instance: Instance) -> Instance:
        if instance.terminal:
            self._live.pop(instance.id, None)
        else:
            self._live[instance.id] = instance
        return instance

    def _migrate(self, path: Path | None) -> None:
        (version,) = self._db.execute("PRAGMA user_version").fetchone()
        if version > VERSION:
            raise HostError(
                f"the store {path} was written by a newer release (format {version}, this one knows {VERSION}); "
                "update the runtime, or name another store"
            )
        if version == 0:
            self._db.executescript(f"BEGIN; {_SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
