"""Keys in a SQLite file of their own.

``secure_delete`` and a truncated rollback journal leave no copy of a destroyed key in the file.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from infra.sqlite_file import a_database


class SqliteKeys:
    """To be used by one thread at a time. Raises :class:`Unreadable` if the file is no database."""

    def __init__(self, path: Path) -> None:
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        with a_database(path):
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.execute("PRAGMA journal_mode = TRUNCATE")
            self._db.execute("CREATE TABLE IF NOT EXISTS keys (member TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID")

    def find(self, member: str) -> bytes | None:
        with closing(self._db.execute("SELECT key FROM keys WHERE member = ?", (member,))) as rows:
            row = rows.fetchone()
        return row[0] if row else None

    def make(self, member: str, key: bytes) -> bytes:
        self._db.execute("INSERT INTO keys VALUES (?, ?) ON CONFLICT DO NOTHING", (member, key))
        return self.find(member) or b""

    def destroy(self, member: str) -> None:
        self._db.execute("INSERT INTO keys VALUES (?, x'') ON CONFLICT (member) DO UPDATE SET key = x''", (member,))

    def begin(self) -> None:
        """Not deferred: who reads first and writes then is refused at once if another process writes, instead of waiting."""
        self._db.execute("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._db.execute("COMMIT")

    def close(self) -> None:
        self._db.close()
