"""The latest events, as they were appended: a follower in the same process need not read back what was just written.

What it holds is committed, and equal to what the log's bytes say (every golden file is a test of that, and so is every import
that is killed and ends with the digest of one that was not).
"""

from __future__ import annotations

from collections.abc import Sequence

from aggregates.kernel import Recorded


class Tail:
    """
    >>> tail = Tail(3)
    >>> tail.extend([Recorded(1, "a"), Recorded(2, "b"), Recorded(3, "c"), Recorded(4, "d")])
    >>> [recorded.event for recorded in tail.since(2, limit=9)], tail.since(0, limit=9), tail.since(4, limit=9)
    (['c', 'd'], [], [])
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._latest: list[Recorded] = []

    def extend(self, committed: Sequence[Recorded]) -> None:
        """Take events that were committed just now; a gap before them, another process's, makes the rest useless."""
        latest = self._latest
        if latest and committed and committed[0].position != latest[-1].position + 1:
            latest = []
        self._latest = [*latest, *committed][-self._size :]

    def since(self, position: int, limit: int) -> list[Recorded]:
        """Up to ``limit`` events right behind a position; none if they are not at hand, which says nothing of the log."""
        latest = self._latest
        if not latest or position + 1 < latest[0].position:
            return []
        first = position + 1 - latest[0].position
        return latest[first : first + limit]
