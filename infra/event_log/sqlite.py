"""The event log in one SQLite file: one writer at a time, any number of readers, nothing lost once it is acknowledged."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

from eventsourcing.sqlite import SQLiteConnection, SQLiteCursor, SQLiteDatastore

from aggregates.kernel import Recorded
from infra.codec import Codec
from infra.event_log.append import Append
from infra.event_log.relay_book import RelayBook
from infra.event_log.schema import EVENTS, Recorder, complete
from infra.event_log.shapes import Outcome, Relayed, Row, Shop
from infra.event_log.statements import LATEST_OF, OUTCOME, READ_EVENTS, READ_LOG, READ_STREAM, REQUEST_AT, STREAMS
from infra.event_log.subscription import Subscription
from infra.event_log.tail import Tail
from infra.event_log.transaction import Values
from infra.faults import Misconfigured

BUSY_TIMEOUT = 30  # seconds another process may hold the writer's lock
WAL_PAGES = 8192  # of 4 KiB, until the write-ahead log is folded into the file
AT_HAND = 8192  # latest events of this process
MOST_THREADS = 64  # that read at the same time, each with a connection of its own
CLOCK = "(julianday('now') - 2440587.5) * 86400"  # seconds of the epoch
PAGE_CACHE = 64 * 1024  # KiB: the stream index of a year stays in memory


class SqliteLog:
    def __init__(self, path: Path, codec: Codec) -> None:
        self.path = path
        self.codec = codec
        self._datastore = SQLiteDatastore(
            str(path), lock_timeout=BUSY_TIMEOUT, pool_size=MOST_THREADS, originator_id_type="text"
        )
        self.recorder = Recorder(self._datastore)
        self.recorder.create_table()
        self._tail = Tail(AT_HAND)
        self._mine = threading.local()
        self._readers: list[SQLiteConnection] = []
        self._writing = threading.Lock()
        self._writer = self._datastore.pool.get_connection(is_writer=True)
        self._cursor = tuples(self._writer.cursor())
        complete(self._cursor)
        self._cursor.execute(f"PRAGMA cache_size = -{PAGE_CACHE}")
        self._cursor.execute(f"PRAGMA wal_autocheckpoint = {WAL_PAGES}")
        self._seen_change = self._change()
        self._relay_book = RelayBook(self._open, CLOCK)

    # Reading

    def read(self, stream: str, after: int = 0) -> tuple[list[object], int]:
        """The events of a stream behind version ``after``, and its version."""
        rows = self._query(READ_STREAM, (stream, after))
        return self.codec.decode_stream(rows), rows[-1][0] if rows else after

    def since(self, position: int, limit: int) -> list[Row]:
        """Up to ``limit`` rows behind ``position``, in order."""
        return [Row(*row) for row in self._query(READ_LOG, (position, limit))]

    def recorded(self, position: int, limit: int) -> list[Recorded]:
        """Up to ``limit`` events behind ``position``, in order."""
        if at_hand := self._tail.since(position, limit):
            return at_hand
        rows = self._query(READ_EVENTS, (position, limit))
        return self.codec.decode_all(rows)

    def head(self) -> int:
        """The position of the latest event, 0 if there is none."""
        return self._head(self._reader())

    def rows_of(self, stream: str, limit: int) -> list[Row]:
        """The latest ``limit`` rows of a stream, in order."""
        return [Row(*row) for row in self._query(LATEST_OF, (stream, limit))][::-1]

    def streams_between(self, prefix: str) -> list[str]:
        """Streams whose name begins with ``prefix``."""
        return [stream for (stream,) in self._query(STREAMS, (prefix, prefix + "\U0010ffff"))]

    def outcome(self, request: str) -> Outcome | None:
        """What came of a request, None if it was never asked."""
        return next((outcome(row) for row in self._query(OUTCOME, (request,))), None)

    def request_at(self, position: int) -> Outcome | None:
        """The request that brought about the event at a position."""
        found = next((outcome(row) for row in self._query(REQUEST_AT, (position,))), None)
        return found if found and found.position - found.events < position else None

    def subscribe(self, position: int, stopped: threading.Event | None = None, poll: float = 0.01) -> Subscription:
        """Events behind ``position`` as they come, from this process or another, until ``stopped`` is set."""
        return Subscription(self.path, self.recorded, position, stopped or threading.Event(), poll)

    # Writing

    @contextmanager
    def append(self) -> Iterator[Append]:
        """One transaction, with the writer's lock held: read, decide, append; all of it or nothing."""
        with self._transaction() as cursor:
            append = Append(cursor, self.codec, self._head(cursor))
            yield append
            append.flush()
        self._tail.extend(append.head, append.events)

    def changed_elsewhere(self) -> bool:
        """Whether another connection has written since the last call; ask within an append."""
        seen, self._seen_change = self._seen_change, self._change()
        return seen != self._seen_change

    def erased(self) -> dict[str, int]:
        """Erased members, with the position of their erasure."""
        return dict(self._query("SELECT member, position FROM erasures", ()))

    def incomplete_erasures(self) -> dict[str, int]:
        """Those that may not have reached every file yet."""
        return dict(self._query("SELECT member, position FROM erasures WHERE NOT complete", ()))

    def erased_everywhere(self, position: int) -> None:
        """Erasures up to a position are complete."""
        with self._transaction() as cursor:
            cursor.execute("UPDATE erasures SET complete = 1 WHERE position <= ?", (position,))

    def shop(self, wanted: Shop, chosen: bool) -> Shop:
        """The shop this log belongs to; an empty log becomes that of ``wanted``.

        Raises :class:`Misconfigured` if it is another shop's and ``wanted`` was ``chosen``, not a default.
        """
        with self._transaction() as cursor:
            cursor.execute("SELECT zone, currency FROM shop")
            row = cursor.fetchone()
            if row is None:
                cursor.execute("INSERT INTO shop VALUES (?, ?, ?)", (wanted.zone, wanted.currency, uuid4().hex))
                return wanted
            shop = Shop(*row)
            if shop == wanted or not chosen:
                return shop
            if not self._head(cursor):
                cursor.execute("UPDATE shop SET zone = ?, currency = ?", (wanted.zone, wanted.currency))
                return wanted
        raise Misconfigured(
            f"This log is of a shop in {shop.zone} that sells in {shop.currency}, not in {wanted.zone} and {wanted.currency}: "
            "choose another REGULARS_HOME."
        )

    def identity(self) -> str:
        """This log's own name, made with it: read models belong to one log."""
        return str(self._query("SELECT log FROM shop", ())[0][0])

    # Relaying

    def relayed(self) -> dict[str, Relayed]:
        """How far each topic has been relayed, by its name."""
        return self._relay_book.relayed()

    def take_lease(self, owner: str, seconds: float) -> bool:
        """Take or renew the one relay's lease, if it is free, has run out by the database's clock, or is the owner's."""
        return self._relay_book.take_lease(owner, seconds)

    def release_lease(self, owner: str) -> None:
        """Give the lease back, if it is the owner's."""
        self._relay_book.release_lease(owner)

    def advance(self, owner: str, topic: str, before: Relayed | None, after: Relayed) -> bool:
        """Move a topic's entry from ``before`` (None: there is none yet), if it still is so and the owner's lease holds.

        The position of one ``topic_id`` never moves backwards; a topic made anew may begin anywhere.
        """
        return self._relay_book.advance(owner, topic, before, after)

    def close(self) -> None:
        for connection in (self._writer, *self._readers):
            self._datastore.pool.put_connection(connection)
        self._datastore.close()

    @contextmanager
    def _transaction(self) -> Iterator[SQLiteCursor]:
        with self._writing:
            self._cursor.execute("BEGIN IMMEDIATE")
            try:
                yield self._cursor
            except BaseException:
                self._writer.rollback()
                raise
            self._writer.commit()

    @contextmanager
    def _open(self) -> Iterator[SqliteTransaction]:
        with self._transaction() as cursor:
            yield SqliteTransaction(cursor)

    def _query(self, statement: str, values: tuple[object, ...]) -> list[tuple[Any, ...]]:
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

    def _head(self, cursor: SQLiteCursor) -> int:
        cursor.execute(f"SELECT MAX(rowid) FROM {EVENTS}")
        return int(cursor.fetchone()[0] or 0)

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
        return self._cursor.fetchall()

    def many(self, statement: str, rows: Iterable[Values]) -> None:
        self._cursor.executemany(statement, rows)


def tuples(cursor: SQLiteCursor) -> SQLiteCursor:
    """Plain tuples instead of the library's mapping rows."""
    cursor.sqlite_cursor.row_factory = None
    return cursor


def outcome(row: tuple[Any, ...]) -> Outcome:
    request, accepted, *rest = row
    return Outcome(request, bool(accepted), *rest)
