"""The event log in one SQLite file, for one machine: one writer at a time, any number of readers."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Generic

from eventsourcing.sqlite import SQLiteConnection, SQLiteCursor, SQLiteDatastore

from infra.codec import Codec
from infra.event_log.log import EventLog
from infra.event_log.relay_checkpoints import RelayCheckpoints
from infra.event_log.schema import COLUMNS, SQLITE_VERSION, SqliteRecorder, create_sqlite_tables
from infra.event_log.types import DatabaseInfo, R, ReadAfter, Transaction, Values
from infra.private_files import make_private
from infra.sqlite_file import translate_sqlite_errors

BUSY_TIMEOUT = 30  # seconds to wait for another process that holds the writer's lock
WAL_PAGES = 8192  # of 4 KiB, before the write-ahead log is copied into the file
MOST_THREADS = 64  # that read at the same time, each with its own connection
MOST_VALUES = 500  # in one statement
POLL = 0.004  # seconds; a look costs microseconds
CLOCK = "(julianday('now') - 2440587.5) * 86400"  # seconds of the epoch
PAGE_CACHE = 64 * 1024  # KiB: the stream index of a year stays in memory


class SqliteLog(EventLog):
    """Raises :class:`Unreadable` if the file is not a SQLite database."""

    def __init__(self, path: Path, codec: Codec) -> None:
        super().__init__(codec, position="rowid")
        self.path = path
        self._datastore = SQLiteDatastore(
            str(path), lock_timeout=BUSY_TIMEOUT, pool_size=MOST_THREADS, originator_id_type="text"
        )
        self.recorder = SqliteRecorder(self._datastore)
        self._mine = threading.local()
        self._readers: list[SQLiteConnection] = []
        self._writing = threading.Lock()
        make_private(path)
        with translate_sqlite_errors(path):
            self._writer = self._datastore.pool.get_connection(is_writer=True)
            self._cursor = tuples(self._writer.cursor())
            create_sqlite_tables(self._cursor)
        self._cursor.execute(f"PRAGMA cache_size = -{PAGE_CACHE}")
        self._cursor.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        self._seen_change = self._change()
        self._relay_checkpoints = RelayCheckpoints(self._transaction, CLOCK)

    def _subscription(
        self, since: ReadAfter[R], position: int, stopped: threading.Event, poll: float | None
    ) -> SqliteSubscription[R]:
        return SqliteSubscription(self.path, since, position, stopped, POLL if poll is None else poll)

    def database_info(self) -> DatabaseInfo:
        return DatabaseInfo(f"SQLite {sqlite3.sqlite_version}, {self.path}", self.path.stat().st_size, SQLITE_VERSION)

    def changed_elsewhere(self) -> bool:
        seen, self._seen_change = self._seen_change, self._change()
        return seen != self._seen_change

    def close(self) -> None:
        for connection in (self._writer, *self._readers):
            self._datastore.pool.put_connection(connection)
        self._datastore.close()

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        with self._writing, translate_sqlite_errors(self.path):
            self._cursor.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTransaction(self._cursor)
            except BaseException:
                self._writer.rollback()
                raise
            self._writer.commit()

    _appending = _transaction

    def _query(self, statement: str, values: Values) -> list[tuple[Any, ...]]:
        with translate_sqlite_errors(self.path):
            cursor = self._reader()
            cursor.execute(statement, values)
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            return rows

    def _reader(self) -> SQLiteCursor:
        """Return this thread's connection. A single SELECT needs no transaction."""
        cursor: SQLiteCursor | None = getattr(self._mine, "cursor", None)
        if cursor is None:
            connection = self._datastore.pool.get_connection()
            self._readers.append(connection)
            cursor = self._mine.cursor = tuples(connection.cursor())
        return cursor

    def _change(self) -> int:
        self._cursor.execute("PRAGMA data_version")
        return int(self._cursor.fetchone()[0])


class SqliteTransaction:
    def __init__(self, cursor: SQLiteCursor) -> None:
        self._cursor = cursor

    def run(self, statement: str, values: Values = ()) -> None:
        self._cursor.execute(statement, values)

    def rows(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        self._cursor.execute(statement, values)
        found: list[tuple[Any, ...]] = self._cursor.fetchall()
        return found

    def among(self, statement: str, values: Sequence[str]) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for at in range(0, len(values), MOST_VALUES):
            part = values[at : at + MOST_VALUES]
            found += self.rows(statement.format(among=f"IN ({','.join('?' * len(part))})"), part)
        return found

    def insert(self, table: str, rows: Sequence[Values]) -> None:
        self._cursor.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(COLUMNS[table]))})", rows)


def tuples(cursor: SQLiteCursor) -> SQLiteCursor:
    """Return the cursor with plain tuples instead of the library's mapping rows."""
    cursor.sqlite_cursor.row_factory = None
    return cursor


CHUNK = 1000


class SqliteSubscription(Generic[R]):
    """Chunks of what follows a position. The library has no subscription for SQLite, so this polls.

    ``PRAGMA data_version`` costs 2 µs and changes with every other connection's commit, in any process.
    """

    def __init__(self, path: Path, since: ReadAfter[R], position: int, stopped: threading.Event, poll: float) -> None:
        self.position = position
        self._path = path
        self._since: ReadAfter[R] = since
        self._poll = poll
        self._stopped = stopped

    def stop(self) -> None:
        self._stopped.set()

    def __iter__(self) -> Iterator[list[R]]:
        connection = sqlite3.connect(self._path, isolation_level=None)
        try:
            while not self._stopped.is_set():
                seen = connection.execute("PRAGMA data_version").fetchone()
                chunk = self._since(self.position, CHUNK)
                if chunk:
                    self.position = chunk[-1].position
                    yield chunk
                    continue
                while connection.execute("PRAGMA data_version").fetchone() == seen:
                    if self._stopped.wait(self._poll):
                        return
        finally:
            connection.close()
