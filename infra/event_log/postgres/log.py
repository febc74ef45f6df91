"""The event log in PostgreSQL: any number of processes append, one at a time; what a reader has passed, nothing comes before.

An append takes a lock first, then reads the head and gives its events the next positions. The lock is given back by the commit,
so positions have no gaps and come in the order of the commits: whoever reads on from a position misses nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection
from psycopg.rows import tuple_row

from infra.codec import Codec
from infra.errors import Interrupted
from infra.event_log.append import Append
from infra.event_log.log import A, EventLog
from infra.event_log.postgres.recorder import Datastore, Recorder
from infra.event_log.postgres.schema import CHANNEL, LOG
from infra.event_log.postgres.subscription import Subscription
from infra.event_log.postgres.transaction import marked, storable, transaction
from infra.event_log.relay_checkpoints import RelayBook
from infra.event_log.transaction import Transaction, Values
from infra.event_log.types import About, R, Since
from infra.postgres.address import connect, shown
from infra.postgres.errors import faults_told, persistently
from infra.postgres.migrate import require

KEPT = 2  # connections of one process: one that writes, one that reads
POLL = 5.0  # seconds; NOTIFY tells sooner
CLOCK = "extract(epoch FROM clock_timestamp())::float8"
LOCK = f"SELECT pg_advisory_xact_lock({int.from_bytes(b'regulars')})"
SIZE = """
    SELECT current_setting('server_version'), sum(pg_total_relation_size(oid)) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"""


class PostgresLog(EventLog):
    """Raises :class:`Misconfigured` if its tables are not there or not of this version, :class:`Unreachable` if it is down."""

    def __init__(self, url: str, codec: Codec, kept: int = KEPT) -> None:
        super().__init__(codec, position="notification_id")
        self.url = url
        self._where = shown(url)
        persistently(lambda: require(url, LOG))
        self._datastore = Datastore(url, kept)
        self._datastore.pool.open()
        self._writing = threading.Lock()
        self._lost = False
        self._relay_book = RelayBook(self._transaction, CLOCK, lock=" FOR SHARE")
        self._now = self.head()  # where the append under way began
        self._seen: int | None = self._now  # where we know the log to have been left, by ourselves or as we told

    @property
    def recorder(self) -> Recorder:
        """The library's, for reading."""
        return Recorder(self._datastore)

    def _subscription(self, since: Since[R], position: int, stopped: threading.Event, poll: float | None) -> Subscription[R]:
        return Subscription(self.url, since, position, stopped, POLL if poll is None else poll)

    def about(self) -> About:
        version, size = self._query(SIZE, ())[0]
        return About(f"PostgreSQL {version}, {self._where}", int(size), LOG.version)

    @contextmanager
    def append(self) -> Iterator[Append]:
        with self._writing:
            try:
                with super().append() as append:
                    began = self._now = append.head
                    yield append
            except Interrupted:
                self._seen = None  # it may have been committed: whoever remembers anything must forget it
                self._lost = True
                raise
            if self._seen == began:
                self._seen = append.head

    def changed_elsewhere(self) -> bool:
        seen, self._seen = self._seen, self._now
        return seen != self._seen

    def _again(self, ask: Callable[[], A]) -> A:
        return persistently(ask)

    def close(self) -> None:
        self._datastore.close()

    @contextmanager
    def _transaction(self) -> Iterator[Transaction]:
        with self._connection() as connection, transaction(connection, self._where) as opened:
            yield opened

    @contextmanager
    def _appending(self) -> Iterator[Transaction]:
        with self._connection() as connection, transaction(connection, self._where, LOCK) as opened:
            yield opened
            opened.run(f"NOTIFY {CHANNEL}")

    def _query(self, statement: str, values: Values) -> list[tuple[Any, ...]]:
        if not all(map(storable, values)):
            return []
        return persistently(lambda: self._ask(statement, values))

    def _ask(self, statement: str, values: Values) -> list[tuple[Any, ...]]:
        try:
            with self._connection() as connection:
                cursor = connection.cursor(row_factory=tuple_row, binary=True)
                return cursor.execute(marked(statement), values or None).fetchall()
        except Interrupted:
            self._lost = True
            raise

    @contextmanager
    def _connection(self) -> Iterator[Connection[Any]]:
        """One of the pool's; after a loss the others are looked at first, once the server answers at all."""
        if self._lost:
            connect(self.url).close()
            self._lost = False
            self._datastore.pool.check()
        with faults_told(self._where), self._datastore.pool.connection() as connection:
            yield connection
