"""The latest events, as they were appended: a follower in the same process need not read back what was just written.

What it holds is committed, and equal to what the log's bytes say (every golden file is a test of that, and so is every import
that is killed and ends with the digest of one that was not).
"""

from __future__ import annotations

from aggregates.decider import Recorded


class Tail:
    """
    >>> tail = Tail(3)
    >>> tail.extend(4, ["a", "b", "c", "d"])
    >>> tail.since(2, limit=9), tail.since(0, limit=9), tail.since(4, limit=9)
    ([Recorded(position=3, event='c'), Recorded(position=4, event='d')], [], [])
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._latest: tuple[int, list[object]] = (0, [])  # the position of the last, and all of them

    def extend(self, head: int, committed: list[object]) -> None:
        """Take events committed just now, up to position ``head``; a gap before them, another process's, ends the rest."""
        last, latest = self._latest
        if head - len(committed) != last:
            latest = []
        self._latest = head, [*latest, *committed][-self._size :]

    def since(self, position: int, limit: int) -> list[Recorded]:
        """Up to ``limit`` events right behind a position; none if they are not at hand, which says nothing of the log."""
        last, latest = self._latest
        first = position - (last - len(latest))
        if first < 0:
            return []
        make = Recorded._make
        return [make(pair) for pair in enumerate(latest[first : first + limit], position + 1)]
