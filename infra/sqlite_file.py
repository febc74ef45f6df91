"""Errors of SQLite files, in sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from eventsourcing.persistence import PersistenceError

from infra.errors import Fault, Misconfigured, Unreachable, Unreadable


@contextmanager
def translate_sqlite_errors(path: Path) -> Iterator[None]:
    """Raise an error of a SQLite file as one of ours, if its disk, its rights, a lock or damage has caused it."""
    try:
        yield
    except (sqlite3.Error, PersistenceError) as fault:
        if translated := translate(path, fault):
            raise translated from fault
        raise


def translate(path: Path, fault: BaseException) -> Fault | None:
    """Return our error for an error of SQLite or of the eventsourcing library, None if the program itself caused it.

    >>> translate(Path("events.db"), sqlite3.IntegrityError("the log is append-only"))
    """
    cause: BaseException | None = fault
    while cause is not None and not isinstance(cause, sqlite3.Error):
        cause = cause.__cause__ or cause.__context__
    kind = getattr(cause, "sqlite_errorname", None) or ""
    if kind.startswith("SQLITE_FULL"):
        return Unreachable(f"{path} cannot be written: its disk is full. Make room, and try again.")
    if kind.startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN", "SQLITE_PERM", "SQLITE_AUTH")):
        return Misconfigured(f"{path} cannot be opened or written ({cause}): see who owns it and its directory.")
    if kind.startswith(("SQLITE_BUSY", "SQLITE_LOCKED")):
        return Unreachable(f"Another process has held the lock of {path} for too long: find out which, and try again.")
    if kind.startswith("SQLITE_IOERR"):
        return Unreachable(f"{path} cannot be read or written ({cause}): see whether its disk is full or broken.")
    if kind.startswith(("SQLITE_CORRUPT", "SQLITE_NOTADB")) or type(cause) is sqlite3.DatabaseError:
        return Unreadable(
            f"{path} is not a SQLite database, or is damaged ({cause}): restore it from a backup, or "
            "choose another REGULARS_HOME."
        )
    return None
