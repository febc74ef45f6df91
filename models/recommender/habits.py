"""One member's purchases by product: a table whose columns are products, in the order in which they were first bought.

That order is kept through a restart, since sums of floating point numbers depend on it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from models.recommender.items import Floats, Numbers

TIMES, WEIGHT, RECENT, SMALL, FIRST, LAST, SEEN = range(7)
"""Rows of :attr:`Habits.table`; see :class:`Habit`."""

DAY = 86_400_000


@dataclass(slots=True)
class Habit:
    """``weight`` and ``recent``: purchases that fade slowly and fast, in forward units; ``small``: the sum of 1/n over the
    baskets of n products that held it. ``first`` and ``last``: UTC epoch milliseconds; ``seen``: the last basket's number in
    the run.
    """

    times: int
    weight: float
    recent: float
    small: float
    first: int
    last: int
    seen: int


class Habits:
    """``run`` counts baskets since weights were last brought to the present, ``baskets`` all, ``size`` is the latest one's;
    ``first`` and ``last`` are the instants of the earliest and the latest.

    >>> habits = Habits()
    >>> habits.places_of(["milk", "tea"]), habits.places_of(["tea"]), habits.products
    ([0, 1], [1], ['milk', 'tea'])
    """

    def __init__(self, run: int = 0, baskets: int = 0, size: int = 0, first: int = 0, last: int = 0) -> None:
        self.run, self.baskets, self.size, self.first, self.last = run, baskets, size, first, last
        self.places: dict[str, int] = {}
        self.products: list[str] = []
        self.numbers: Numbers = np.zeros(16, np.int64)  # in Items.columns
        self._table: Floats = np.zeros((len(Habit.__slots__), 16))

    def __len__(self) -> int:
        return len(self.products)

    @property
    def table(self) -> Floats:
        return self._table[:, : len(self.products)]

    def places_of(self, products: list[str]) -> list[int]:
        """Their columns, those of new ones at the end and empty."""
        places, known = self.places, self.products
        found = []
        for product in products:
            place = places.get(product)
            if place is None:
                place = places[product] = len(known)
                known.append(product)
            found.append(place)
        while len(known) > self._table.shape[1]:
            self._table = np.concatenate((self._table, np.zeros_like(self._table)), axis=1)
            self.numbers = np.concatenate((self.numbers, np.zeros_like(self.numbers)))
        return found

    def habit(self, place: int) -> Habit:
        times, weight, recent, small, first, last, seen = self._table[:, place].tolist()
        return Habit(int(times), weight, recent, small, int(first), int(last), int(seen))

    @property
    def pace(self) -> float:
        """Mean days between baskets, a week where nobody knows, from 5 hours to 30 days."""
        if self.baskets < 2:
            return 7.0
        return min(max((self.last - self.first) / DAY / (self.baskets - 1), 0.2), 30.0)
