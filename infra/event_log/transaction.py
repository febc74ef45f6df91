"""One open transaction of the log's database, as what is shared between databases sees it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

Values: TypeAlias = Sequence[object]


class Transaction(Protocol):
    """Statements have a ``?`` where a value goes, and hold no other question mark or percent sign."""

    def run(self, statement: str, values: Values = ()) -> None:
        """Send a statement whose answer nobody waits for."""

    def rows(self, statement: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Send a statement and return the rows of its answer."""

    def among(self, statement: str, values: Sequence[str]) -> list[tuple[Any, ...]]:
        """The same, for all of many values: ``{among}`` stands behind the column that must be one of them."""

    def insert(self, table: str, rows: Sequence[Values]) -> None:
        """Add whole rows, in one go."""
