"""The highest of many values that only grow, kept exactly in constant time a change."""

from __future__ import annotations


class Leaders:
    """The ``size`` highest-valued names. A value may grow, never fall, so a name that was pushed out returns by growing.

    >>> leaders = Leaders(2)
    >>> for name, value in (("a", 1.0), ("b", 3.0), ("c", 2.0), ("a", 4.0)): leaders.grow(name, value)
    >>> leaders.ranked()
    ['a', 'b']
    """

    def __init__(self, size: int) -> None:
        self.size = size
        self._values: dict[str, float] = {}
        self._names: list[str] = []  # in their own order, which settles ties
        self._least: tuple[float, str] = (0.0, "")

    def grow(self, name: str, value: float) -> None:
        values = self._values
        if name in values:
            values[name] = value
            if name == self._least[1]:
                self._least = self._find_least()
        elif len(values) < self.size:
            self._enter(name, value)
        elif (value, name) > self._least:
            del values[self._least[1]]
            self._enter(name, value)

    def ranked(self) -> list[str]:
        """Names, highest value first; equal values by name."""
        return sorted(self._names, key=self._values.__getitem__, reverse=True)

    @property
    def highest(self) -> float:
        return max(self._values.values(), default=0.0)

    def _enter(self, name: str, value: float) -> None:
        self._values[name] = value
        self._names = sorted(self._values)
        self._least = self._find_least()

    def _find_least(self) -> tuple[float, str]:
        return min(zip(self._values.values(), self._values, strict=True))
