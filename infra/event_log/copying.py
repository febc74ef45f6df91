"""Copy a whole log with its keys from one database to another, as of one instant, completely or not at all."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from pathlib import Path
from typing import Any, Protocol, TypeAlias

import psycopg

from infra.errors import Misconfigured
from infra.event_log.postgres import LOCK
from infra.event_log.schema import CHANNEL, COLUMNS, LOG_TABLES, create_sqlite_tables, with_booleans
from infra.event_log.statements import EVENTS
from infra.keys import stores as key_store
from infra.keys.ring import LOG, PEPPER
from infra.keys.stores import SqliteKeys
from infra.postgres.connection import connect, redact_url, translate_postgres_errors
from infra.postgres.migrate import require_tables

KEYS = "keys"
"""The table of the keys. Its rows are a member and a key, both as bytes."""

TABLES = (*COLUMNS, KEYS)
OF_AN_EMPTY_LOG = (PEPPER, LOG)  # keys that a target may have before
AT_ONCE = 5000  # rows held in memory

Rows: TypeAlias = Iterable[tuple[Any, ...]]


class CopySource(Protocol):
    def opened(self) -> AbstractContextManager[None]:
        """Read the log as of now, without what is appended meanwhile, and the keys as of now or later."""

    def count(self, table: str) -> int: ...

    def rows(self, table: str) -> Rows:
        """Return the rows in order, with the columns of :data:`COLUMNS`."""


class Target(Protocol):
    def opened(self) -> AbstractContextManager[None]:
        """Fill the target completely, or leave it as it was. Raises :class:`Misconfigured` if it is not empty."""

    def fill(self, table: str, rows: Rows) -> None: ...


def copy_tables(source: CopySource, target: Target, progress: Callable[[str, int, int], None]) -> dict[str, int]:
    """Copy every table and return how many rows each has. ``progress`` gets a table, its rows so far, and its rows in total.

    The keys come last: then every sealed value has its key, and a member erased meanwhile has none.
    """
    copied: dict[str, int] = {}
    with source.opened(), target.opened():
        for table in TABLES:
            rows = count_rows(source.rows(table), copied, table, source.count(table), progress)
            target.fill(table, rows)
    return copied


def count_rows(
    rows: Rows, copied: dict[str, int], table: str, total: int, progress: Callable[[str, int, int], None]
) -> Iterator[tuple[Any, ...]]:
    copied[table] = 0
    for row in rows:
        yield row
        copied[table] += 1
        if copied[table] % AT_ONCE == 0:
            progress(table, copied[table], total)
    progress(table, copied[table], total)


PARTIAL = ".copying"


class SqliteSource:
    """Reads the files ``log`` and ``keys``. Raises :class:`Misconfigured` if one does not exist."""

    def __init__(self, log: Path, keys: Path) -> None:
        for path in (log, keys):
            if not path.is_file():
                raise Misconfigured(f"There is no log to copy: {path} does not exist.")
        self._paths = (log, keys)

    @contextmanager
    def opened(self) -> Iterator[None]:
        log, keys = (sqlite3.connect(path, isolation_level=None, timeout=30) for path in self._paths)
        with closing(log), closing(keys):
            create_sqlite_tables(log.cursor())
            log.execute("BEGIN")
            log.execute(f"SELECT MAX(rowid) FROM {EVENTS}").fetchone()  # begins the snapshot
            self._log, self._keys = log, keys
            yield

    def count(self, table: str) -> int:
        return int((self._keys if table == KEYS else self._log).execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])

    def rows(self, table: str) -> Rows:
        if table == KEYS:
            return ((member.encode(), key) for member, key in self._keys.execute("SELECT member, key FROM keys"))
        order = " ORDER BY rowid" if table == EVENTS else ""
        return (with_booleans(table, row) for row in self._log.execute(f"SELECT * FROM {table}{order}"))


class SqliteTarget:
    """Writes files under other names, and renames them once they are complete."""

    def __init__(self, log: Path, keys: Path) -> None:
        self._paths = (log, keys)

    @contextmanager
    def opened(self) -> Iterator[None]:
        log, keys = self._paths
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with locked_for_copy(log.with_name("copying.lock")):
            if log.exists():
                require_empty(log)
            made = [path.with_name(path.name + PARTIAL) for path in self._paths]
            for path in made:
                remove_database(path)
            try:
                with closing(sqlite3.connect(made[0], isolation_level=None)) as self._log:
                    create_sqlite_tables(self._log.cursor())
                    self._log.execute("BEGIN")
                    yield
                    self._log.execute("COMMIT")
            except BaseException:
                for path in made:
                    remove_database(path)
                raise
            if keys.exists():
                require_same(keys, made[1])
            remove_database(keys, keep_file=True)
            made[1].replace(keys)
            remove_database(log, keep_file=True)
            made[0].replace(log)
            flush_directory(log.parent)

    def fill(self, table: str, rows: Rows) -> None:
        if table == KEYS:
            path = self._paths[1]
            made = path.with_name(path.name + PARTIAL)
            SqliteKeys(made).close()
            with closing(sqlite3.connect(made)) as db:
                db.executemany("INSERT INTO keys VALUES (?, ?)", ((member.decode(), key) for member, key in rows))
                db.commit()
            return
        self._log.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(COLUMNS[table]))})", rows)


@contextmanager
def locked_for_copy(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Misconfigured(f"Another copy into {path.parent} is running.") from None
        yield
    path.unlink(missing_ok=True)


def require_empty(log: Path) -> None:
    with closing(sqlite3.connect(log, isolation_level=None)) as db:
        create_sqlite_tables(db.cursor())
        for table in (EVENTS, "outcomes"):
            if db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
                raise Misconfigured(f"{log} is not empty: copy into a new REGULARS_HOME.")


def require_same(keys: Path, made: Path) -> None:
    """Accept the keys that a killed copy left, but not those of another log."""
    with closing(sqlite3.connect(keys, isolation_level=None)) as db:
        db.execute("ATTACH ? AS made", (str(made),))
        other = """SELECT 1 FROM main.keys k LEFT JOIN made.keys m USING (member)
            WHERE k.member NOT IN (?, ?) AND m.key IS NOT k.key LIMIT 1"""
        if db.execute(other, OF_AN_EMPTY_LOG).fetchone():
            raise Misconfigured(f"{keys} holds the keys of another log: copy into a new REGULARS_HOME.")


def remove_database(path: Path, keep_file: bool = False) -> None:
    """Remove a database file, if it exists, and SQLite's files beside it."""
    for end in ("-wal", "-shm", "-journal", *(() if keep_file else ("",))):
        path.with_name(path.name + end).unlink(missing_ok=True)


def flush_directory(directory: Path) -> None:
    """Write renames in a directory to the disk."""
    opened = os.open(directory, os.O_RDONLY)
    os.fsync(opened)
    os.close(opened)


CREATE_INCOMING = f"CREATE TEMPORARY TABLE incoming (LIKE {key_store.TABLE}) ON COMMIT DROP"
OTHER_KEYS = f"""
    SELECT 1 FROM {key_store.TABLE} k LEFT JOIN incoming i USING (member)
    WHERE k.member <> ALL(%s) AND i.key IS DISTINCT FROM k.key LIMIT 1"""


class PostgresSource:
    """Raises :class:`Misconfigured` unless the tables have this program's version."""

    def __init__(self, url: str, keys_url: str | None = None) -> None:
        self._url, self._keys_url = url, keys_url or url
        require_tables(self._url, LOG_TABLES)
        require_tables(self._keys_url, key_store.KEY_TABLES)

    @contextmanager
    def opened(self) -> Iterator[None]:
        with translate_postgres_errors(redact_url(self._url)), connect(self._url) as log, connect(self._keys_url) as keys:
            log.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
            self._log, self._keys = log, keys
            yield

    def count(self, table: str) -> int:
        row = self._of(table).execute(f"SELECT count(*) FROM {table_name(table)}").fetchone()
        return int(row[0]) if row else 0

    def rows(self, table: str) -> Rows:
        order = " ORDER BY notification_id" if table == EVENTS else ""
        connection = self._of(table)
        with connection.transaction(), connection.cursor(f"all_{table}", binary=True) as cursor:
            cursor.itersize = AT_ONCE
            yield from cursor.execute(f"SELECT * FROM {table_name(table)}{order}")

    def _of(self, table: str) -> psycopg.Connection[Any]:
        return self._keys if table == KEYS else self._log


class PostgresTarget:
    """Fills existing tables in one transaction that holds the writer's lock, and the keys in another before it ends."""

    def __init__(self, url: str, keys_url: str | None = None) -> None:
        self._url, self._keys_url = url, keys_url or url
        require_tables(self._url, LOG_TABLES)
        require_tables(self._keys_url, key_store.KEY_TABLES)

    @contextmanager
    def opened(self) -> Iterator[None]:
        where = redact_url(self._url)
        with translate_postgres_errors(where), connect(self._url) as self._log, connect(self._keys_url) as self._keys:
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
            copy_binary(self._log, table, COLUMNS[table], rows)
            return
        with self._keys.transaction():
            self._keys.execute(CREATE_INCOMING)
            copy_binary(self._keys, "incoming", ("bytea", "bytea"), rows)
            before = [name.encode() for name in OF_AN_EMPTY_LOG]
            if self._keys.execute(OTHER_KEYS, (before,)).fetchone():  # keys that a killed copy left are the same
                raise Misconfigured(f"{redact_url(self._keys_url)} holds the keys of another log: copy into a new database.")
            self._keys.execute(f"DELETE FROM {key_store.TABLE}")
            self._keys.execute(f"INSERT INTO {key_store.TABLE} SELECT * FROM incoming")


def table_name(table: str) -> str:
    return key_store.TABLE if table == KEYS else table


def copy_binary(connection: psycopg.Connection[Any], table: str, kinds: tuple[str, ...], rows: Rows) -> None:
    with connection.cursor() as cursor, cursor.copy(f"COPY {table} FROM STDIN (FORMAT BINARY)") as into:
        into.set_types(kinds)
        for row in rows:
            into.write_row(row)
