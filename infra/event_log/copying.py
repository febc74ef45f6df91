"""A whole log with its keys, from one database to another: as it was at one instant, and all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeAlias

from infra.event_log.columns import COLUMNS

KEYS = "keys"
"""The table of the keys: a member and a key, both as bytes."""

TABLES = (*COLUMNS, KEYS)
AT_ONCE = 5000  # rows held in memory

Rows: TypeAlias = Iterable[tuple[Any, ...]]


class Source(Protocol):
    def opened(self) -> AbstractContextManager[None]:
        """As it is now, whatever is appended meanwhile; the keys as they are then or later."""

    def count(self, table: str) -> int: ...

    def rows(self, table: str) -> Rows:
        """In order, with their columns as :data:`COLUMNS` has them."""


class Target(Protocol):
    def opened(self) -> AbstractContextManager[None]:
        """Whole at the end, or as if nothing had been done. Raises :class:`Misconfigured` if it is not empty."""

    def fill(self, table: str, rows: Rows) -> None: ...


def copy(source: Source, target: Target, progress: Callable[[str, int, int], None]) -> dict[str, int]:
    """Copy every table; ``progress`` hears of a table, its rows so far, and all of its rows. Return how many each has.

    The keys come last, so that every sealed value has its key, and what was erased meanwhile has none.
    """
    copied: dict[str, int] = {}
    with source.opened(), target.opened():
        for table in TABLES:
            rows = counted(source.rows(table), copied, table, source.count(table), progress)
            target.fill(table, rows)
    return copied


def counted(
    rows: Rows, copied: dict[str, int], table: str, total: int, progress: Callable[[str, int, int], None]
) -> Iterator[tuple[Any, ...]]:
    copied[table] = 0
    for row in rows:
        yield row
        copied[table] += 1
        if copied[table] % AT_ONCE == 0:
            progress(table, copied[table], total)
    progress(table, copied[table], total)
