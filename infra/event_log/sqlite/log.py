"""The event log in one SQLite file: one writer at a time, any number of readers, nothing lost once it is acknowledged."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from eventsourcing.sqlite import SQLiteConnection, SQLiteCursor, SQLiteDatastore

from infra.codec import Codec
from infra.event_log.columns import COLUMNS
from infra.event_log.log import EventLog
from infra.event_log.relay_checkpoints import RelayBook
from infra.event_log.sqlite.schema import VERSION, Recorder, complete
from infra.event_log.sqlite.subscription import Subscription
from infra.event_log.transaction import Transaction, Values
from infra.event_log.types import About, R, Since
from infra.sqlite_file import a_database

BUSY_TIMEOUT = 30  # seconds another process may hold the writer's lock
WAL_PAGES = 8192  # of 4 KiB, until the write-ahead log is folded into the file
MOST_THREADS = 64  # that read at the same time, each with a connection of its own
MOST_VALUES = 500  # in one statement
POLL = 0.004  # seconds; a look costs microseconds
CLOCK = "(julianday('now') - 2440587.5) * 86400"  # seconds of the epoch
PAGE_CACHE = 64 * 1024  # KiB: the stream index of a year stays in memory


class SqliteLog(EventLog):
    """Raises :class:`Unreadable` if the file is no database."""

    def __init__(self, path: Path, codec: Codec) -> None:
        super().__init__(codec, position="rowid")
        self.path = path
        self._datastore = SQLiteDatastore(
            str(path), lock_timeout=BUSY_TIMEOUT, pool_size=MOST_THREADS, originator_id_type="text"
        )
        self.recorder = Recorder(self._datastore)
        self._mine = threading.local()
        self._readers: list[SQLiteConnection] = []
        self._writing = threading.Lock()
        with a_database(path):
            self._writer = self._datastore.pool.get_connection(is_writer=True)
            self._cursor = tuples(self._writer.cursor())
            complete(self._cursor)
        self._cursor.execute(f"PRAGMA cache_size = -{PAGE_CACHE}")
        self._cursor.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        self._seen_change = self._change()
        self._relay_book = RelayBook(self._transaction, CLOCK)

    def _subscription(self, since: Since[R], position: int, stopped: threading.Event, poll: float | None) -> Subscription[R]:
        return Subscription(self.path, since, position, stopped, POLL if poll is None else poll)

    def about(self) -> About:
        return About(f"SQLite {sqlite3.sqlite_version}, {self.path}", self.path.stat().st_size, VERSION)

    def changed_elsewhere(self) -> bool:
        seen, self._seen_change = self._seen_change, self._change()
        return seen != self._seen_change

    def close(self) -> None:
        for connection in (self._writer, *self._readers):
            self._datastore.pool.put_connection(connection)
        self._datastore.close()

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        with self._writing:
            self._cursor.execute("BEGIN IMMEDIATE")
            try:
                yield SqliteTransaction(self._cursor)
            except BaseException:
                self._writer.rollback()
                raise
            self._writer.commit()

    _appending = _transaction

    def _query(self, statement: str, values: Values) -> list[tuple[Any, ...]]:
        cursor = self._reader()
        cursor.execute(statement, values)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows

    def _reader(self) -> SQLiteCursor:
        """This thread's own connection: a single SELECT needs no transaction around it."""
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
    """Plain tuples instead of the library's mapping rows."""
    cursor.sqlite_cursor.row_factory = None
    return cursor
