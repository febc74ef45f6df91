"""Small tables beside the log: API keys, webhooks, administrative acts. They are never in the log, which is kept for ever.

An embedded home keeps them in a SQLite file that its owner alone may read, a log in PostgreSQL beside itself or its keys.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

import psycopg

from infra.errors import Unreachable
from infra.private_files import make_private

CONNECT_TIMEOUT = 5  # seconds
LOCK_TIMEOUT = 10  # seconds that SQLite waits for another process's transaction

CREATING = 7_307_166_112
"""The lock under which tables are created in PostgreSQL; any number that nobody else takes."""

Run: TypeAlias = Callable[..., list[Any]]
"""Runs a statement with its values and returns its rows. A statement has a ``?`` for each value, and no other."""


class SideDatabase:
    """One connection, safe to use from any thread. ``url``: PostgreSQL's, None for the SQLite file ``file``."""

    def __init__(self, file: Path, url: str | None = None) -> None:
        self._file = file
        self._url = url
        self._lock = threading.Lock()
        self._connection: Any = None

    def create(self, tables: Sequence[str]) -> None:
        """Create tables that may exist. Processes that start together take turns: PostgreSQL refuses all but one else."""
        with self.together() as run:
            if self._url:
                run("SELECT pg_advisory_xact_lock(?)", (CREATING,))
            for table in tables:
                run(table)

    def run(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        """Run one statement in a transaction of its own and return its rows. A connection that broke is opened again, once.

        Raises :class:`Unreachable` if the database does not answer.
        """
        with self._lock:
            try:
                return self._rows(statement, values)
            except psycopg.OperationalError:
                self._disconnect()
            return self._reached(lambda: self._rows(statement, values))

    @contextmanager
    def together(self) -> Iterator[Run]:
        """Yield what runs statements that happen together or not at all. Raises :class:`Unreachable`."""
        with self._lock:
            self._begin("BEGIN" if self._url else "BEGIN IMMEDIATE")
            try:
                yield self._rows
            except BaseException:
                if self._connection is not None:
                    self._end_quietly()
                raise
            self._reached(lambda: self._rows("COMMIT"))

    def _begin(self, statement: str) -> None:
        """Run a statement while the lock is held, on a connection that answers."""
        try:
            self._rows(statement)
        except psycopg.OperationalError:
            self._disconnect()
            self._reached(lambda: self._rows(statement))

    def close(self) -> None:
        """Close the connection; the next statement opens another."""
        with self._lock:
            self._disconnect()

    def _reached(self, call: Callable[[], list[Any]]) -> list[Any]:
        try:
            return call()
        except psycopg.OperationalError as fault:
            self._disconnect()
            raise Unreachable(f"The database of {self._file.stem} does not answer ({str(fault).strip()}).") from fault

    def _rows(self, statement: str, values: Sequence[object] = ()) -> list[Any]:
        if self._url:
            cursor = self._connected().execute(statement.replace("?", "%s"), values)
            return list(cursor.fetchall()) if cursor.description else []
        return list(self._connected().execute(statement, values).fetchall())

    def _connected(self) -> Any:
        """Return the one connection, opened if there is none."""
        if self._connection is None and self._url:
            self._connection = psycopg.connect(self._url, autocommit=True, connect_timeout=CONNECT_TIMEOUT)
        elif self._connection is None:
            make_private(self._file)
            self._connection = sqlite3.connect(self._file, timeout=LOCK_TIMEOUT, isolation_level=None, check_same_thread=False)
        return self._connection

    def _end_quietly(self) -> None:
        try:
            self._rows("ROLLBACK")
        except (psycopg.Error, sqlite3.Error):
            self._disconnect()

    def _disconnect(self) -> None:
        if self._connection is not None:
            self._connection.close()
        self._connection = None
