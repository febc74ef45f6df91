"""Positions that the sender of webhooks skips: those that a quiet import appended.

An import notes what it appended after each append. Until then nothing that follows the position before that append is sent, so
that a sender is never faster than the note.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from infra.side_database import SideDatabase

TABLES = (
    "CREATE TABLE IF NOT EXISTS webhook_quiet (since BIGINT PRIMARY KEY, until BIGINT NOT NULL)",
    "CREATE TABLE IF NOT EXISTS webhook_import (owner TEXT PRIMARY KEY, held BIGINT NOT NULL, ends BIGINT NOT NULL)",
)

HELD_FOR = 120_000
"""Milliseconds after which an import that says nothing more holds nothing back: it was killed."""

Span: TypeAlias = tuple[int, int]
"""Positions after the first number, up to and with the second."""


@dataclass(frozen=True)
class Quiet:
    """``spans``: positions to pass over. ``held``: the last position that may be sent now, None for no bound."""

    spans: Sequence[Span]
    held: int | None

    def has(self, position: int) -> bool:
        """
        >>> [Quiet([(3, 5)], None).has(position) for position in (3, 4, 5, 6)]
        [False, True, True, False]
        """
        return any(since < position <= until for since, until in self.spans)


class QuietPositions:
    """Safe to call from any thread and process."""

    def __init__(self, database: SideDatabase) -> None:
        self._database = database
        database.create(TABLES)

    def hold(self, owner: str, at: int, now: int) -> None:
        """Let nothing be sent that follows a position, until :meth:`pass_over` or :meth:`release`. ``now``: epoch ms."""
        self._database.run(HELD, (owner, at, now + HELD_FOR))

    def pass_over(self, owner: str, spans: Iterable[Span], at: int, now: int) -> None:
        """Note positions to skip, and hold back what follows ``at`` from now on, in one step."""
        with self._database.together() as run:
            for since, until in joined(spans):
                longer = "UPDATE webhook_quiet SET until = ? WHERE since <= ? AND until >= ? AND until < ? RETURNING since"
                covered = "SELECT since FROM webhook_quiet WHERE since <= ? AND until >= ?"
                if not run(longer, (until, since, since, until)) and not run(covered, (since, until)):
                    run("INSERT INTO webhook_quiet (since, until) VALUES (?, ?)", (since, until))
            run(HELD, (owner, at, now + HELD_FOR))

    def release(self, owner: str) -> None:
        self._database.run("DELETE FROM webhook_import WHERE owner = ?", (owner,))

    def between(self, first: int, last: int, now: int) -> Quiet:
        """Return what is not to be sent of some positions that were read before this is called."""
        with self._database.together() as run:
            spans = run("SELECT since, until FROM webhook_quiet WHERE until >= ? AND since < ?", (first, last))
            held = run("SELECT MIN(held) FROM webhook_import WHERE ends > ?", (now,))
        return Quiet([(int(since), int(until)) for since, until in spans], held[0][0])


HELD = (
    "INSERT INTO webhook_import (owner, held, ends) VALUES (?, ?, ?) "
    "ON CONFLICT (owner) DO UPDATE SET held = excluded.held, ends = excluded.ends"
)


def joined(spans: Iterable[Span]) -> list[Span]:
    """Return spans in order, neighbours as one.

    >>> joined([(4, 6), (0, 4), (7, 8)])
    [(0, 6), (7, 8)]
    """
    found: list[Span] = []
    for since, until in sorted(spans):
        if found and found[-1][1] >= since:
            found[-1] = found[-1][0], max(found[-1][1], until)
        else:
            found.append((since, until))
    return found
