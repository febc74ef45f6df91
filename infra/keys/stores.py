"""The stores of keys: a SQLite file, or a schema in PostgreSQL, which may be in another database than the log."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import psycopg

from infra.errors import ConnectionLost
from infra.postgres.connection import connect, redact_url, retry, set_timeouts, translate_postgres_errors
from infra.postgres.migrate import Tables, require_tables
from infra.private_files import make_private
from infra.sqlite_file import translate_sqlite_errors


class SqliteKeys:
    """A SQLite file, for one thread at a time. Raises :class:`Unreadable` if the file is not a database.

    ``secure_delete`` and a truncated rollback journal leave no copy of a destroyed key in the file.
    """

    def __init__(self, path: Path) -> None:
        make_private(path)
        self._path = path
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=30)
        with translate_sqlite_errors(path):
            self._db.execute("PRAGMA secure_delete = ON")
            self._db.execute("PRAGMA journal_mode = TRUNCATE")
            self._db.execute("CREATE TABLE IF NOT EXISTS keys (member TEXT PRIMARY KEY, key BLOB NOT NULL) WITHOUT ROWID")

    def find(self, member: str) -> bytes | None:
        with (
            translate_sqlite_errors(self._path),
            closing(self._db.execute("SELECT key FROM keys WHERE member = ?", (member,))) as rows,
        ):
            row = rows.fetchone()
        return row[0] if row else None

    def make(self, member: str, key: bytes) -> bytes:
        self._run("INSERT INTO keys VALUES (?, ?) ON CONFLICT DO NOTHING", (member, key))
        return self.find(member) or b""

    def destroy(self, member: str) -> None:
        self._run("INSERT INTO keys VALUES (?, x'') ON CONFLICT (member) DO UPDATE SET key = x''", (member,))

    def begin(self) -> None:
        """Lock at once: a deferred transaction that reads before it writes fails instead of waiting for another writer."""
        self._run("BEGIN IMMEDIATE")

    def commit(self) -> None:
        self._run("COMMIT")

    def close(self) -> None:
        self._db.close()

    def _run(self, statement: str, values: tuple[object, ...] = ()) -> None:
        with translate_sqlite_errors(self._path):
            self._db.execute(statement, values)


TABLE = "regulars_keys.keys"  # bytes, since a session's key name has a NUL, which text cannot hold
KEY_TABLES = Tables(
    "the keys", "regulars_keys.schema_version", ((f"CREATE TABLE {TABLE} (member bytea PRIMARY KEY, key bytea NOT NULL)",),)
)

FIND = f"SELECT key FROM {TABLE} WHERE member = %s"
MAKE = f"""
    WITH made AS (INSERT INTO {TABLE} VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING key)
    SELECT key FROM made"""
DESTROY = f"INSERT INTO {TABLE} VALUES (%s, '') ON CONFLICT (member) DO UPDATE SET key = ''"


class PostgresKeys:
    """A table in PostgreSQL, for one thread at a time. Raises :class:`Unreachable` if its database does not answer.

    An append that makes keys holds the log's lock already, and nobody waits for that lock while holding a key's row. So the two
    locks cannot form a cycle.
    """

    def __init__(self, url: str) -> None:
        self._url = url
        self._where = redact_url(url)
        retry(lambda: require_tables(url, KEY_TABLES))
        self._connection: psycopg.Connection[Any] | None = None
        self._together = False

    def find(self, member: str) -> bytes | None:
        row = self._persistently(FIND, member.encode())
        return bytes(row[0]) if row else None

    def make(self, member: str, key: bytes) -> bytes:
        row = self._persistently(MAKE, member.encode(), key)
        return bytes(row[0]) if row else self.find(member) or b""

    def destroy(self, member: str) -> None:
        self._persistently(DESTROY, member.encode(), answers=False)

    def begin(self) -> None:
        retry(lambda: self._ask("BEGIN"))
        self._together = True

    def commit(self) -> None:
        """Raises :class:`ConnectionLost` if the keys made since :meth:`begin` may be lost: store nothing sealed."""
        try:
            if self._ask("COMMIT") != "COMMIT":  # a statement failed, and PostgreSQL rolled back
                raise ConnectionLost(f"PostgreSQL at {self._where} did not store the new keys: send the request again.")
        finally:
            self._together = False

    def close(self) -> None:
        if self._connection:
            self._connection.close()

    def _persistently(self, statement: str, *values: object, answers: bool = True) -> Any:
        """Retry on a lost connection, but not inside a transaction, whose keys are lost with it."""
        if self._together:
            return self._ask(statement, *values, answers=answers)
        return retry(lambda: self._ask(statement, *values, answers=answers))

    def _ask(self, statement: str, *values: object, answers: bool = False) -> Any:
        if self._connection is None or (self._connection.closed and not self._together):
            self._connection = connect(self._url)
            with translate_postgres_errors(self._where):
                set_timeouts(self._connection)
        try:
            with translate_postgres_errors(self._where):
                found = self._connection.execute(statement, values, binary=True)
                return found.fetchone() if answers else found.statusmessage
        except ConnectionLost:
            self._connection.close()
            raise
