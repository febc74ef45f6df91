"""One open transaction of the log's database, as what is shared between databases sees it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, TypeAlias

Values: TypeAlias = Sequence[object]


class Transaction(Protocol):
    """Statements have a ``?`` where a value goes, and hold no other question mark or percent sign."""

    def run(self, statement: str, values: Values = ()) -> None:
        """Send a statement whose answer nobody waits for."""

    def rows(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Send a statement and return the rows of its answer."""

    def many(self, statement: str, rows: Iterable[Values]) -> None:
        """Send a statement once for each row of values."""
