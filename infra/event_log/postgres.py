"""The event log in PostgreSQL, for any number of machines.

Positions follow commit order, so a reader never misses an event: an append takes a lock, reads the head and gives its events
the next positions. The commit releases the lock.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from functools import cache
from typing import Any, Generic, cast

import psycopg
from eventsourcing.postgres import ConnectionPool, PostgresApplicationRecorder, PostgresDatastore
from psycopg import Connection
from psycopg.rows import DictRow, dict_row, tuple_row

from infra.codec import Codec
from infra.errors import ConnectionLost
from infra.event_log.append import Append
from infra.event_log.log import A, EventLog
from infra.event_log.relay_checkpoints import RelayCheckpoints
from infra.event_log.schema import CHANNEL, COLUMNS, LOG_TABLES
from infra.event_log.statements import EVENTS
from infra.event_log.types import DatabaseInfo, R, ReadAfter, Transaction, Values
from infra.postgres.connection import connect, connection_options, redact_url, retry, set_timeouts, translate_postgres_errors
from infra.postgres.migrate import require_tables

KEPT = 2  # open connections of one process: one writes, one reads
POLL = 5.0  # seconds; NOTIFY is faster
CLOCK = "extract(epoch FROM clock_timestamp())::float8"
LOCK = f"SELECT pg_advisory_xact_lock({int.from_bytes(b'regulars')})"
SIZE = """
    SELECT current_setting('server_version'), sum(pg_total_relation_size(oid)) FROM pg_class
    WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace"""


class PostgresLog(EventLog):
    """Raises :class:`Misconfigured` if the tables are missing or of another version."""

    def __init__(self, url: str, codec: Codec, kept: int = KEPT) -> None:
        super().__init__(codec, position="notification_id")
        self.url = url
        self._where = redact_url(url)
        retry(lambda: require_tables(url, LOG_TABLES))
        self._datastore = PostgresConnections(url, kept)
        self._datastore.pool.open()
        self._writing = threading.Lock()
        self._lost = False
        self._relay_checkpoints = RelayCheckpoints(self._transaction, CLOCK, lock=" FOR SHARE")
        self._now = self.head()  # the head when the current append began
        self._seen: int | None = self._now  # the head as this process last knew it; None if unknown

    @property
    def recorder(self) -> PostgresRecorder:
        """The eventsourcing library's recorder, for reading."""
        return PostgresRecorder(self._datastore)

    def _subscription(
        self, since: ReadAfter[R], position: int, stopped: threading.Event, poll: float | None
    ) -> PostgresSubscription[R]:
        return PostgresSubscription(self.url, since, position, stopped, POLL if poll is None else poll)

    def database_info(self) -> DatabaseInfo:
        version, size = self._query(SIZE, ())[0]
        return DatabaseInfo(f"PostgreSQL {version}, {self._where}", int(size), LOG_TABLES.version)

    @contextmanager
    def append(self) -> Iterator[Append]:
        with self._writing:
            try:
                with super().append() as append:
                    began = self._now = append.head
                    yield append
            except ConnectionLost:
                self._seen = None  # it may have been committed, so what is remembered of streams may be stale
                self._lost = True
                raise
            if self._seen == began:
                self._seen = append.head

    def changed_elsewhere(self) -> bool:
        seen, self._seen = self._seen, self._now
        return seen != self._seen

    def _repeat(self, call: Callable[[], A]) -> A:
        return retry(call)

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
        if not all(map(has_no_nul, values)):
            return []
        return retry(lambda: self._ask(statement, values))

    def _ask(self, statement: str, values: Values) -> list[tuple[Any, ...]]:
        try:
            with self._connection() as connection:
                cursor = connection.cursor(row_factory=tuple_row, binary=True)
                return cursor.execute(with_psycopg_marks(statement), values or None).fetchall()
        except ConnectionLost:
            self._lost = True
            raise

    @contextmanager
    def _connection(self) -> Iterator[Connection[Any]]:
        """Take a connection from the pool. After a lost connection, check the others first, once the server answers."""
        if self._lost:
            connect(self.url).close()
            self._lost = False
            self._datastore.pool.check()
        with translate_postgres_errors(self._where), self._datastore.pool.connection() as connection:
            yield connection


CHUNK = 1000

STOP_CHECK = 0.1  # seconds between checks whether it was stopped


class PostgresSubscription(Generic[R]):
    """Chunks of what follows a position: LISTEN on a separate connection, and polling as a safety net."""

    def __init__(self, url: str, since: ReadAfter[R], position: int, stopped: threading.Event, poll: float) -> None:
        self.position = position
        self._url = url
        self._since: ReadAfter[R] = since
        self._poll = poll
        self._stopped = stopped

    def stop(self) -> None:
        self._stopped.set()

    def __iter__(self) -> Iterator[list[R]]:
        if self._stopped.is_set():
            return
        connection = retry(self._listening)  # before the first read, so that no notification is missed
        try:
            while not self._stopped.is_set():
                chunk = self._since(self.position, CHUNK)
                if chunk:
                    self.position = chunk[-1].position
                    yield chunk
                    continue
                try:
                    self._wait(connection)
                except (psycopg.OperationalError, psycopg.InterfaceError):
                    connection.close()
                    connection = retry(self._listening)
        finally:
            connection.close()

    def _listening(self) -> psycopg.Connection[Any]:
        connection = connect(self._url)
        try:
            connection.execute(f"LISTEN {CHANNEL}")
        except psycopg.Error as fault:
            with suppress(psycopg.Error):
                connection.close()
            raise ConnectionLost(f"PostgreSQL went away ({fault}).") from fault
        return connection

    def _wait(self, connection: psycopg.Connection[Any]) -> None:
        """Wait until something was appended, it is time to poll, or it is stopped."""
        deadline = time.monotonic() + self._poll
        while not self._stopped.is_set() and (left := deadline - time.monotonic()) > 0:
            if any(True for _ in connection.notifies(timeout=min(STOP_CHECK, left), stop_after=1)):
                for _ in connection.notifies(timeout=0):
                    pass  # many appends need one read
                return


MOST = 32  # connections; each reading thread needs one
POOL_TIMEOUT = 10.0  # seconds to wait for a free connection
RECONNECT_TIMEOUT = 5.0  # seconds until the pool gives up, so that the next caller tries at once


class PostgresConnections(PostgresDatastore):
    """The library's datastore on our connection pool. ``kept``: connections that stay open; more are opened when needed."""

    def __init__(self, url: str, kept: int) -> None:
        super().__init__("", "", "", "", "", originator_id_type="text")
        self.pool = ConnectionPool(
            conninfo=url,
            connection_class=cast("type[Connection[DictRow]]", Connection),
            kwargs={"row_factory": dict_row, "autocommit": True, **connection_options(url)},
            min_size=kept,
            max_size=max(kept, MOST),
            open=False,
            configure=set_timeouts,
            timeout=POOL_TIMEOUT,
            reconnect_timeout=RECONNECT_TIMEOUT,
            num_workers=1,
        )


class PostgresRecorder(PostgresApplicationRecorder):
    """The library's recorder, for reading. It cannot write: only an append assigns positions."""

    def __init__(self, datastore: PostgresDatastore) -> None:
        super().__init__(datastore, events_table_name=EVENTS)
        self.sql_create_statements = []


NOT_STORABLE, INSTEAD = "\0", "\ufffd"  # text in PostgreSQL cannot hold NUL


@contextmanager
def transaction(connection: Connection[Any], where: str, *first: str) -> Iterator[PostgresTransaction]:
    """Open a transaction in pipeline mode: a statement without a result costs no round trip.

    ``first``: statements to begin with. The transaction is rolled back if the block raises.
    """
    entered = connection.pipeline()
    with translate_postgres_errors(where):
        pipeline = entered.__enter__()
    try:
        opened = PostgresTransaction(connection, where)
        for statement in ("BEGIN", *first):
            opened.run(statement)
        yield opened
        opened.run("COMMIT")
        with translate_postgres_errors(where):
            pipeline.sync()
    except BaseException:
        with suppress(psycopg.Error):
            entered.__exit__(None, None, None)
        with suppress(psycopg.Error):
            connection.execute("ROLLBACK")
        raise
    entered.__exit__(None, None, None)


class PostgresTransaction:
    def __init__(self, connection: Connection[Any], where: str) -> None:
        self._connection = connection
        self._where = where

    def run(self, statement: str, values: Values = ()) -> None:
        with translate_postgres_errors(self._where):
            self._cursor().execute(with_psycopg_marks(statement), values or None)

    def rows(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        with translate_postgres_errors(self._where):
            return self._cursor().execute(with_psycopg_marks(statement), values or None).fetchall()

    def among(self, statement: str, values: Sequence[str]) -> list[tuple[Any, ...]]:
        return self.rows(statement.format(among="= ANY(?)"), ([value for value in values if has_no_nul(value)],))

    def insert(self, table: str, rows: Sequence[Values]) -> None:
        columns = [list(column) for column in zip(*rows, strict=True)]
        kinds = COLUMNS[table]
        binary = all(None not in column for column in columns)
        if not binary:
            columns = [[without_nul(value) for value in column] for column in columns]
        parts = ",".join(f"%{'b' if binary else 't'}::{kind}[]" for kind in kinds)
        with translate_postgres_errors(self._where):
            self._cursor().execute(f"INSERT INTO {table} SELECT * FROM unnest({parts})", columns)

    def _cursor(self) -> psycopg.Cursor[tuple[Any, ...]]:
        return self._connection.cursor(row_factory=tuple_row)


@cache
def with_psycopg_marks(statement: str) -> Any:
    """Return the statement with psycopg's placeholders."""
    return statement.replace("?", "%s")


def has_no_nul(value: object) -> bool:
    return not isinstance(value, str) or NOT_STORABLE not in value


def without_nul(value: object) -> object:
    return value.replace(NOT_STORABLE, INSTEAD) if isinstance(value, str) else value
