"""Keys in PostgreSQL, in a schema of their own, and in a database of their own where one is named.

Whoever makes keys for an append holds the log's lock already, and nobody waits for that lock while a key's row is theirs
alone: so keys and log never wait for each other in a ring.
"""

from __future__ import annotations

from typing import Any

import psycopg

from infra.errors import Interrupted
from infra.postgres.address import connect, impatient, shown
from infra.postgres.errors import faults_told, persistently
from infra.postgres.migrate import Tables, require

TABLE = "regulars_keys.keys"  # a member is bytes: a session's key is named with a NUL, which text cannot hold
KEYS = Tables(
    "the keys", "regulars_keys.schema_version", ((f"CREATE TABLE {TABLE} (member bytea PRIMARY KEY, key bytea NOT NULL)",),)
)

FIND = f"SELECT key FROM {TABLE} WHERE member = %s"
MAKE = f"""
    WITH made AS (INSERT INTO {TABLE} VALUES (%s, %s) ON CONFLICT DO NOTHING RETURNING key)
    SELECT key FROM made"""
DESTROY = f"INSERT INTO {TABLE} VALUES (%s, '') ON CONFLICT (member) DO UPDATE SET key = ''"


class PostgresKeys:
    """To be used by one thread at a time. Raises :class:`Unreachable` where its database does not answer."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._where = shown(url)
        persistently(lambda: require(url, KEYS))
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
        persistently(lambda: self._ask("BEGIN"))
        self._together = True

    def commit(self) -> None:
        """Raises :class:`Interrupted` if the keys made since :meth:`begin` may be lost: what was sealed must not be stored."""
        try:
            if self._ask("COMMIT") != "COMMIT":  # a statement failed, and PostgreSQL rolled back
                raise Interrupted(f"PostgreSQL at {self._where} did not keep the new keys: ask again.")
        finally:
            self._together = False

    def close(self) -> None:
        if self._connection:
            self._connection.close()

    def _persistently(self, statement: str, *values: object, answers: bool = True) -> Any:
        """Keys made together are lost with their connection, so then nothing is asked again."""
        if self._together:
            return self._ask(statement, *values, answers=answers)
        return persistently(lambda: self._ask(statement, *values, answers=answers))

    def _ask(self, statement: str, *values: object, answers: bool = False) -> Any:
        if self._connection is None or (self._connection.closed and not self._together):
            self._connection = connect(self._url)
            with faults_told(self._where):
                impatient(self._connection)
        try:
            with faults_told(self._where):
                found = self._connection.execute(statement, values, binary=True)
                return found.fetchone() if answers else found.statusmessage
        except Interrupted:
            self._connection.close()
            raise
