"""Errors of SQLite files, in sentences."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.errors import Unreadable


@contextmanager
def translate_sqlite_errors(path: Path) -> Iterator[None]:
    """Raise :class:`Unreadable` if the file is not a SQLite database or is damaged. Locks and full disks are other errors."""
    try:
        yield
    except sqlite3.DatabaseError as fault:
        if type(fault) is not sqlite3.DatabaseError:
            raise
        raise Unreadable(
            f"{path} is not a SQLite database ({fault}): restore it from a backup, or choose another REGULARS_HOME."
        ) from fault
