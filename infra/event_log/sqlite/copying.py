"""A SQLite log as what is copied, and as what is copied into: files under other names until they are whole."""

from __future__ import annotations

import fcntl
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from infra.errors import Misconfigured
from infra.event_log.columns import COLUMNS, typed
from infra.event_log.copying import KEYS, Rows
from infra.event_log.sqlite.schema import complete
from infra.event_log.statements import EVENTS
from infra.keys.ring import PEPPER
from infra.keys.sqlite import SqliteKeys

NEW = ".copying"


class SqliteSource:
    """``log``, ``keys``: the files. Raises :class:`Misconfigured` if one is not there."""

    def __init__(self, log: Path, keys: Path) -> None:
        for path in (log, keys):
            if not path.is_file():
                raise Misconfigured(f"There is no log to copy: {path} is not there.")
        self._paths = (log, keys)

    @contextmanager
    def opened(self) -> Iterator[None]:
        log, keys = (sqlite3.connect(path, isolation_level=None, timeout=30) for path in self._paths)
        with closing(log), closing(keys):
            complete(log.cursor())
            log.execute("BEGIN")
            log.execute(f"SELECT MAX(rowid) FROM {EVENTS}").fetchone()  # from here on it stays as it is
            self._log, self._keys = log, keys
            yield

    def count(self, table: str) -> int:
        return int((self._keys if table == KEYS else self._log).execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0])

    def rows(self, table: str) -> Rows:
        if table == KEYS:
            return ((member.encode(), key) for member, key in self._keys.execute("SELECT member, key FROM keys"))
        order = " ORDER BY rowid" if table == EVENTS else ""
        return (typed(table, row) for row in self._log.execute(f"SELECT * FROM {table}{order}"))


class SqliteTarget:
    def __init__(self, log: Path, keys: Path) -> None:
        self._paths = (log, keys)

    @contextmanager
    def opened(self) -> Iterator[None]:
        log, keys = self._paths
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        with alone(log.with_name("copying.lock")):
            if log.exists():
                require_empty(log)
            made = [path.with_name(path.name + NEW) for path in self._paths]
            for path in made:
                remove(path)
            try:
                with closing(sqlite3.connect(made[0], isolation_level=None)) as self._log:
                    complete(self._log.cursor())
                    self._log.execute("BEGIN")
                    yield
                    self._log.execute("COMMIT")
            except BaseException:
                for path in made:
                    remove(path)
                raise
            if keys.exists():
                require_same(keys, made[1])
            remove(keys, but_for_itself=True)
            made[1].replace(keys)
            remove(log, but_for_itself=True)
            made[0].replace(log)
            flush(log.parent)

    def fill(self, table: str, rows: Rows) -> None:
        if table == KEYS:
            path = self._paths[1]
            made = path.with_name(path.name + NEW)
            SqliteKeys(made).close()
            with closing(sqlite3.connect(made)) as db:
                db.executemany("INSERT INTO keys VALUES (?, ?)", ((member.decode(), key) for member, key in rows))
                db.commit()
            return
        self._log.executemany(f"INSERT INTO {table} VALUES ({','.join('?' * len(COLUMNS[table]))})", rows)


@contextmanager
def alone(path: Path) -> Iterator[None]:
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise Misconfigured(f"Another copy into {path.parent} is under way.") from None
        yield
    path.unlink(missing_ok=True)


def require_empty(log: Path) -> None:
    with closing(sqlite3.connect(log, isolation_level=None)) as db:
        complete(db.cursor())
        for table in (EVENTS, "outcomes"):
            if db.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchone():
                raise Misconfigured(f"{log} is not empty: copy into a new REGULARS_HOME.")


def require_same(keys: Path, made: Path) -> None:
    """What a copy left that was killed may be there, another log's keys may not."""
    with closing(sqlite3.connect(keys, isolation_level=None)) as db:
        db.execute("ATTACH ? AS made", (str(made),))
        other = (
            "SELECT 1 FROM main.keys k LEFT JOIN made.keys m USING (member) WHERE k.member <> ? AND m.key IS NOT k.key LIMIT 1"
        )
        if db.execute(other, (PEPPER,)).fetchone():
            raise Misconfigured(f"{keys} holds the keys of another log: copy into a new REGULARS_HOME.")


def remove(path: Path, but_for_itself: bool = False) -> None:
    """A database's file, if it is there, and those beside it."""
    for end in ("-wal", "-shm", "-journal", *(() if but_for_itself else ("",))):
        path.with_name(path.name + end).unlink(missing_ok=True)


def flush(directory: Path) -> None:
    """New names are on the disk as well."""
    opened = os.open(directory, os.O_RDONLY)
    os.fsync(opened)
    os.close(opened)
