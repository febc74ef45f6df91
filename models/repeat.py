"""What each member buys again: purchases that fade with every basket, times how surely such a product is bought again.

TREx's repeat module (recommendations 1.6): score = return rate of the item × Σ β^(baskets since that purchase). The sum is kept
up lazily: only what is in the basket is touched.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

FADING = 0.9
"""β: what a purchase is still worth one basket later."""


@dataclass(slots=True)
class Habit:
    """``weight`` as of the member's basket number ``seen``; instants are UTC epoch milliseconds."""

    times: int
    seen: int
    weight: float
    first: int
    last: int


@dataclass(slots=True)
class Habits:
    """One member's."""

    baskets: int = 0
    products: dict[str, Habit] = field(default_factory=dict)


class RepeatBuyers:
    """
    >>> buyers = RepeatBuyers()
    >>> buyers.learn_one("ann", ["milk"], at=0); buyers.learn_one("ann", ["milk", "tea"], at=1)
    >>> buyers.predict_one("ann", "milk"), buyers.predict_one("ann", "tea")
    (1.9, 1.0)
    """

    def __init__(self) -> None:
        self.members: dict[str, Habits] = {}

    def learn_one(self, member: str, products: Iterable[str], at: int) -> None:
        habits = self.members.setdefault(member, Habits())
        habits.baskets += 1
        now = habits.baskets
        for product in products:
            habit = habits.products.get(product)
            if habit is None:
                habits.products[product] = Habit(1, now, 1.0, at, at)
            else:
                habit.weight = habit.weight * FADING ** (now - habit.seen) + 1.0
                habit.times += 1
                habit.seen = now
                habit.last = at

    def predict_one(self, member: str, product: str) -> float:
        """The faded purchases of a product, as of the member's latest basket."""
        habits = self.members[member]
        habit = habits.products[product]
        return habit.weight * FADING ** (habits.baskets - habit.seen)

    def favourites(self, member: str, count: int) -> list[str]:
        """What a member bought most often, the plain baseline; ties to what was bought last, then by name."""
        habits = self.members.get(member)
        if habits is None:
            return []
        products = habits.products
        return sorted(products, key=lambda p: (-products[p].times, -products[p].last, p))[:count]
