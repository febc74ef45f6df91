"""A file that SQLite is to open, and what is said of one that it cannot."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from infra.errors import Unreadable


@contextmanager
def a_database(path: Path) -> Iterator[None]:
    """Raises :class:`Unreadable` if the file is none, or is damaged; a lock or a place without room is another matter."""
    try:
        yield
    except sqlite3.DatabaseError as fault:
        if type(fault) is not sqlite3.DatabaseError:
            raise
        raise Unreadable(
            f"{path} is no SQLite database ({fault}): restore it from a backup, or choose another REGULARS_HOME."
        ) from fault
