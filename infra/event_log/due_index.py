"""From when on each stream has something due: what a tick looks at instead of every member.

A row is written in the transaction of the events that set its instant, so it is never behind. Logs that are older than the
index get it made once, from the streams themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infra.event_log import statements
from infra.event_log.transaction import Values

NAME = "due"


class DueIndex:
    """``query``: rows of the log's database, outside of any transaction."""

    def __init__(self, query: Callable[[str, Values], list[tuple[Any, ...]]]) -> None:
        self._query = query

    def due(self, now: int, limit: int) -> dict[str, int]:
        """Up to ``limit`` streams with something due at ``now``, the longest due first, with the instant it was due."""
        return dict(self._query(statements.DUE, (now, limit)))

    def all(self) -> dict[str, int]:
        """Every stream for which something will be due, and when."""
        return dict(self._query(statements.ALL_DUE, ()))

    @property
    def is_complete(self) -> bool:
        return bool(self._query(statements.IS_INDEXED, (NAME,)))
