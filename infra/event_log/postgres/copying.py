"""A PostgreSQL log as what is copied, and as what is copied into: one transaction, and one of the keys before it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

from infra.errors import Misconfigured
from infra.event_log.columns import COLUMNS
from infra.event_log.copying import AT_ONCE, KEYS, Rows
from infra.event_log.postgres.log import LOCK
from infra.event_log.postgres.schema import CHANNEL, LOG
from infra.event_log.statements import EVENTS
from infra.keys import postgres as key_store
from infra.keys.ring import PEPPER
from infra.postgres.address import connect, shown
from infra.postgres.errors import faults_told
from infra.postgres.migrate import require

INCOMING = f"CREATE TEMPORARY TABLE incoming (LIKE {key_store.TABLE}) ON COMMIT DROP"
OTHER = f"""
    SELECT 1 FROM {key_store.TABLE} k LEFT JOIN incoming i USING (member)
    WHERE k.member <> %s AND i.key IS DISTINCT FROM k.key LIMIT 1"""


class PostgresSource:
    """Raises :class:`Misconfigured` unless the tables are there, of this program's version."""

    def __init__(self, url: str, keys_url: str | None = None) -> None:
        self._url, self._keys_url = url, keys_url or url
        require(self._url, LOG)
        require(self._keys_url, key_store.KEYS)

    @contextmanager
    def opened(self) -> Iterator[None]:
        with faults_told(shown(self._url)), connect(self._url) as log, connect(self._keys_url) as keys:
            log.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self._log, self._keys = log, keys
            yield

    def count(self, table: str) -> int:
        row = self._of(table).execute(f"SELECT count(*) FROM {named(table)}").fetchone()
        return int(row[0]) if row else 0

    def rows(self, table: str) -> Rows:
        order = " ORDER BY notification_id" if table == EVENTS else ""
        connection = self._of(table)
        with connection.transaction(), connection.cursor(f"all_{table}", binary=True) as cursor:
            cursor.itersize = AT_ONCE
            yield from cursor.execute(f"SELECT * FROM {named(table)}{order}")

    def _of(self, table: str) -> psycopg.Connection[Any]:
        return self._keys if table == KEYS else self._log


class PostgresTarget:
    """Its tables must be there. Nobody appends to it meanwhile: the writer's lock is held."""

    def __init__(self, url: str, keys_url: str | None = None) -> None:
        self._url, self._keys_url = url, keys_url or url
        require(self._url, LOG)
        require(self._keys_url, key_store.KEYS)

    @contextmanager
    def opened(self) -> Iterator[None]:
        where = shown(self._url)
        with faults_told(where), connect(self._url) as self._log, connect(self._keys_url) as self._keys:
            with self._log.transaction():
                self._log.execute("SET LOCAL lock_timeout = '10s'")
                self._log.execute(LOCK)
                for table in (EVENTS, "outcomes"):
                    if self._log.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
                        raise Misconfigured(f"The log at {where} is not empty: copy into a new database.")
                for table in set(COLUMNS) - {EVENTS}:
                    self._log.execute(f"DELETE FROM {table}")
                yield
                self._log.execute(f"NOTIFY {CHANNEL}")
            for analysed in COLUMNS:
                self._log.execute(f"ANALYZE {analysed}")

    def fill(self, table: str, rows: Rows) -> None:
        if table != KEYS:
            fill(self._log, table, COLUMNS[table], rows)
            return
        with self._keys.transaction():
            self._keys.execute(INCOMING)
            fill(self._keys, "incoming", ("bytea", "bytea"), rows)
            if self._keys.execute(OTHER, (PEPPER.encode(),)).fetchone():  # not what a killed copy left
                raise Misconfigured(f"{shown(self._keys_url)} holds the keys of another log: copy into a new database.")
            self._keys.execute(f"DELETE FROM {key_store.TABLE}")
            self._keys.execute(f"INSERT INTO {key_store.TABLE} SELECT * FROM incoming")


def named(table: str) -> str:
    return key_store.TABLE if table == KEYS else table


def fill(connection: psycopg.Connection[Any], table: str, kinds: tuple[str, ...], rows: Rows) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as into:
        into.set_types(kinds)
        for row in rows:
            into.write_row(row)
