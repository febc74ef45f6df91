"""What each member buys again: purchases that fade with every basket, times how surely such a product is bought again.

score = Σ over purchases of n^−0.4 · 0.97^(baskets since) × return rate^0.4, where n is the size of that basket and the return
rate is returns per buyer, smoothed. It descends from TREx's repeat module (recommendations 1.6); that a small basket says more
of each of its products is our own finding, worth half of what it gains over TREx (docs/decisions/0005).

Fading is *forward*: a purchase is stored as its weight over 0.97^N at the member's basket number N, so nothing else has to be
touched, and the factor that all of one member's products share is applied only where a score is shown.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from models.recommender.habits import DAY, FIRST, LAST, RECENT, SEEN, SMALL, TIMES, WEIGHT, Habits
from models.recommender.items import RETIRED, TRUST, Floats, Items, Numbers

FADING = 0.97
"""What a purchase is still worth one basket later."""

QUICK = 0.85
"""The same, of the short memory that the ranker sees beside it."""

SIZE = 0.4
"""A basket of n products counts n^−SIZE for each."""

LONGEST_RUN = 1_000
"""Baskets until weights are brought back to the present, far below the floating point's limit."""


class RepeatBuyers:
    """
    >>> buyers = RepeatBuyers(Items())
    >>> gaps = buyers.learn_one("ann", ["milk"], at=0); gaps = buyers.learn_one("ann", ["milk"], at=1)
    >>> round(buyers.predict_one("ann", "milk"), 2), buyers.favourites("ann", 1)
    (1.97, ['milk'])
    """

    def __init__(self, items: Items) -> None:
        self._items = items
        self.members: dict[str, Habits] = {}
        self.changed: dict[str, set[int]] = {}

    def learn_one(self, member: str, products: Sequence[str], at: int) -> list[tuple[int, float]]:
        """Learn a basket of distinct products; of each, its times now and the log of one plus the days since the last."""
        habits = self.members.setdefault(member, Habits())
        changed = self.changed.setdefault(member, set())
        if habits.run == LONGEST_RUN:
            bring_to_present(habits)
            changed.update(range(len(habits)))
        habits.first = min(habits.first, at) if habits.baskets else at
        habits.last = max(habits.last, at)
        habits.run += 1
        habits.baskets += 1
        habits.size = len(products)
        known = len(habits)
        places = habits.places_of(list(products))
        table = habits.table
        if known < len(habits):
            table[FIRST, known:] = table[LAST, known:] = at
            habits.numbers[known : len(habits)] = self._items.numbers_of(habits.products[known:])
        held = table[:, places]
        gaps = np.log1p(np.maximum(at - held[LAST], 0) / DAY)
        held[TIMES] += 1
        held[WEIGHT] += len(products) ** -SIZE / FADING**habits.run
        held[RECENT] += len(products) ** -SIZE / QUICK**habits.run
        held[SMALL] += 1 / len(products)
        np.maximum(held[LAST], at, out=held[LAST])
        held[SEEN] = habits.run
        table[:, places] = held
        changed.update(places)
        return list(zip(map(int, held[TIMES].tolist()), gaps.tolist(), strict=True))

    def predict_one(self, member: str, product: str) -> float:
        """The faded purchases of a product, as of the member's latest basket; 0 for one never bought."""
        habits = self.members.get(member)
        place = habits.places.get(product) if habits else None
        if habits is None or place is None:
            return 0.0
        return float(habits.table[WEIGHT, place]) * FADING**habits.run

    def ranked(self, member: str, count: int) -> list[str]:
        """The highest-scored products that the shop still sells; ties go to what was bought earlier."""
        habits, items = self.members[member], self._items
        numbers = habits.numbers[: len(habits)]
        scores = habits.table[WEIGHT] * items.return_rates(numbers) ** TRUST
        scores[items.columns[RETIRED, numbers] > 0] = 0.0
        return [habits.products[place] for place in highest(scores, count).tolist() if scores[place]]

    def favourites(self, member: str, count: int) -> list[str]:
        """What a member bought most often, the plain baseline; ties go to what was bought last, then to what came first."""
        habits = self.members.get(member)
        if habits is None:
            return []
        times, last = habits.table[TIMES], habits.table[LAST]
        often = np.arange(len(times))
        if len(times) > count:
            often = np.flatnonzero(times >= np.partition(times, -count)[-count])
        order = np.lexsort((-last[often], -times[often]))[:count]
        return [habits.products[place] for place in often[order].tolist()]


def highest(scores: Floats, count: int) -> Numbers:
    """Indices of the highest values, in order; of equal ones the first."""
    if len(scores) <= count:
        return np.argsort(-scores, kind="stable")
    among = np.flatnonzero(scores >= np.partition(scores, -count)[-count])
    order: Numbers = among[np.argsort(-scores[among], kind="stable")][:count]
    return order


def bring_to_present(habits: Habits) -> None:
    table, run = habits.table, habits.run
    table[WEIGHT] *= FADING**run
    table[RECENT] *= QUICK**run
    table[SEEN] -= run
    habits.run = 0
