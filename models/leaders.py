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
        self._least: tuple[float, str] = (0.0, "")

    def grow(self, name: str, value: float) -> None:
        values = self._values
        if name in values:
            values[name] = value
            if name == self._least[1]:
                self._least = self._find_least()
        elif len(values) < self.size:
            values[name] = value
            self._least = self._find_least()
        elif (value, name) > self._least:
            del values[self._least[1]]
            values[name] = value
            self._least = self._find_least()

    def remove(self, name: str) -> None:
        self._values.pop(name, None)
        self._least = self._find_least()

    def ranked(self) -> list[str]:
        """Names, highest value first; equal values by name."""
        return sorted(self._values, key=lambda name: (-self._values[name], name))

    @property
    def highest(self) -> float:
        return max(self._values.values(), default=0.0)

    def _find_least(self) -> tuple[float, str]:
        return min(((value, name) for name, value in self._values.items()), default=(0.0, ""))
