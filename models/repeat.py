"""What each member buys again: purchases that fade with every basket, times how surely such a product is bought again.

score = Σ over purchases of n^−0.4 · 0.97^(baskets since) × return rate^0.4, where n is the size of that basket and the return
rate is returns per buyer, smoothed. It descends from TREx's repeat module (recommendations 1.6); that a small basket says more
of each of its products is our own finding, worth half of what it gains over TREx (docs/decisions/0005).

Fading is *forward*: a purchase is stored as its weight over 0.97^N at the member's basket number N, so nothing else has to be
touched, and the factor that all of one member's products share is applied only where a score is shown.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from heapq import nsmallest

from models.items import PSEUDO_BUYERS, TRUST, Items

FADING = 0.97
"""What a purchase is still worth one basket later."""

SIZE = 0.4
"""A basket of n products counts n^−SIZE for each."""

LONGEST_RUN = 10_000
"""Baskets until weights are brought back to the present, far below the floating point's limit."""


@dataclass(slots=True)
class Habit:
    """``weight``: in forward units; instants are UTC epoch milliseconds."""

    times: int
    weight: float
    first: int
    last: int


@dataclass(slots=True)
class Habits:
    """One member's; ``run`` counts baskets since weights were last brought to the present."""

    run: int = 0
    products: dict[str, Habit] = field(default_factory=dict)


class RepeatBuyers:
    """
    >>> buyers = RepeatBuyers(Items())
    >>> buyers.learn_one("ann", ["milk"], at=0); buyers.learn_one("ann", ["milk"], at=1)
    >>> round(buyers.predict_one("ann", "milk"), 2), buyers.favourites("ann", 1)
    (1.97, ['milk'])
    """

    def __init__(self, items: Items) -> None:
        self._items = items
        self.members: dict[str, Habits] = {}
        self.changed: dict[str, set[str]] = {}

    def learn_one(self, member: str, products: Sequence[str], at: int) -> None:
        habits = self.members.setdefault(member, Habits())
        changed = self.changed.setdefault(member, set())
        if habits.run == LONGEST_RUN:
            self._bring_to_present(habits)
            changed.update(habits.products)
        habits.run += 1
        weight = len(products) ** -SIZE / FADING**habits.run
        for product in products:
            habit = habits.products.get(product)
            if habit is None:
                habits.products[product] = Habit(1, weight, at, at)
            else:
                habit.times += 1
                habit.weight += weight
                habit.last = max(habit.last, at)
        changed.update(products)

    def predict_one(self, member: str, product: str) -> float:
        """The faded purchases of a product, as of the member's latest basket."""
        habits = self.members[member]
        return habits.products[product].weight * FADING**habits.run

    def ranked(self, member: str, count: int) -> list[tuple[str, float]]:
        """The highest-scored products that the shop still sells; scores compare for this member alone. Ties by id."""
        habits, items = self.members[member], self._items
        prior = PSEUDO_BUYERS * items.mean_returns
        now = FADING**habits.run
        scored = [
            (-habit.weight * ((item.returns + prior) / (item.buyers + PSEUDO_BUYERS)) ** TRUST, product)
            for product, habit in habits.products.items()
            if not (item := items[product]).retired
        ]
        return [(product, -score * now) for score, product in nsmallest(count, scored)]

    def favourites(self, member: str, count: int) -> list[str]:
        """What a member bought most often, the plain baseline; ties to what was bought last, then by id."""
        habits = self.members.get(member)
        if habits is None:
            return []
        products = habits.products
        least = sorted(habit.times for habit in products.values())[-count:][0] if products else 0
        often = [(-habit.times, -habit.last, product) for product, habit in products.items() if habit.times >= least]
        return [product for _, _, product in sorted(often)[:count]]

    @staticmethod
    def _bring_to_present(habits: Habits) -> None:
        now = FADING**habits.run
        for habit in habits.products.values():
            habit.weight *= now
        habits.run = 0
